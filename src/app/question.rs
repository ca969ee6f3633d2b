//! A question in the middle of the window, and its answer: a path, a password or a label, each with its own
//! type.

use crate::library::ServerUrl;
use crate::sample::Sha256;
use crate::secret::Secret;
use std::path::{Path, PathBuf};

/// What a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Save the neighbours of the selected file.
    Neighbours,
    /// Save the neighbours of all dropped files.
    AllNeighbours,
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
            Self::Neighbours => "Export this file's neighbours as CSV",
            Self::AllNeighbours => "Export all files' neighbours as CSV",
            Self::Samples => "Export all samples as CSV",
            Self::Map => "Export the map as CSV",
            Self::Model => "Save the model",
            Self::Candidate(_) => "Save the repaired model",
            Self::ExperimentTable => "Save the experiment as CSV",
            Self::ExperimentChart => "Save the chart, as .png or .svg",
            Self::Library => "Open a library, or create one",
            Self::LoadModel => "Load a model into the library",
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
            Self::Neighbours | Self::AllNeighbours => "neighbours.csv",
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

    /// Whether a file is written, which may replace another.
    pub fn writes(self) -> bool {
        !matches!(self, Self::LoadModel | Self::Library)
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
        /// The dialog has asked whether to replace a file that is there.
        asked: bool,
    },
    /// Asks what to do with a file that exists where something is to be saved.
    Replace {
        /// What is to be saved.
        purpose: Purpose,
        /// The file.
        path: PathBuf,
        /// A path beside it that is free, if one was found.
        free: Option<PathBuf>,
    },
    /// Asks whether the window closes while work is done.
    Close {
        /// A training runs, which can go on later.
        training: bool,
    },
    /// Asks for another name for a label.
    Rename {
        /// The library that has the label.
        library: PathBuf,
        /// Its name.
        from: String,
        /// The new name as text.
        to: String,
    },
    /// Asks for a password of encrypted archives.
    Password(Secret),
    /// Asks for the URL of a team's library.
    Server {
        /// The URL as text.
        url: String,
        /// What a test of the connection found, of the URL that was tested.
        tested: Option<(String, Result<String, String>)>,
    },
    /// Asks for a label of samples.
    Label {
        /// The library that the samples are in, or are added to.
        library: PathBuf,
        /// The samples, or the dropped files.
        samples: Vec<Sha256>,
        /// The label as text.
        label: String,
        /// They are dropped files, to be added to the library.
        add: bool,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A path.
    Path(Purpose, PathBuf),
    /// A path whose file is to be replaced.
    Replace(Purpose, PathBuf),
    /// The window closes, and the training ends at its last checkpoint.
    Close,
    /// Another name for a label of a library.
    Rename(PathBuf, String, String),
    /// A password exactly as typed.
    Password(Secret),
    /// A label for samples of a library; `None` for none.
    Label(PathBuf, Vec<Sha256>, Option<String>),
    /// A label under which dropped files are added to a library; `None` for none.
    Add(PathBuf, Vec<Sha256>, Option<String>),
}

impl Question {
    /// A question for a path, with a suggestion in the user's home folder.
    pub fn path(purpose: Purpose) -> Self {
        let home = directories::UserDirs::new().map(|dirs| dirs.home_dir().to_owned()).unwrap_or_default();
        let path = home.join(purpose.suggestion()).to_string_lossy().into_owned();
        Self::Path { purpose, path, picked: None, asked: false }
    }

    /// A question for the URL of a team's library.
    pub fn server() -> Self {
        Self::Server { url: "postgresql://".to_owned(), tested: None }
    }

    /// The typed answer; `None` if it is incomplete.
    pub fn answer(&self) -> Option<Answer> {
        match self {
            Self::Path { path, .. } if path.trim().is_empty() => None,
            Self::Path { purpose, path, picked, asked } => {
                // What was typed after picking counts.
                let picked = picked.as_ref().filter(|picked| picked.to_string_lossy() == path.as_str());
                Some(match picked {
                    Some(picked) if *asked => Answer::Replace(*purpose, picked.clone()),
                    Some(picked) => Answer::Path(*purpose, picked.clone()),
                    None => Answer::Path(*purpose, PathBuf::from(path)),
                })
            }
            Self::Replace { purpose, path, .. } => Some(Answer::Replace(*purpose, path.clone())),
            Self::Close { .. } => Some(Answer::Close),
            Self::Rename { library, from, to } => {
                let to = to.trim();
                let renamed = !to.is_empty() && to != from;
                renamed.then(|| Answer::Rename(library.clone(), from.clone(), to.to_owned()))
            }
            Self::Server { url, .. } => {
                let url = url.trim();
                ServerUrl::is_one(url).then(|| Answer::Path(Purpose::Library, PathBuf::from(url)))
            }
            Self::Password(secret) if secret.is_empty() => None,
            Self::Password(secret) => Some(Answer::Password(secret.clone())),
            Self::Label { library, samples, label, add } => {
                let label = Some(label.trim()).filter(|label| !label.is_empty()).map(str::to_owned);
                let answer = if *add { Answer::Add } else { Answer::Label };
                Some(answer(library.clone(), samples.clone(), label))
            }
        }
    }

    /// The typed text, where text is typed.
    pub fn text(&mut self) -> Option<&mut String> {
        match self {
            Self::Path { path, .. } => Some(path),
            Self::Replace { .. } | Self::Close { .. } => None,
            Self::Rename { to, .. } => Some(to),
            Self::Server { url, .. } => Some(url),
            Self::Password(secret) => Some(secret.edit()),
            Self::Label { label, .. } => Some(label),
        }
    }
}

/// The same path with a number that makes it free: "neighbours-2.csv". `None` if none is.
pub fn free_name(path: &Path, taken: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let part = |part: Option<&std::ffi::OsStr>| {
        part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let (stem, extension) = (part(path.file_stem()), part(path.extension()));
    let name =
        |i: u32| if extension.is_empty() { format!("{stem}-{i}") } else { format!("{stem}-{i}.{extension}") };
    (2..1000).map(|i| path.with_file_name(name(i))).find(|free| !taken(free))
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
            let samples = vec![sha256];
            Question::Label { library: PathBuf::from("l"), samples, label: text.to_owned(), add: false }
                .answer()
        };
        assert_eq!(label("  "), Some(Answer::Label(PathBuf::from("l"), vec![sha256], None)));
        assert_eq!(
            label(" emotet "),
            Some(Answer::Label(PathBuf::from("l"), vec![sha256], Some("emotet".to_owned())))
        );
        let path = |path: &str, picked: Option<&str>| {
            let picked = picked.map(PathBuf::from);
            Question::Path { purpose: Purpose::Map, path: path.to_owned(), picked, asked: true }.answer()
        };
        assert_eq!(path(" ", None), None);
        assert_eq!(path("a ", None), Some(Answer::Path(Purpose::Map, PathBuf::from("a "))));
        assert_eq!(
            path("a", Some("a")),
            Some(Answer::Replace(Purpose::Map, PathBuf::from("a"))),
            "the dialog asked"
        );
        assert_eq!(path("b", Some("a")), Some(Answer::Path(Purpose::Map, PathBuf::from("b"))), "typed later");
    }
    #[test]
    fn a_free_name_counts_on() {
        let taken = |path: &Path| path.ends_with("a-2.csv");
        assert_eq!(free_name(Path::new("x/a.csv"), taken), Some(PathBuf::from("x/a-3.csv")));
        assert_eq!(free_name(Path::new("a"), |_| false), Some(PathBuf::from("a-2")));
    }
}
