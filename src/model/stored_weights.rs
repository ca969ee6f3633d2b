//! Weights as whole numbers of one byte, with a scale for each output channel, which is the last dimension: a quarter of the size.
//!
//! What was read from such a file and is written again is the same: the scales have so few bits that every product is exact.

/// The largest whole number.
const MOST: f32 = 127.0;

/// Whole numbers from −127 to 127, as bytes, and the scale of each of `channels`.
pub(super) fn quantise(values: &[f32], channels: usize) -> (Vec<u8>, Vec<f32>) {
    let mut largest = vec![0.0_f32; channels];
    for row in values.chunks_exact(channels.max(1)) {
        largest.iter_mut().zip(row).for_each(|(largest, value)| *largest = largest.max(value.abs()));
    }
    let scales: Vec<f32> = largest.into_iter().map(|largest| short(largest / MOST)).collect();
    let whole = |(value, scale): (&f32, &f32)| {
        let whole = if *scale > 0.0 { (value / scale).round_ties_even().clamp(-MOST, MOST) } else { 0.0 };
        (whole as i8).to_ne_bytes()
    };
    let rows = values.chunks_exact(channels.max(1));
    (rows.flat_map(|row| row.iter().zip(&scales).flat_map(whole)).collect(), scales)
}

/// The weights; `None` if there is not a finite scale for each channel, or not a byte for each weight.
pub(super) fn widen(whole: &[u8], scales: &[f32], shape: &[usize]) -> Option<Vec<f32>> {
    let fits = shape.last() == Some(&scales.len())
        && shape.iter().product::<usize>() == whole.len()
        && scales.iter().all(|scale| scale.is_finite());
    let rows = whole.chunks_exact(scales.len().max(1));
    let weight = |(byte, scale): (&u8, &f32)| f32::from(i8::from_ne_bytes([*byte])) * scale;
    fits.then(|| rows.flat_map(|row| row.iter().zip(scales).map(weight)).collect())
}

/// The next number of at most 16 significant bits that is not smaller, so that its product with seven more bits is exact.
fn short(value: f32) -> f32 {
    const LOW: u32 = (1 << 8) - 1;
    f32::from_bits((value.to_bits() + LOW) & !LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_near_and_stay_the_same_when_written_again() {
        let values: Vec<f32> = (0..300).map(|i| ((i * 7919 % 1000) as f32 - 500.0) * 1.234_567e-3).collect();
        let mut values = values;
        values.iter_mut().step_by(5).for_each(|value| *value = 0.0);
        let (whole, scales) = quantise(&values, 5);
        assert_eq!((whole.len(), scales.len(), scales[0]), (300, 5, 0.0));
        let read = widen(&whole, &scales, &[60, 5]).unwrap();
        for (i, (read, value)) in read.iter().zip(&values).enumerate() {
            assert!((read - value).abs() <= scales[i % 5] * 0.5001);
        }
        assert_eq!(quantise(&read, 5), (whole.clone(), scales.clone()));
        assert!(widen(&whole, &scales[1..], &[60, 5]).is_none());
        assert!(widen(&whole[1..], &scales, &[60, 5]).is_none());
        assert!(widen(&whole, &[f32::NAN; 5], &[60, 5]).is_none());
    }
}
