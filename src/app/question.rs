//! A question in the middle of the window, and its answer: a path, a password or a label, each with its own
//! type.

use crate::sample::Sha256;
use crate::secret::Secret;
use std::path::PathBuf;

/// What a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Save the neighbour table.
    Neighbours,
    /// Save all samples.
    Samples,
    /// Save the map.
    Map,
    /// Save the model.
    Model,
    /// Save the repaired model with this hash.
    Candidate(Sha256),
    /// Save the table of the experiment.
    ExperimentTable,
    /// Save the chart of the experiment.
    ExperimentChart,
    /// Open or create a library.
    Library,
    /// Load a model.
    LoadModel,
}

impl Purpose {
    /// The title of the question.
    pub fn title(self) -> &'static str {
        match self {
            Self::Neighbours => "Save the neighbours as CSV",
            Self::Samples => "Save all samples as CSV",
            Self::Map => "Save the map as CSV",
            Self::Model => "Save the model",
            Self::Candidate(_) => "Save the repaired model",
            Self::ExperimentTable => "Save the experiment as CSV",
            Self::ExperimentChart => "Save the chart, as .png or .svg",
            Self::Library => "Open a library, or create one",
            Self::LoadModel => "Load a model for the open folder",
        }
    }

    /// The button that answers.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Library => "Open",
            Self::LoadModel => "Load",
            _ => "Save",
        }
    }

    /// The suggested file name.
    pub fn suggestion(self) -> &'static str {
        match self {
            Self::Neighbours => "neighbours.csv",
            Self::Samples => "samples.csv",
            Self::Map => "map.csv",
            Self::Model | Self::LoadModel => "model.safetensors",
            Self::Candidate(_) => "model-repaired.safetensors",
            Self::ExperimentTable => "batchnorm-experiment.csv",
            Self::ExperimentChart => "batchnorm-experiment.png",
            Self::Library => "library.lookalike",
        }
    }

    /// Whether the file is only read.
    pub fn reads(self) -> bool {
        self == Self::LoadModel
    }
}

/// A question with the text typed so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Asks for a path.
    Path {
        /// What the path is for.
        purpose: Purpose,
        /// The path as text.
        path: String,
        /// The path that a file dialog gave, which text may not be able to express.
        picked: Option<PathBuf>,
    },
    /// Asks for a password of encrypted archives.
    Password(Secret),
    /// Asks for a label of a sample.
    Label {
        /// The library that the sample is in.
        library: PathBuf,
        /// The sample.
        sha256: Sha256,
        /// The label as text.
        label: String,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A path.
    Path(Purpose, PathBuf),
    /// A password exactly as typed.
    Password(Secret),
    /// A label for a sample of a library; `None` for none.
    Label(PathBuf, Sha256, Option<String>),
}

impl Question {
    /// A question for a path, with a suggestion in the user's home folder.
    pub fn path(purpose: Purpose) -> Self {
        let home = directories::UserDirs::new().map(|dirs| dirs.home_dir().to_owned()).unwrap_or_default();
        let path = home.join(purpose.suggestion()).to_string_lossy().into_owned();
        Self::Path { purpose, path, picked: None }
    }

    /// The typed answer; `None` if it is incomplete.
    pub fn answer(&self) -> Option<Answer> {
        match self {
            Self::Path { path, .. } if path.trim().is_empty() => None,
            Self::Path { purpose, path, picked } => {
                // What was typed after picking counts.
                let picked = picked.as_ref().filter(|picked| picked.to_string_lossy() == path.as_str());
                Some(Answer::Path(*purpose, picked.cloned().unwrap_or_else(|| PathBuf::from(path))))
            }
            Self::Password(secret) if secret.is_empty() => None,
            Self::Password(secret) => Some(Answer::Password(secret.clone())),
            Self::Label { library, sha256, label } => {
                let label = Some(label.trim()).filter(|label| !label.is_empty());
                Some(Answer::Label(library.clone(), *sha256, label.map(str::to_owned)))
            }
        }
    }

    /// The typed text.
    pub fn text(&mut self) -> &mut String {
        match self {
            Self::Path { path, .. } => path,
            Self::Password(secret) => secret.edit(),
            Self::Label { label, .. } => label,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_keeps_its_spaces_and_is_not_printed() {
        let question = Question::Password(Secret::from(" infected "));
        let Some(Answer::Password(secret)) = question.answer() else { panic!("no answer") };
        assert_eq!(secret.reveal(), " infected ");
        assert!(!format!("{question:?} {:?}", question.answer()).contains("infected"));
        assert!(Question::Password(Secret::from(" ")).answer().is_some(), "a space is a password");
        assert_eq!(Question::Password(Secret::default()).answer(), None);
    }

    #[test]
    fn a_label_of_spaces_is_none_and_a_path_of_spaces_is_no_answer() {
        let sha256 = Sha256([1; 32]);
        let label = |text: &str| {
            Question::Label { library: PathBuf::from("l"), sha256, label: text.to_owned() }.answer()
        };
        assert_eq!(label("  "), Some(Answer::Label(PathBuf::from("l"), sha256, None)));
        assert_eq!(
            label(" emotet "),
            Some(Answer::Label(PathBuf::from("l"), sha256, Some("emotet".to_owned())))
        );
        let path = |path: &str, picked: Option<&str>| {
            let picked = picked.map(PathBuf::from);
            Question::Path { purpose: Purpose::Map, path: path.to_owned(), picked }.answer()
        };
        assert_eq!(path(" ", None), None);
        assert_eq!(path("a ", None), Some(Answer::Path(Purpose::Map, PathBuf::from("a "))));
        assert_eq!(path("b", Some("a")), Some(Answer::Path(Purpose::Map, PathBuf::from("b"))), "typed later");
    }
}
