//! The verdict on a queried file, in one word: `docs/verdict.md` has the rule.

use super::names::count;
use crate::library::{Contents, Neighbour};
use crate::model::{Model, is_base_model};
use crate::sample::Sha256;
use crate::search::Look;
use crate::view::Packed;

/// A second label is as likely as the first if its odds are at least this share of the first's.
const AS_LIKELY: f32 = 0.5;
/// A label is known if it is more likely than not.
const LIKELY: f32 = 0.5;
/// Without probabilities, a second label is as near as the first if the first's distance is at least this share of the second's.
const AS_NEAR: f32 = 0.9;
/// Higher odds cannot be told apart.
const MOST_ODDS: f32 = 1e6;

/// What a file is, as far as the library knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The library has a file with the same content.
    Identical {
        /// Its label, if it has one.
        label: Option<String>,
    },
    /// Of the family of a sample.
    Known {
        /// The sample's label, if it has one.
        label: Option<String>,
        /// That this is right, 0 to 1; `None` by a model that is not calibrated.
        probability: Option<f32>,
    },
    /// Of one of two families that are about as likely; or less likely of the nearest than of none.
    Undecided {
        /// The likelier label, and the other one; alone if the file may as well be of none of the families.
        labels: Vec<String>,
        /// That the first is right, 0 to 1; `None` by a model that is not calibrated.
        probability: Option<f32>,
    },
    /// Of none of the families.
    Unlike {
        /// That it is of the nearest sample's family after all, 0 to 1; `None` by a model that is not calibrated.
        probability: Option<f32>,
    },
    /// No view has anything to go by: zeros, noise, or packed by what is not unpacked.
    Nothing,
}

impl Verdict {
    /// The verdict on the file with this hash and look, whose nearest samples are `neighbours`. `None` if the library's model
    /// does not know when a file is unlike anything known.
    pub fn of(contents: &Contents, sha256: Sha256, look: &Look, neighbours: &[Neighbour]) -> Option<Self> {
        if let Some(entry) = contents.get(sha256) {
            return Some(Self::Identical { label: entry.label.map(str::to_owned) });
        }
        Self::without(contents, look, neighbours)
    }

    /// The same for a file that the library has, as if it had it not.
    pub fn without(contents: &Contents, look: &Look, neighbours: &[Neighbour]) -> Option<Self> {
        match contents.unlike_below() {
            Some(unlike_below) => Self::by_probability(contents, look, neighbours, unlike_below),
            None => Self::by_distance(contents, neighbours),
        }
    }

    fn by_probability(
        contents: &Contents,
        look: &Look,
        neighbours: &[Neighbour],
        unlike_below: f32,
    ) -> Option<Self> {
        let views = look.views.as_ref()?;
        if views.abstain() {
            return Some(Self::Nothing);
        }
        let probability = 1.0 - neighbours.first().map_or(1.0, |nearest| nearest.distance);
        if neighbours.is_empty() || probability < unlike_below {
            return Some(Self::Unlike { probability: Some(probability) });
        }
        let as_likely = |other: &Neighbour| odds(1.0 - other.distance) >= odds(probability) * AS_LIKELY;
        Some(Self::of_nearest(contents, neighbours, Some(probability), as_likely))
    }

    /// By the cosine distance alone: images, and models that were trained without views.
    fn by_distance(contents: &Contents, neighbours: &[Neighbour]) -> Option<Self> {
        let unlike_above = contents.model()?.config.training.unlike_above?;
        let Some(nearest) = neighbours.first().filter(|nearest| nearest.distance <= unlike_above) else {
            return Some(Self::Unlike { probability: None });
        };
        let as_near = |other: &Neighbour| nearest.distance >= other.distance * AS_NEAR;
        Some(Self::of_nearest(contents, neighbours, None, as_near))
    }

    /// Known, or undecided if the nearest sample of another label is `as_likely` as the nearest of all.
    fn of_nearest(
        contents: &Contents,
        neighbours: &[Neighbour],
        probability: Option<f32>,
        as_likely: impl Fn(&Neighbour) -> bool,
    ) -> Self {
        let label_of = |neighbour: &Neighbour| contents.get(neighbour.sha256).and_then(|entry| entry.label);
        let first = neighbours.first().and_then(label_of);
        let second = neighbours.iter().find_map(|neighbour| {
            let label = label_of(neighbour).filter(|label| Some(*label) != first)?;
            Some((label, neighbour))
        });
        match (first, second) {
            (Some(first), Some((second, other))) if as_likely(other) => {
                Self::Undecided { labels: vec![first.to_owned(), second.to_owned()], probability }
            }
            (Some(first), _) if probability.is_some_and(|probability| probability < LIKELY) => {
                Self::Undecided { labels: vec![first.to_owned()], probability }
            }
            (label, _) => Self::Known { label: label.map(str::to_owned), probability },
        }
    }

    /// Its name in tables and JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Identical { .. } => "identical",
            Self::Known { .. } => "known",
            Self::Undecided { .. } => "undecided",
            Self::Unlike { .. } => "unlike anything known",
            Self::Nothing => "nothing to go by",
        }
    }

    /// Its labels: one, two, or none.
    pub fn labels(&self) -> Vec<&str> {
        match self {
            Self::Identical { label } | Self::Known { label, .. } => label.as_deref().into_iter().collect(),
            Self::Undecided { labels, .. } => labels.iter().map(String::as_str).collect(),
            Self::Unlike { .. } | Self::Nothing => Vec::new(),
        }
    }

    /// The probability that the file is of the nearest sample's family, 0 to 1; `None` if nothing speaks for or against it,
    /// or the model is not calibrated.
    pub fn probability(&self) -> Option<f32> {
        match self {
            Self::Identical { .. } => Some(1.0),
            Self::Known { probability, .. }
            | Self::Undecided { probability, .. }
            | Self::Unlike { probability } => *probability,
            Self::Nothing => None,
        }
    }
}

/// Which model answers, and what it has learned from: "the base model", or "a model trained on 40 files of 3 labels".
pub fn model_name(model: &Model) -> String {
    let config = &model.config;
    if is_base_model(model.hash) {
        return "the base model".to_owned();
    }
    let learned =
        format!("{} of {}", count(config.training.files, "file"), count(config.labels.len(), "label"));
    match config.repairs.last() {
        Some(repair) => format!("a model trained on {learned}, {}", crate::escape::text(&repair.what)),
        None => format!("a model trained on {learned}"),
    }
}

/// Whether probabilities of this library are calibrated; `None` if its model gives none.
pub fn is_calibrated(contents: &Contents) -> Option<bool> {
    contents.unlike_below()?;
    let model = contents.model()?;
    Some(is_base_model(model.hash) || model.config.training.calibrated_on.is_some())
}

/// What the probabilities of this library are calibrated on, without a full stop; `None` if its model gives none.
pub fn calibration_text(contents: &Contents) -> Option<String> {
    let model = contents.model()?;
    let calibrated = is_calibrated(contents)?;
    Some(match model.config.training.calibrated_on {
        _ if is_base_model(model.hash) => {
            "the probability is calibrated on families of public software".to_owned()
        }
        Some(files) if calibrated => {
            format!("the probability is calibrated on {} held out of the training", count(files, "file"))
        }
        _ => "the probability is not calibrated: too few files were held out of the training".to_owned(),
    })
}

/// A probability as people read it: never 0 % or 100 %, which nothing is.
pub fn percent(probability: f32) -> String {
    match 100.0 * probability {
        high if high > 99.0 => "> 99 %".to_owned(),
        low if low < 1.0 => "< 1 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}

/// Whether a file is packed, as tables and JSON say it: empty if it is not, as far as can be seen.
pub fn packed_text(look: &Look) -> String {
    match look.views.as_ref().map(|views| &views.packed) {
        Some(Packed::Unpacked { method }) => format!("{method}, unpacked"),
        Some(Packed::Yes { reason }) => reason.clone(),
        Some(Packed::No) | None => String::new(),
    }
}

fn odds(probability: f32) -> f32 {
    (probability / (1.0 - probability).max(f32::MIN_POSITIVE)).min(MOST_ODDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_certain() {
        assert_eq!(
            [0.0, 0.004, 0.5, 0.993, 1.0].map(percent),
            ["< 1 %", "< 1 %", "50 %", "> 99 %", "> 99 %"]
        );
    }
}
