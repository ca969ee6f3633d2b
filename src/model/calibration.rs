//! Calibration: from the cosines of several views to the probability that two files are of one family.
//!
//! The log-odds are a sum over the views. Each view adds a rising function of its cosine, or a constant if it abstains, so
//! that the view that has something to go by decides and a higher cosine never lowers the probability.

use crate::view::{FileViews, Terms};
use serde::{Deserialize, Serialize};

/// Views that are compared.
pub const VIEWS: usize = 5;
/// Those of a file as bytes, which come first.
const OF_BYTES: usize = 3;
/// Rising functions that a view's function is a sum of: logarithms, steep where cosines are small, with these scales…
const SCALES: [f32; 3] = [0.003, 0.01, 0.1];
/// … and hinges, which are zero up to these cosines.
const HINGES: [f32; 5] = [0.0, 0.2, 0.4, 0.6, 0.8];
/// The number of rising functions.
pub const RISING: usize = SCALES.len() + HINGES.len();

/// The cosines of two files, by view; `None` where a view abstains for one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cosines {
    /// Of their text.
    pub text: Option<f32>,
    /// Of the embeddings of their code.
    pub code: Option<f32>,
    /// Of what their headers name.
    pub header: Option<f32>,
    /// Of the embeddings of two images.
    pub image: Option<f32>,
    /// Of their perceptual hashes.
    pub hash: Option<f32>,
}

impl Cosines {
    /// Of two files: what the views see of them, and the cosine of the embeddings of their code. That of the code is the mean of
    /// those of embeddings and byte pairs; of images, which have no code, the embeddings are compared alone.
    pub fn of(a: &FileViews, b: &FileViews, embeddings: f32) -> Self {
        let both = |a: &Option<Terms>, b: &Option<Terms>| Some(a.as_ref()?.cosine(b.as_ref()?));
        Self::with_terms(a, b, embeddings, [both(&a.text, &b.text), both(&a.header, &b.header)])
    }

    /// The same with those of text and header given.
    pub fn with_terms(a: &FileViews, b: &FileViews, embeddings: f32, terms: [Option<f32>; 2]) -> Self {
        let [text, header] = terms;
        let code = match (&a.code, &b.code) {
            (Some(one), Some(other)) if a.architecture == b.architecture => {
                Some(f32::midpoint(embeddings, one.cosine(other)))
            }
            _ => None,
        };
        let (image, hash) = match (&a.hash, &b.hash) {
            (Some(one), Some(other)) => (Some(embeddings), Some(one.cosine(other))),
            _ => (None, None),
        };
        Self { text, code, header, image, hash }
    }

    /// From those of all views, in the order of the calibration.
    pub fn from_views([text, code, header, image, hash]: [Option<f32>; VIEWS]) -> Self {
        Self { text, code, header, image, hash }
    }

    /// For people: the views that could see these two files, by name. Images are compared by two of their own.
    pub fn by_name(&self) -> Vec<(&'static str, Option<f32>)> {
        let names = ["text", "code", "header", "picture", "hash"];
        let all = names.into_iter().zip(self.all());
        if self.image.is_some() || self.hash.is_some() {
            all.skip(OF_BYTES).collect()
        } else {
            all.take(OF_BYTES).collect()
        }
    }

    /// In the order of the calibration.
    pub fn all(&self) -> [Option<f32>; VIEWS] {
        [self.text, self.code, self.header, self.image, self.hash]
    }
}

/// The function of one view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ViewWeights {
    /// What each rising function is multiplied by; not negative.
    pub slopes: [f32; RISING],
    /// The log-odds if the view abstains.
    pub abstains: f32,
}

impl ViewWeights {
    /// The rising functions of a cosine.
    pub fn rising(cosine: f32) -> [f32; RISING] {
        let mut out = [0.0; RISING];
        let (logarithms, hinges) = out.split_at_mut(SCALES.len());
        let positive = cosine.max(0.0);
        for (out, scale) in logarithms.iter_mut().zip(SCALES) {
            *out = (positive / scale).ln_1p() / (1.0 / scale).ln_1p();
        }
        for (out, hinge) in hinges.iter_mut().zip(HINGES) {
            *out = (cosine - hinge).max(0.0);
        }
        out
    }

    /// How much the log-odds rise with a cosine, on average from files that are a little alike to equal ones: what the view weighs
    /// where all views are taken for straight lines.
    pub fn slope(&self) -> f32 {
        const LITTLE: f32 = 0.05;
        (self.log_odds(Some(1.0)) - self.log_odds(Some(LITTLE))) / (1.0 - LITTLE)
    }

    /// What this view adds to the log-odds: it does not fall as the cosine rises, and is constant below 0.
    pub fn log_odds(&self, cosine: Option<f32>) -> f32 {
        match cosine {
            None => self.abstains,
            Some(cosine) => self.slopes.iter().zip(Self::rising(cosine)).map(|(slope, x)| slope * x).sum(),
        }
    }
}

/// How probabilities are computed from cosines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// By view, in the order of [`Cosines::all`].
    #[serde(with = "by_view")]
    pub views: [ViewWeights; VIEWS],
    /// The log-odds of two files that have nothing in common.
    pub bias: f32,
    /// A file whose nearest sample is less probable than this to be of its family is unlike all of them. 2 % of the files of
    /// known families are.
    #[serde(default)]
    pub unlike_below: f32,
}

/// Files have the views up to the last one that counts, and at least those of bytes: that is what earlier versions write and read.
mod by_view {
    use super::{OF_BYTES, VIEWS, ViewWeights};
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(views: &[ViewWeights; VIEWS], to: S) -> Result<S::Ok, S::Error> {
        let counts = |view: &ViewWeights| *view != ViewWeights::default();
        let used = views.iter().rposition(counts).map_or(0, |last| last + 1).max(OF_BYTES);
        views[..used].serialize(to)
    }

    pub fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<[ViewWeights; VIEWS], D::Error> {
        let read = Vec::<ViewWeights>::deserialize(from)?;
        if !(OF_BYTES..=VIEWS).contains(&read.len()) {
            return Err(D::Error::invalid_length(read.len(), &"the weights of three to five views"));
        }
        let mut views = [ViewWeights::default(); VIEWS];
        views.iter_mut().zip(read).for_each(|(view, read)| *view = read);
        Ok(views)
    }
}

impl Calibration {
    /// The log-odds that two files are of one family; `None` if every view abstains.
    pub fn log_odds(&self, cosines: &Cosines) -> Option<f32> {
        let all = cosines.all();
        all.iter().any(Option::is_some).then(|| {
            let sum: f32 = self.views.iter().zip(all).map(|(view, cosine)| view.log_odds(cosine)).sum();
            self.bias + sum
        })
    }

    /// The probability that two files are of one family, 0 to 1; `None` if every view abstains.
    pub fn probability(&self, cosines: &Cosines) -> Option<f32> {
        self.log_odds(cosines).map(|log_odds| 1.0 / (1.0 + (-log_odds).exp()))
    }

    /// Whether all numbers are finite and no slope is negative.
    pub fn is_valid(&self) -> bool {
        let valid = |view: &ViewWeights| {
            view.abstains.is_finite() && view.slopes.iter().all(|slope| slope.is_finite() && *slope >= 0.0)
        };
        self.bias.is_finite() && self.unlike_below.is_finite() && self.views.iter().all(valid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> Calibration {
        let view = |slope| ViewWeights { slopes: [slope; RISING], abstains: -0.5 };
        let none = ViewWeights::default();
        let views = [view(4.0), view(1.0), view(2.0), none, none];
        Calibration { views, bias: -3.0, unlike_below: 0.1 }
    }

    #[test]
    fn files_of_programs_without_views_of_images_are_read_and_written() {
        let bytes = calibration();
        let json = serde_json::to_value(bytes).unwrap();
        assert_eq!(json["views"].as_array().unwrap().len(), 3);
        assert_eq!(serde_json::from_value::<Calibration>(json).unwrap(), bytes);
        let mut images = bytes;
        images.views[3].slopes[0] = 1.0;
        let json = serde_json::to_string(&images).unwrap();
        assert_eq!(serde_json::from_str::<Calibration>(&json).unwrap(), images);
        assert!(serde_json::from_str::<Calibration>(r#"{"views":[],"bias":0.0}"#).is_err());
    }

    #[test]
    fn a_higher_cosine_never_lowers_the_probability() {
        let calibration = calibration();
        assert!(calibration.is_valid());
        let of = |text, code| {
            calibration
                .log_odds(&Cosines { text: Some(text), code: Some(code), ..Cosines::default() })
                .unwrap()
        };
        let steps = (0..=100).map(|step| step as f32 / 100.0);
        assert!(steps.clone().is_sorted_by(|a, b| of(*a, 0.3) < of(*b, 0.3)));
        assert!(steps.is_sorted_by(|a, b| of(0.3, *a) <= of(0.3, *b)));
        assert!(of(0.0, -1.0) < -3.0 && of(1.0, 1.0) > 3.0);
    }

    #[test]
    fn what_abstains_counts_as_that_and_nothing_at_all_has_no_probability() {
        let calibration = calibration();
        assert_eq!(calibration.probability(&Cosines::default()), None);
        let header = Cosines { header: Some(0.0), ..Cosines::default() };
        assert_eq!(calibration.log_odds(&header), Some(-4.0));
        let broken = Calibration { bias: f32::NAN, ..calibration };
        assert!(!broken.is_valid());
    }
}
