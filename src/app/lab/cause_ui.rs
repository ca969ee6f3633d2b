//! Part 1: the cause in one sentence with this model's numbers, as a picture, and the verdict.

use super::cause_picture::picture_ui;
use super::parts::{card_ui, number, plain, raised, text_ui};
use super::scene::Scene;
use crate::app::theme::{Tokens, title};
use crate::batchnorm::{Cause, Reason, Report, Severity, Statistic, cause};
use crate::model::{Model, StatisticsSource};
use egui::Ui;

/// Draws the card.
pub fn cause_ui(ui: &mut Ui, scene: &Scene<'_>, report: &Report) {
    let Some(model) = &scene.lab.model else { return };
    let tokens = Tokens::of(ui.visuals());
    let stripe = match report.verdict.severity {
        Severity::Sound => tokens.good,
        Severity::Watch | Severity::Repair | Severity::Useless => tokens.warn,
    };
    let cause = cause(&report.layers, model.config.source());
    card_ui(ui, Some(stripe), |ui| {
        ui.set_width(ui.available_width());
        let Some(cause) = cause else {
            ui.label(title("No batch normalisation, so there is nothing that a layer could keep wrongly."));
            text_ui(ui, &report.verdict.sentence);
            return;
        };
        ui.add(egui::Label::new(title(sentence(&cause))).wrap());
        if let Some(why) = explanation(&cause, model, report.layers.len()) {
            text_ui(ui, &why);
        }
        text_ui(ui, &report.verdict.sentence);
        if cause.reason != Reason::NotANumber {
            ui.add_space(6.0);
            picture_ui(ui, &cause);
        }
    });
}

/// The cause in one sentence, or two.
fn sentence(cause: &Cause) -> String {
    let what = cause.statistic.name();
    let layer = cause.layer + 1;
    if cause.reason == Reason::NotANumber {
        return format!("Layer {layer} keeps statistics that are not numbers.");
    }
    let (kept, pooled) = (number(cause.kept), number(cause.pooled));
    let rest = match cause.reason {
        Reason::Agrees => {
            return format!(
                "Layer {layer} keeps a {what} of {kept}; the files have {pooled}. Both modes see the same."
            );
        }
        Reason::Start => format!("The rest is still the {} that it started with.", cause.start),
        Reason::Staleness => "The rest is left from earlier weights.".to_owned(),
        Reason::OtherFiles => "It was computed over other files.".to_owned(),
        Reason::NotANumber => String::new(),
    };
    format!("Layer {layer} keeps a {what} of {kept}; the files have {pooled}. {rest}")
}

/// How it came about and what follows, with the numbers of this model.
fn explanation(cause: &Cause, model: &Model, layers: usize) -> Option<String> {
    let mut text = match (cause.reason, model.config.source()) {
        (Reason::Start, StatisticsSource::Moving { momentum }) => {
            let batches = model.network.running.get(cause.layer).map_or(0, |running| running.batches);
            format!(
                "{batches} batches at momentum {momentum} (Keras writes {}) are too few to forget the start: (1 − {momentum}){} leaves {:.0} % of it.",
                plain(1.0 - momentum),
                raised(batches),
                cause.weight * 100.0
            )
        }
        (Reason::Staleness, _) => {
            "The weights changed faster than the average of the batches could follow.".to_owned()
        }
        _ => return None,
    };
    if cause.statistic == Statistic::Variance {
        let epsilon = model.network.epsilon();
        let [kept, pooled] = [cause.kept, cause.pooled].map(|v| (v.max(0.0) + epsilon).sqrt());
        let (factor, how) =
            if kept > pooled { (kept / pooled, "too flat") } else { (pooled / kept, "too steep") };
        text += &format!(
            " In eval mode channel {} is therefore divided by {} instead of {} and comes out {factor:.1} times {how}",
            cause.channel.index,
            number(kept),
            number(pooled)
        );
        text += match layers - cause.layer.min(layers) {
            0 | 1 => ".",
            2 => ", and one more layer follows.",
            _ => ", and more layers follow.",
        };
    }
    Some(text)
}
