//! The commands of the window. A command owns its text, its hint, its key and whether it is available: buttons,
//! menus, tooltips, the list of keys and the tests read them here. Panels only collect commands; the app
//! executes them after the frame is drawn.

use super::about::About;
use super::facts::Facts;
use super::jobs::JobId;
use super::lab_command::LabCommand;
use super::question::{Answer, Purpose};
use super::selection::Selection;
use super::view::Tab;
use crate::sample::Sha256;
use crate::workflow::MapMethod;
use egui::{Key, Modifiers};
use std::path::PathBuf;

/// An action that the user requests.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Open paths: files to query, labelled folders, libraries, models.
    Open(Vec<PathBuf>),
    /// Choose a labelled folder.
    OpenFolder,
    /// Choose files to query.
    OpenFiles,
    /// Enter a password for encrypted archives.
    EnterPassword,
    /// Open archives that are appended to programs, or no longer.
    UnpackAppended(bool),
    /// Open or create a library.
    OpenLibrary,
    /// Load a model for the open folder.
    LoadModel,
    /// Read the samples of the library again with the base model.
    ReadAgain,
    /// Save something to a file.
    Save(Purpose),
    /// Answer the open question.
    Answer(Answer),
    /// Choose the path of the open question with the system's dialog.
    Browse,
    /// Open the bundled samples.
    Demo {
        /// Images of digits instead of executables.
        digits: bool,
    },
    /// Train on the open folder.
    Train,
    /// Add the open folder to the library.
    Index,
    /// Compute the map.
    ComputeMap(MapMethod),
    /// Show the whole map.
    FitMap,
    /// Ask for a new label for a sample.
    Label(Sha256),
    /// Undo the latest label given in this window.
    UndoLabel,
    /// Select a sample, or nothing.
    Select(Option<Selection>),
    /// Mark a sample on the map and bring it into view.
    Jump(Selection),
    /// Mark the next neighbour.
    NextNeighbour,
    /// Mark the previous neighbour.
    PreviousNeighbour,
    /// List this many neighbours.
    Neighbours(usize),
    /// Remove a queried sample from the list.
    Forget(Sha256),
    /// Close the question, or clear the mark and the focus.
    Escape,
    /// Show a tab.
    ShowTab(Tab),
    /// Show or hide the list of keyboard shortcuts.
    Keys,
    /// Cancel a job.
    Cancel(JobId),
    /// Clear the messages and the skipped files.
    ClearMessages,
    /// An action in the batch-norm lab.
    Lab(LabCommand),
}

impl Command {
    /// The commands that have a key, those with more modifiers first: their keys contain the shorter ones.
    pub fn with_keys() -> [Self; 11] {
        [
            Self::OpenFolder,
            Self::OpenFiles,
            Self::Save(Purpose::Neighbours),
            Self::UndoLabel,
            Self::ShowTab(Tab::Map),
            Self::ShowTab(Tab::Training),
            Self::ShowTab(Tab::BatchNorm),
            Self::NextNeighbour,
            Self::PreviousNeighbour,
            Self::Escape,
            Self::Keys,
        ]
    }

    /// Text, hint and key.
    pub fn about(&self) -> About {
        const COMMAND: Modifiers = Modifiers::COMMAND;
        match self {
            Self::Open(_) => {
                About::new("Open path", "Queries files, or opens a labelled folder, a library or a model")
            }
            Self::OpenFolder => About::new("Open folder…", "Opens a labelled folder: FOLDER/<label>/<files>")
                .key_while_typing(COMMAND.plus(Modifiers::SHIFT), Key::O),
            Self::OpenFiles => About::new("Open files…", "Queries files").key_while_typing(COMMAND, Key::O),
            Self::EnterPassword => About::new("Password…", "Adds a password for encrypted archives"),
            Self::UnpackAppended(_) => About::new(
                "Unpack appended",
                "Also opens archives that are appended to programs, documents and images, as in self-extracting archives. \
                 The file stays a sample; a member is named file!member",
            ),
            Self::OpenLibrary => About::new(
                "Open or create a library…",
                "A library is one file with samples, labels, embeddings and the model",
            ),
            Self::LoadModel => About::new(
                "Load a model…",
                "Embeds the open folder with it and adds the folder to the library",
            ),
            Self::ReadAgain => About::new(
                "Read samples again",
                "Reads the files of all samples again with the base model, which compares text, code and header. Labels stay",
            ),
            Self::Save(purpose) => save_about(*purpose),
            Self::Answer(_) => About::new("OK", "Answers the question"),
            Self::Browse => About::new("Browse…", "Opens the system's file dialog"),
            Self::Demo { digits: false } => {
                About::new("Try real executables", "102 Windows modules from 13 PyPI packages")
            }
            Self::Demo { digits: true } => {
                About::new("Try handwritten digits", "Images of the UCI digits, 8×8 pixels")
            }
            Self::Train => About::new("Train", "Trains on the open folder, then adds it to the library"),
            Self::Index => About::new(
                "Add folder to the library",
                "Embeds the open folder with the library's model, without training",
            ),
            Self::ComputeMap(MapMethod::Umap) => {
                About::new("UMAP", "Neighbours stay together; distances across the map mean little")
            }
            Self::ComputeMap(MapMethod::Pca) => {
                About::new("PCA", "The two directions in which the embeddings differ most; computed at once")
            }
            Self::FitMap => About::new("Show all", "Shows the whole map, as a double click on it does"),
            Self::Label(_) => About::new("Label…", "Changes or removes the sample's label"),
            Self::UndoLabel => {
                About::new("Undo label", "Undoes the latest label given in this window").key(COMMAND, Key::Z)
            }
            Self::Select(_) => About::new("Select", "Shows the sample and its neighbours"),
            Self::Jump(_) => About::new("Show on the map", "Marks the sample and brings it into view"),
            Self::NextNeighbour => {
                About::new("Next neighbour", "Marks it on the map").key(Modifiers::NONE, Key::ArrowDown)
            }
            Self::PreviousNeighbour => {
                About::new("Previous neighbour", "Marks it on the map").key(Modifiers::NONE, Key::ArrowUp)
            }
            Self::Neighbours(_) => About::new("Neighbours", "Number of neighbours listed"),
            Self::Forget(_) => About::new("Remove", "Removes this file from the list"),
            Self::Escape => {
                About::new("Close or clear", "Closes the question, or clears the mark and the focus")
                    .key(Modifiers::NONE, Key::Escape)
            }
            Self::ShowTab(Tab::Map) => {
                About::new("Map", "All samples in two dimensions").key_while_typing(COMMAND, Key::Num1)
            }
            Self::ShowTab(Tab::Training) => About::new("Training", "Trains a model and shows its curves")
                .key_while_typing(COMMAND, Key::Num2),
            Self::ShowTab(Tab::BatchNorm) => About::new(
                "Batch norm",
                "Compares train mode and eval mode, explains the difference and repairs it",
            )
            .key_while_typing(COMMAND, Key::Num3),
            Self::Keys => About::new("Keyboard shortcuts", "Lists all of them")
                .key_while_typing(Modifiers::NONE, Key::F1),
            Self::Cancel(_) => About::new("Cancel", "Stops the job; a training keeps its best model so far"),
            Self::ClearMessages => About::new("Clear", "Clears the messages and the skipped files"),
            Self::Lab(command) => command.about(),
        }
    }

    /// Why the command is not available; `None` if it is.
    pub fn obstacle(&self, facts: &Facts) -> Option<&'static str> {
        let unless = |possible: bool, why: &'static str| (!possible).then_some(why);
        match self {
            Self::LoadModel => unless(facts.folder_labels.is_some(), "Open the labelled folder first"),
            Self::Save(purpose) => match purpose {
                Purpose::Neighbours => unless(facts.neighbours, "No neighbours are listed"),
                Purpose::Samples => unless(facts.samples, "The library has no samples"),
                Purpose::Map => unless(facts.map, "The library has no map"),
                Purpose::Model => unless(facts.model, "The library has no model"),
                Purpose::ExperimentTable | Purpose::ExperimentChart => {
                    unless(facts.lab.rows, "Run the experiment first")
                }
                Purpose::Candidate(_) | Purpose::Library | Purpose::LoadModel => None,
            },
            Self::Demo { .. } => unless(!facts.busy, "A job is running"),
            Self::Train => facts.training_obstacle().or_else(|| facts.write_obstacle()),
            Self::Index => {
                let ready = facts.folder_labels.is_some_and(|labels| labels > 0) && facts.model;
                unless(ready, "Needs an open folder and a library with a model")
                    .or_else(|| unless(!facts.training, "A training is running"))
                    .or_else(|| facts.write_obstacle())
            }
            Self::ReadAgain => {
                unless(facts.can_gain, "The samples are compared by the base model's views already")
                    .or_else(|| unless(!facts.busy, "A job is running"))
                    .or_else(|| facts.write_obstacle())
            }
            Self::Label(_) => facts.write_obstacle(),
            Self::UndoLabel => unless(facts.label_edits, "No label was given in this window"),
            Self::NextNeighbour | Self::PreviousNeighbour => {
                unless(facts.neighbours, "No neighbours are listed")
            }
            Self::Browse => unless(facts.question, "No question is open"),
            Self::ComputeMap(_) => unless(facts.samples, "The library has no samples"),
            Self::Lab(command) => command.obstacle(facts),
            Self::Open(_)
            | Self::OpenFolder
            | Self::OpenFiles
            | Self::EnterPassword
            | Self::UnpackAppended(_)
            | Self::OpenLibrary
            | Self::Answer(_)
            | Self::FitMap
            | Self::Select(_)
            | Self::Jump(_)
            | Self::Neighbours(_)
            | Self::Forget(_)
            | Self::Escape
            | Self::ShowTab(_)
            | Self::Keys
            | Self::Cancel(_)
            | Self::ClearMessages => None,
        }
    }
}

/// Text, hint and key of the commands that save.
fn save_about(purpose: Purpose) -> About {
    match purpose {
        Purpose::Neighbours => About::new(
            "Save as CSV…",
            "Saves the neighbours of all queried files, or of the selected library sample",
        )
        .key_while_typing(Modifiers::COMMAND, Key::S),
        Purpose::Samples => {
            About::new("Save all samples as CSV…", "Saves a row for each sample of the library")
        }
        Purpose::Map => About::new("Save the map as CSV…", "Saves SHA-256, label, x and y of each sample"),
        Purpose::Model => About::new("Save the model…", "Saves the library's model as a safetensors file"),
        Purpose::Candidate(_) => {
            About::new("Save…", "Saves the repaired model; its metadata records the repair")
        }
        Purpose::ExperimentTable => {
            About::new("Save the table as CSV…", "Saves a row for each policy and step")
        }
        Purpose::ExperimentChart => About::new("Save the chart…", "Saves the chart as PNG or SVG"),
        Purpose::Library | Purpose::LoadModel => About::new(purpose.title(), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::KeyboardShortcut;

    #[test]
    fn each_key_has_one_command_and_longer_keys_come_first() {
        let keys: Vec<KeyboardShortcut> = Command::with_keys()
            .iter()
            .map(|command| command.about().key.expect("listed without a key").keys)
            .collect();
        for (i, key) in keys.iter().enumerate() {
            for other in &keys[..i] {
                assert_ne!(key, other);
                let contains =
                    key.logical_key == other.logical_key && key.modifiers.contains(other.modifiers);
                assert!(!contains, "{other:?} takes the events of {key:?}");
            }
        }
    }

    #[test]
    fn every_command_has_a_text_and_a_hint() {
        let sha256 = Sha256([0; 32]);
        for command in Command::with_keys().into_iter().chain([
            Command::Open(Vec::new()),
            Command::Label(sha256),
            Command::Save(Purpose::Candidate(sha256)),
            Command::Lab(LabCommand::Measure),
        ]) {
            let about = command.about();
            assert!(!about.text.is_empty() && !about.hint.is_empty(), "{command:?}");
            assert!(
                !about.hint.contains("Ctrl"),
                "keys are written as the system writes them: {}",
                about.hint
            );
        }
    }

    #[test]
    fn nothing_open_makes_most_commands_unavailable() {
        let facts = Facts::default();
        for command in [Command::Train, Command::Index, Command::UndoLabel, Command::Save(Purpose::Model)] {
            assert!(command.obstacle(&facts).is_some(), "{command:?}");
        }
        assert_eq!(Command::OpenFiles.obstacle(&facts), None);
        let facts = Facts { folder_labels: Some(2), ..Facts::default() };
        assert_eq!(Command::Train.obstacle(&facts), None);
    }
}
