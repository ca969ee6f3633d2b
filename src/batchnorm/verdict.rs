//! The verdict: one or two sentences on a model's two modes, and a severity.
//!
//! It is based on the share of files lost between train mode and eval mode, and on the distance of the
//! running variances from the pooled ones (mean |ln of their ratio| of the worst layer). The thresholds come
//! from 648 measured states of networks that did well in train mode: below 0.1 there was no gap, from 0.2 on
//! it was two to three points, from 0.5 on fifteen and more.

use super::channel::{Condition, Layer};
use super::modes::Compared;
use crate::model::{ModelConfig, Norm, StatisticsPolicy};

/// Shares of files lost from which a gap is worth watching, needs a repair, and makes eval mode useless.
const WATCH_GAP: f64 = 0.01;
const REPAIR_GAP: f64 = 0.025;
const USELESS_GAP: f64 = 0.25;
/// Mean |ln variance ratio| from which a layer is worth watching, and needs a repair.
const WATCH_RATIO: f64 = 0.1;
const REPAIR_RATIO: f64 = 0.2;
/// Train-mode accuracy below which the statistics are not the main problem.
const UNTRAINED: f64 = 0.6;

/// How severe the difference between the modes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The modes agree, or there is no batch normalisation.
    Sound,
    /// They differ a little.
    Watch,
    /// They differ: the running statistics should be repaired.
    Repair,
    /// Eval mode is useless.
    Useless,
}

/// A severity and its explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How severe the difference is.
    pub severity: Severity,
    /// One or two sentences.
    pub sentence: String,
}

/// The verdict on the comparison of a model with these `layers`.
pub fn verdict(config: &ModelConfig, compared: &Compared, layers: &[Layer]) -> Verdict {
    let verdict = |severity, sentence: String| Verdict { severity, sentence };
    let (train, eval) = (&compared.train, &compared.eval);
    let files = count(train.files, "file", "files");
    if config.norm == Norm::None {
        return verdict(
            Severity::Sound,
            format!(
                "This model has no batch normalisation, so its two modes are the same: it misclassifies {} of {files}.",
                thousands(train.files - train.correct)
            ),
        );
    }
    if let Some(layer) = layers.iter().position(|layer| layer.count(Condition::NotANumber) > 0).map(|i| i + 1)
    {
        return verdict(
            Severity::Useless,
            format!(
                "In eval mode this model has no results: the running statistics of layer {layer} are not numbers. The cause is a batch of one value per channel, or an overflow. Recompute the statistics."
            ),
        );
    }
    let history = format!("Its running statistics {}.", provenance(config, layers));
    // A difference of one file is chance, and in a small folder a large share.
    let lost = if train.correct > eval.correct + 1 { train.accuracy() - eval.accuracy() } else { 0.0 };
    let ratio = layers.iter().map(|layer| layer.log_ratio).fold(0.0, f64::max);
    let misclassified = thousands(eval.files - eval.correct);
    let severity = if lost >= USELESS_GAP {
        Severity::Useless
    } else if lost >= REPAIR_GAP || ratio >= REPAIR_RATIO {
        Severity::Repair
    } else if lost >= WATCH_GAP || ratio >= WATCH_RATIO {
        Severity::Watch
    } else {
        Severity::Sound
    };
    let sentence = if train.accuracy() < UNTRAINED {
        format!(
            "This model misclassifies {} of {files} even in train mode, so its statistics are not the main problem: it needs more training, or was trained on other files. {history}",
            thousands(train.files - train.correct)
        )
    } else {
        match severity {
            Severity::Sound => format!(
                "Train mode and eval mode agree: in eval mode this model misclassifies {misclassified} of {files}, in train mode {}. {history}",
                thousands(train.files - train.correct)
            ),
            _ if lost < WATCH_GAP => format!(
                "In eval mode this model misclassifies {misclassified} of {files}, no more than in train mode, but its running variances are off: in the worst layer by a factor of {:.1}. {history}",
                ratio.exp()
            ),
            _ => format!(
                "In eval mode this model misclassifies {misclassified} of {files}; in train mode, with the same weights, {}. {history}",
                thousands(train.files - train.correct)
            ),
        }
    };
    verdict(severity, sentence)
}

/// Where the running statistics come from, as the predicate of "its running statistics".
fn provenance(config: &ModelConfig, layers: &[Layer]) -> String {
    let batches = count(layers.first().map_or(0, |layer| layer.batches) as usize, "batch", "batches");
    match config.repairs.last() {
        Some(repair) => format!("were repaired ({})", repair.what),
        None if config.batch_norm.statistics == StatisticsPolicy::Recompute => {
            format!("were recomputed over {batches} with the weights frozen")
        }
        None => format!("have seen {batches}"),
    }
}

/// A warning if the gap between the modes that the training or the last repair measured needs a repair. Needs
/// no files.
pub fn warning(config: &ModelConfig) -> Option<String> {
    if config.norm == Norm::None {
        return None;
    }
    let result = &config.training.result;
    let (train, eval) = match config.repairs.last() {
        Some(repair) => (result.train_mode_accuracy, repair.eval_mode_accuracy_after?),
        None => (result.train_mode_accuracy, result.eval_mode_accuracy),
    };
    (train - eval >= REPAIR_GAP).then(|| {
        format!(
            "in eval mode, which is used for all results, this model classifies only {:.1} % of {} correctly; in train mode, with the same weights, {:.1} %. Its running statistics have not converged: recompute them",
            eval * 100.0,
            config.training.compared_text(),
            train * 100.0
        )
    })
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { one } else { many })
}

/// "1,438".
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batchnorm::ModeFigures;
    use crate::model::Epoch;
    use crate::picture::PictureSpec;

    fn config() -> ModelConfig {
        let mut config = ModelConfig::new(PictureSpec::BYTES, vec!["a".into(), "b".into()]);
        config.batch_norm.statistics = StatisticsPolicy::Moving;
        config
    }

    fn compared(train: usize, eval: usize) -> Compared {
        let mode = |correct| ModeFigures { files: 640, correct, ..ModeFigures::default() };
        Compared { train: mode(train), eval: mode(eval), pooled: Vec::new() }
    }

    fn layers(log_ratio: f64) -> Vec<Layer> {
        vec![Layer { log_ratio, batches: 40, ..Layer::default() }]
    }

    #[test]
    fn the_sentence_names_the_files_and_the_batches() {
        let verdict = verdict(&config(), &compared(627, 328), &layers(1.4));
        assert_eq!(verdict.severity, Severity::Useless);
        assert!(verdict.sentence.starts_with("In eval mode this model misclassifies 312 of 640 files"));
        assert!(verdict.sentence.ends_with("Its running statistics have seen 40 batches."));
    }

    #[test]
    fn large_numbers_have_commas() {
        let texts = [0, 12, 999, 1438, 1_000_000].map(thousands);
        assert_eq!(texts, ["0", "12", "999", "1,438", "1,000,000"]);
    }

    #[test]
    fn severity_follows_gap_and_ratio() {
        let of = |train, eval, ratio| verdict(&config(), &compared(train, eval), &layers(ratio)).severity;
        assert_eq!(of(640, 640, 0.01), Severity::Sound);
        assert_eq!(of(600, 630, 0.01), Severity::Sound, "eval mode may be better");
        assert_eq!(of(640, 639, 0.01), Severity::Sound);
        let few = |correct| ModeFigures { files: 20, correct, ..ModeFigures::default() };
        let one = Compared { train: few(20), eval: few(19), pooled: Vec::new() };
        assert_eq!(verdict(&config(), &one, &layers(0.01)).severity, Severity::Sound, "one file is chance");
        assert_eq!(of(640, 630, 0.01), Severity::Watch);
        assert_eq!(of(640, 620, 0.01), Severity::Repair);
        assert_eq!(of(640, 640, 0.3), Severity::Repair);
        let mut none = config();
        none.norm = Norm::None;
        assert_eq!(verdict(&none, &compared(1, 1), &[]).severity, Severity::Sound);
        let untrained = verdict(&config(), &compared(100, 90), &layers(0.0));
        assert!(untrained.sentence.contains("even in train mode"));
    }

    #[test]
    fn a_model_is_warned_about_until_it_is_repaired() {
        let mut config = config();
        config.training.result =
            Epoch { train_mode_accuracy: 0.98, eval_mode_accuracy: 0.5, ..Epoch::default() };
        assert!(warning(&config).is_some_and(|text| text.contains("50.0 %")));
        config.repairs.push(crate::model::RepairRecord {
            what: "recomputed".into(),
            files: 3,
            from: String::new(),
            source: crate::model::StatisticsSource::Recomputed,
            eval_mode_accuracy_before: Some(0.5),
            eval_mode_accuracy_after: Some(0.98),
        });
        assert_eq!(warning(&config), None);
    }
}
