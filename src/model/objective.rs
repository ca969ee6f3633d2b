//! The objective: the loss that training minimises.
//!
//! By default a cosine softmax with an additive margin (CosFace, Wang et al., 2018). Each label has a prototype.
//! [`MARGIN`] is subtracted from the cosine of an embedding with the prototype of its own label, all cosines
//! are multiplied by [`SCALE`], and the loss is the cross-entropy of their softmax: embeddings of one label move
//! together, and labels apart. A plain classifier has the plain cross-entropy of its scores.

use super::config::Head;
use candle_core::{D, Result, Tensor, bail};

/// Subtracted from the cosine with the prototype of the own label.
const MARGIN: f64 = 0.2;
/// Factor of the cosines: how sharp the softmax is.
const SCALE: f64 = 16.0;

/// Mean loss, a scalar, of `scores`, `[n][labels]`, where `classes[i]` is the label of row `i`.
pub fn objective(head: Head, scores: &Tensor, classes: &[usize]) -> Result<Tensor> {
    let (n, labels) = scores.dims2()?;
    let mut own = vec![0.0_f32; n * labels];
    for (row, class) in own.chunks_exact_mut(labels).zip(classes) {
        match row.get_mut(*class) {
            Some(share) => *share = 1.0,
            None => bail!("expected a label below {labels}, found {class}"),
        }
    }
    let own = Tensor::from_vec(own, (n, labels), scores.device())?;
    let logits = match head {
        Head::Cosine | Head::Grid => ((scores - (&own * MARGIN)?)? * SCALE)?,
        Head::Classifier => scores.clone(),
    };
    let log_share = candle_nn::ops::log_softmax(&logits, D::Minus1)?;
    (log_share * own)?.sum_all()? / -(n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn equals_the_definition() {
        let rows = [[0.9_f64, 0.1, -0.3], [0.2, 0.5, 0.4]];
        let classes = [0, 2];
        let want: f64 = rows
            .iter()
            .zip(classes)
            .map(|(row, class)| {
                let logit = |i: usize| SCALE * (row[i] - if i == class { MARGIN } else { 0.0 });
                (0..3).map(|i| logit(i).exp()).sum::<f64>().ln() - logit(class)
            })
            .sum::<f64>()
            / 2.0;
        let cosines = Tensor::new(&rows.map(|r| r.map(|v| v as f32)), &Device::Cpu).unwrap();
        let got = objective(Head::Cosine, &cosines, &classes).unwrap().to_scalar::<f32>().unwrap();
        assert!((f64::from(got) - want).abs() < 1e-5);
        let plain = objective(Head::Classifier, &cosines, &classes).unwrap().to_scalar::<f32>().unwrap();
        let want: f64 = rows
            .iter()
            .zip(classes)
            .map(|(row, class)| row.iter().map(|v| v.exp()).sum::<f64>().ln() - row[class])
            .sum::<f64>()
            / 2.0;
        assert!((f64::from(plain) - want).abs() < 1e-5);
        assert!(objective(Head::Cosine, &cosines, &[0, 3]).is_err());
    }
}
