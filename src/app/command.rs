//! The commands of the window. A command owns its text, its hint, its key and whether it is available: buttons,
//! menus, tooltips, the list of keys and the tests read them here. Panels only collect commands; the app
//! executes them after the frame is drawn.

use super::about::{About, Shortcut};
use super::dialog::Dialog;
use super::facts::Facts;
use super::focus::Filter;
use super::jobs::JobId;
use super::lab_command::LabCommand;
use super::question::{Answer, Purpose};
use super::selection::Selection;
use super::view::{Side, Tab, ThemeChoice};
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
    /// Open a team's library by its URL.
    OpenServer,
    /// Keep a copy of the open team's library on this machine.
    KeepCopy,
    /// Remove that copy.
    ForgetCopy,
    /// Test the connection to a team's library.
    TestServer(String),
    /// Load a model for the open folder.
    LoadModel,
    /// Read the samples of the library again with the base model.
    ReadAgain,
    /// Save something to a file.
    Save(Purpose),
    /// Answer the open question.
    Answer(Answer),
    /// Show a folder in the window's own browser.
    BrowseTo(PathBuf),
    /// Choose a path in it.
    Browsed(PathBuf),
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
    /// Spread a large map so that its points can be told apart.
    SpreadMap,
    /// Draw the map as projected, or spread.
    ExactPlaces(bool),
    /// Show the whole map.
    FitMap,
    /// Ask for a new label for a sample.
    Label(Sha256),
    /// Ask for a new label for the selected sample, or for the dropped file that is selected.
    LabelSelected,
    /// Ask for a label under which dropped files are added to the library.
    AskToAdd(Vec<Sha256>),
    /// Add dropped files to the library, with this label.
    AddQueried(Vec<Sha256>, Option<String>),
    /// Undo the latest edit made in this window.
    Undo,
    /// Redo the edit undone last in this window.
    Redo,
    /// Undo an edit of the history.
    UndoEdit(i64),
    /// Redo an edit of the history.
    RedoEdit(i64),
    /// Ask for another name for a label; that of the label in focus if none is given.
    RenameLabel(Option<String>),
    /// Remove samples from the library; the selected one if none is given.
    RemoveSamples(Vec<Sha256>),
    /// Use another model of the library.
    UseModel(Sha256),
    /// Keep the library's model when another one is offered.
    KeepModel,
    /// Go on with the training that was interrupted.
    ResumeTraining,
    /// Do not go on with it.
    DiscardTraining,
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
    /// Select the next dropped file.
    NextFile,
    /// Select the previous dropped file.
    PreviousFile,
    /// Remove a dropped file from the list.
    Forget(Sha256),
    /// Remove the selected dropped file from the list.
    ForgetSelected,
    /// Remove all dropped files from the list.
    ForgetAll,
    /// Copy the SHA-256 of the selected file.
    CopyHash,
    /// Close the question, or clear the mark and the focus.
    Escape,
    /// Show a tab.
    ShowTab(Tab),
    /// Search names, labels, hashes and commands.
    Search,
    /// Put the caret into the filter of the list that is shown.
    Filter,
    /// Find the samples of a large library that match a filter.
    FilterSamples(Filter),
    /// Find the samples of a large library that the open search is for.
    FindSamples(String),
    /// Open a dialog.
    Dialog(Dialog),
    /// Show or hide a side panel.
    TogglePanel(Side),
    /// Exchange the side panels.
    SwapPanels,
    /// Panels as they were at first.
    ResetPanels,
    /// Dark, light, or as the system.
    Theme(ThemeChoice),
    /// Zoom the map in.
    ZoomIn,
    /// Zoom the map out.
    ZoomOut,
    /// Name labels on the map, or no longer.
    MapNames(bool),
    /// Close the window.
    Quit,
    /// Cancel a job.
    Cancel(JobId),
    /// Clear the messages and the skipped files.
    ClearMessages,
    /// An action in the batch-norm lab.
    Lab(LabCommand),
}

impl Command {
    /// The commands that stand for themselves: those of the menus, which the search finds.
    pub fn all() -> Vec<Self> {
        let mut all = vec![
            Self::OpenFiles,
            Self::OpenFolder,
            Self::OpenLibrary,
            Self::OpenServer,
            Self::KeepCopy,
            Self::ForgetCopy,
            Self::EnterPassword,
            Self::Save(Purpose::Neighbours),
            Self::Save(Purpose::AllNeighbours),
            Self::Save(Purpose::Samples),
            Self::Save(Purpose::Map),
            Self::Demo { digits: false },
            Self::Demo { digits: true },
            Self::Undo,
            Self::Redo,
            Self::Dialog(Dialog::History),
            Self::LabelSelected,
            Self::RenameLabel(None),
            Self::RemoveSamples(Vec::new()),
            Self::CopyHash,
            Self::ForgetSelected,
            Self::ForgetAll,
            Self::NextFile,
            Self::PreviousFile,
            Self::NextNeighbour,
            Self::PreviousNeighbour,
            Self::Search,
            Self::Filter,
            Self::Dialog(Dialog::Settings),
            Self::ShowTab(Tab::Map),
            Self::ShowTab(Tab::Files),
            Self::ShowTab(Tab::Training),
            Self::ShowTab(Tab::BatchNorm),
            Self::TogglePanel(Side::Left),
            Self::TogglePanel(Side::Right),
            Self::SwapPanels,
            Self::ResetPanels,
            Self::ComputeMap(MapMethod::Umap),
            Self::ComputeMap(MapMethod::Pca),
            Self::FitMap,
            Self::ZoomIn,
            Self::ZoomOut,
            Self::Dialog(Dialog::Models),
            Self::Train,
            Self::Index,
            Self::LoadModel,
            Self::Save(Purpose::Model),
            Self::ReadAgain,
            Self::Dialog(Dialog::Keys),
            Self::Dialog(Dialog::About),
            Self::Escape,
            Self::Quit,
        ];
        all.extend([ThemeChoice::System, ThemeChoice::Dark, ThemeChoice::Light].map(Self::Theme));
        all
    }

    /// The keys and their commands, those with more modifiers first: they contain the shorter ones.
    pub fn keys() -> Vec<(Shortcut, Self)> {
        let mut keys: Vec<(Shortcut, Self)> = Self::all()
            .into_iter()
            .filter_map(|command| Some((command.about().key?, command)))
            .chain([
                (Shortcut::always(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::P), Self::Search),
                (Shortcut::new(Modifiers::NONE, Key::Questionmark), Self::Dialog(Dialog::Keys)),
                (Shortcut::new(Modifiers::COMMAND, Key::Equals), Self::ZoomIn),
                (Shortcut::new(Modifiers::COMMAND, Key::Y), Self::Redo),
            ])
            .collect();
        let modifiers = |key: &Shortcut| {
            let held = key.keys.modifiers;
            u8::from(held.command) + u8::from(held.shift) + u8::from(held.alt)
        };
        keys.sort_by_key(|(key, _)| std::cmp::Reverse(modifiers(key)));
        keys
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
            Self::OpenFiles => About::new("Open files…", "Compares files with the library; none is run")
                .key_while_typing(COMMAND, Key::O),
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
            Self::OpenServer => About::new(
                "Open a team's library…",
                "A library in a PostgreSQL database, which several analysts use at once",
            ),
            Self::KeepCopy => About::new(
                "Keep a copy on this machine",
                "A copy of the team's library answers while the server cannot be reached, and keeps what is changed meanwhile until it is \
                 sent. It is refreshed whenever the library is opened",
            ),
            Self::ForgetCopy => About::new(
                "Remove the copy",
                "Removes the copy of the team's library from this machine, unless something in it waits to be sent",
            ),
            Self::TestServer(_) => {
                About::new("Test the connection", "Connects and says what is there; nothing is changed")
            }
            Self::LoadModel => About::new(
                "Load a model…",
                "Keeps it in the library, embeds the open folder with it, and offers to use it",
            ),
            Self::ReadAgain => About::new(
                "Read samples again",
                "Reads the files of all samples again with the base model, which compares text, code and header. Labels stay",
            ),
            Self::Save(purpose) => save_about(*purpose),
            Self::Answer(_) => About::new("OK", "Answers the question"),
            Self::BrowseTo(_) => About::new("Open", "Shows the folder"),
            Self::Browsed(_) => About::new("Choose", "Chooses the path"),
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
            Self::FitMap => About::new("Show all", "Shows the whole map, as a double click on it does")
                .key(COMMAND, Key::Num0),
            Self::Label(_) => About::new("Label…", "Changes or removes the sample's label"),
            Self::Undo => {
                About::new("Undo", "Takes back the latest change of the library made in this window")
                    .key(COMMAND, Key::Z)
            }
            Self::Redo => About::new("Redo", "Makes the change again that was undone last in this window")
                .key(COMMAND.plus(Modifiers::SHIFT), Key::Z),
            Self::UndoEdit(_) => {
                About::new("Undo", "Takes this change back; what was changed since is left alone")
            }
            Self::RedoEdit(_) => About::new("Redo", "Makes this change again"),
            Self::RenameLabel(_) => About::new(
                "Rename label…",
                "Gives the label in focus another name; the name of another label merges them",
            ),
            Self::RemoveSamples(_) => About::new(
                "Remove from the library",
                "Removes the sample from the library; its file stays. Can be undone",
            ),
            Self::UseModel(_) => About::new(
                "Use it for this library",
                "Reads the samples again that it has not embedded, then answers with it; the former model stays in the list",
            ),
            Self::ResumeTraining => {
                About::new("Go on", "Opens the folder of the training and goes on from its last checkpoint")
            }
            Self::DiscardTraining => About::new(
                "Not now",
                "Leaves it; a training on the same folder with the same settings goes on from there",
            ),
            Self::KeepModel => {
                About::new("Keep the present model", "The new model stays in the list of models")
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
            Self::LabelSelected => About::new(
                "Label…",
                "Gives the selected file a label; a dropped file is added to the library with it",
            )
            .key_while_typing(COMMAND, Key::L),
            Self::AskToAdd(_) => {
                About::new("Add to the library as…", "Adds the files to the library, with a label or without")
            }
            Self::AddQueried(..) => {
                About::new("Add to the library", "Adds the file to the library with this label")
            }
            Self::NextFile => {
                About::new("Next file", "Selects the next dropped file").key(Modifiers::ALT, Key::ArrowRight)
            }
            Self::PreviousFile => About::new("Previous file", "Selects the previous dropped file")
                .key(Modifiers::ALT, Key::ArrowLeft),
            Self::Forget(_) => About::new("Remove", "Removes this file from the list; the file itself stays"),
            Self::ForgetSelected => About::new(
                "Remove from the list",
                "Removes the selected dropped file from the list; the file itself stays",
            )
            .key(Modifiers::NONE, Key::Delete),
            Self::ForgetAll => About::new(
                "Clear dropped files",
                "Removes all dropped files from the list; the files themselves stay",
            ),
            Self::CopyHash => About::new("Copy SHA-256", "Copies the SHA-256 of the selected file"),
            Self::Search => About::new("Search…", "Finds samples by name, label or hash, and commands")
                .key_while_typing(COMMAND, Key::K),
            Self::Filter => {
                About::new("Filter", "Filters the list that is shown").key_while_typing(COMMAND, Key::F)
            }
            Self::FilterSamples(_) => About::new("Filter samples", "Finds the samples that match the filter"),
            Self::FindSamples(_) => About::new("Find samples", "Finds the samples that the search is for"),
            Self::Dialog(dialog) => dialog.about(),
            Self::TogglePanel(Side::Left) => {
                About::new("Files and labels panel", "Shows or hides the panel of dropped files and labels")
                    .key_while_typing(COMMAND, Key::B)
            }
            Self::TogglePanel(Side::Right) => {
                About::new("Answer panel", "Shows or hides the panel of the selected file")
                    .key_while_typing(COMMAND.plus(Modifiers::ALT), Key::B)
            }
            Self::SwapPanels => About::new("Exchange the panels", "Moves each side panel to the other side"),
            Self::ResetPanels => {
                About::new("Panels as at first", "Shows both panels again, in their first places and widths")
                    .key_while_typing(COMMAND.plus(Modifiers::SHIFT), Key::Num0)
            }
            Self::Theme(ThemeChoice::System) => {
                About::new("Colours of the system", "Dark or light, as the system is")
            }
            Self::Theme(ThemeChoice::Dark) => About::new("Dark colours", "Always dark"),
            Self::Theme(ThemeChoice::Light) => About::new("Light colours", "Always light"),
            Self::ZoomIn => About::new("Zoom in", "Enlarges the middle of the map").key(COMMAND, Key::Plus),
            Self::ZoomOut => About::new("Zoom out", "Shows more of the map").key(COMMAND, Key::Minus),
            Self::SpreadMap => {
                About::new("Spread the map", "Spreads the map so that its points can be told apart")
            }
            Self::ExactPlaces(_) => About::new(
                "Exact places",
                "Draws samples where the projection places them, without spreading them so that they can be told apart",
            ),
            Self::MapNames(_) => {
                About::new("Names", "Writes the name of each label where its samples are densest")
            }
            Self::Quit => About::new("Quit", "Closes the window").key_while_typing(COMMAND, Key::Q),
            Self::Escape => About::new(
                "Close or deselect",
                "Closes what is open; then clears the mark, the focus on a label and the selection",
            )
            .key(Modifiers::NONE, Key::Escape),
            Self::ShowTab(Tab::Map) => {
                About::new("Map", "All samples in two dimensions").key_while_typing(COMMAND, Key::Num1)
            }
            Self::ShowTab(Tab::Files) => {
                About::new("Files", "The dropped files as a table").key_while_typing(COMMAND, Key::Num2)
            }
            Self::ShowTab(Tab::Training) => About::new("Training", "Trains a model and shows its curves")
                .key_while_typing(COMMAND, Key::Num3),
            Self::ShowTab(Tab::BatchNorm) => About::new(
                "Batch-norm lab",
                "Compares train mode and eval mode, explains the difference and repairs it",
            )
            .key_while_typing(COMMAND, Key::Num4),
            Self::Cancel(_) => About::new(
                "Stop",
                "Stops the job; a training keeps its best model so far, a map the places it has",
            ),
            Self::ClearMessages => About::new("Clear", "Clears the messages and the skipped files"),
            Self::Lab(command) => command.about(),
        }
    }

    /// Why the command is not available; `None` if it is.
    pub fn obstacle(&self, facts: &Facts) -> Option<&'static str> {
        let unless = |possible: bool, why: &'static str| (!possible).then_some(why);
        match self {
            Self::Save(purpose) => match purpose {
                Purpose::Neighbours => unless(facts.neighbours, "No neighbours are listed"),
                Purpose::AllNeighbours => unless(facts.dropped > 0, "No file was dropped"),
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
            Self::Label(_)
            | Self::LoadModel
            | Self::AskToAdd(_)
            | Self::AddQueried(..)
            | Self::UndoEdit(_)
            | Self::RedoEdit(_)
            | Self::RenameLabel(Some(_)) => facts.write_obstacle(),
            Self::LabelSelected => {
                unless(facts.selected, "No file is selected").or_else(|| facts.write_obstacle())
            }
            Self::CopyHash => unless(facts.selected, "No file is selected"),
            Self::ForgetSelected => unless(facts.selected_dropped, "No dropped file is selected"),
            Self::ForgetAll => unless(facts.dropped > 0, "No file was dropped"),
            Self::NextFile | Self::PreviousFile => {
                unless(facts.dropped > 1, "Fewer than two files were dropped")
            }
            Self::ZoomIn | Self::ZoomOut => unless(facts.map, "The library has no map"),
            Self::Undo => unless(facts.undo.is_some() || facts.editing, "Nothing was changed in this window"),
            Self::Redo => unless(facts.redo.is_some() || facts.editing, "Nothing was undone in this window"),
            Self::RenameLabel(None) => {
                unless(facts.focus, "Click the label in the list first").or_else(|| facts.write_obstacle())
            }
            Self::RemoveSamples(samples) => {
                unless(!samples.is_empty() || facts.selected_sample, "No sample of the library is selected")
                    .or_else(|| facts.write_obstacle())
            }
            Self::ResumeTraining => unless(!facts.training, "A training is running"),
            Self::UseModel(_) => unless(!facts.busy, "A job is running").or_else(|| facts.write_obstacle()),
            Self::Dialog(Dialog::History | Dialog::Models) => unless(facts.library, "No library is open"),
            Self::NextNeighbour | Self::PreviousNeighbour => {
                unless(facts.neighbours, "No neighbours are listed")
            }
            Self::KeepCopy => unless(facts.shared, "No team's library is open")
                .or_else(|| unless(!facts.from_copy, "The server cannot be reached")),
            Self::ForgetCopy => unless(facts.shared, "No team's library is open")
                .or_else(|| unless(facts.copy_kept, "No copy is kept")),
            Self::Browse => unless(facts.question, "No question is open"),
            Self::ComputeMap(_) => unless(facts.samples, "The library has no samples"),
            Self::Lab(command) => command.obstacle(facts),
            Self::Open(_)
            | Self::OpenFolder
            | Self::OpenFiles
            | Self::EnterPassword
            | Self::UnpackAppended(_)
            | Self::OpenLibrary
            | Self::OpenServer
            | Self::TestServer(_)
            | Self::Answer(_)
            | Self::FitMap
            | Self::Select(_)
            | Self::Jump(_)
            | Self::Neighbours(_)
            | Self::Forget(_)
            | Self::Escape
            | Self::ShowTab(_)
            | Self::Search
            | Self::Filter
            | Self::FilterSamples(_)
            | Self::FindSamples(_)
            | Self::KeepModel
            | Self::DiscardTraining
            | Self::BrowseTo(_)
            | Self::Browsed(_)
            | Self::Dialog(_)
            | Self::TogglePanel(_)
            | Self::SwapPanels
            | Self::ResetPanels
            | Self::Theme(_)
            | Self::MapNames(_)
            | Self::SpreadMap
            | Self::ExactPlaces(_)
            | Self::Quit
            | Self::Cancel(_)
            | Self::ClearMessages => None,
        }
    }
}

/// Text, hint and key of the commands that save.
fn save_about(purpose: Purpose) -> About {
    match purpose {
        Purpose::Neighbours => About::new(
            "Export this file's neighbours…",
            "Saves the nearest samples of the selected file as CSV",
        )
        .key_while_typing(Modifiers::COMMAND, Key::S),
        Purpose::AllNeighbours => About::new(
            "Export all files' neighbours…",
            "Saves the nearest samples of all dropped files as CSV, with their verdicts",
        )
        .key_while_typing(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::S),
        Purpose::Samples => About::new("Export all samples…", "Saves a row for each sample of the library"),
        Purpose::Map => About::new("Export the map…", "Saves SHA-256, label, x and y of each sample"),
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
        let keys: Vec<KeyboardShortcut> = Command::keys().iter().map(|(key, _)| key.keys).collect();
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
        for command in Command::all().into_iter().chain([
            Command::Open(Vec::new()),
            Command::Label(sha256),
            Command::AskToAdd(Vec::new()),
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
        for command in [Command::Train, Command::Index, Command::Undo, Command::Save(Purpose::Model)] {
            assert!(command.obstacle(&facts).is_some(), "{command:?}");
        }
        assert_eq!(Command::OpenFiles.obstacle(&facts), None);
        let facts = Facts { folder_labels: Some(2), ..Facts::default() };
        assert_eq!(Command::Train.obstacle(&facts), None);
    }
}
