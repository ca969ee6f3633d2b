//! What is open: the library, the labelled folder, and the queried samples. Plain data, from which the window is
//! drawn each frame. Samples are identified by their hash.

use super::edit_queue::WindowEdit;
use super::label_slots::LabelSlots;
use super::message::{Message, Tone};
use super::queried_list::QueriedList;
use super::selection::{FileProblem, Selection};
use crate::library::{Contents, Edit, Layout, Library, Neighbour, ServerUrl, StoredModel};
use crate::model::Epoch;
use crate::picture::Encoded;
use crate::reading::Reader;
use crate::sample::{Facts, Sha256, Skipped};
use crate::search::Look;
use crate::workflow::{LabelledFolder, Near, Queried, SharedTrait};
use std::collections::HashMap;
use std::path::PathBuf;

/// Messages kept.
const MESSAGES: usize = 200;

/// What the selected file and its nearest sample share.
pub struct Why {
    /// The file and the sample.
    pub of: [Sha256; 2],
    /// What is rare of it, that in the fewest samples first.
    pub shared: Vec<SharedTrait>,
}

/// Everything that is open.
pub struct Session {
    /// The library file.
    pub library_path: PathBuf,
    /// The open library.
    pub library: Option<Library>,
    /// The samples of the library, by its current model.
    pub contents: Contents,
    /// Whether reading the samples again with the base model would tell more about them.
    pub can_gain: bool,
    /// What the selected file and its nearest sample share.
    pub why: Option<Why>,
    /// Changes whenever the samples or their labels change, which outdates what was computed from them.
    pub edition: u64,
    /// Changes whenever the samples, their labels or their places change, which outdates the drawn map.
    pub map_edition: u64,
    /// Reads files. Holds the passwords of archives until the window is closed.
    pub reader: Reader,
    /// The labelled folder that was opened last.
    pub folder: Option<LabelledFolder>,
    /// The queried samples, newest last.
    pub queried: QueriedList,
    /// The selection.
    pub selection: Option<Selection>,
    /// What a selected library sample looks like and is near to, with its hash.
    pub selected_near: Option<(Sha256, Look, Near)>,
    /// The symbols of the labels.
    pub slots: LabelSlots,
    /// Pictures of library samples that were read again.
    pub pictures: HashMap<Sha256, Encoded>,
    /// Why the file of the selected sample cannot be read as it was, if so.
    pub file_problem: Option<(Sha256, FileProblem)>,
    /// The facts of files that were selected.
    pub facts: HashMap<Sha256, Facts>,
    /// The edits of the library, for their dialog.
    pub edits: Option<Vec<Edit>>,
    /// The models of the library, for their dialog.
    pub models: Option<Vec<StoredModel>>,
    /// The curves of the current or the last training in this window, or of the model in use.
    pub history: Vec<Epoch>,
    /// The folder of the training in this window whose curves these are; `None` for the model in use.
    pub curves_of: Option<PathBuf>,
    /// The messages, newest last.
    pub messages: Vec<Message>,
    /// Counts the messages.
    pub said: usize,
    /// Files that were skipped, newest last.
    pub skipped: Vec<Skipped>,
}

impl Session {
    /// A session with nothing open.
    pub fn new(library_path: PathBuf, reader: Reader) -> Self {
        Self {
            library_path,
            library: None,
            contents: Contents::default(),
            can_gain: false,
            why: None,
            edition: 0,
            map_edition: 0,
            reader,
            folder: None,
            queried: QueriedList::default(),
            selection: None,
            selected_near: None,
            slots: LabelSlots::default(),
            pictures: HashMap::new(),
            file_problem: None,
            facts: HashMap::new(),
            edits: None,
            models: None,
            history: Vec::new(),
            curves_of: None,
            messages: Vec::new(),
            said: 0,
            skipped: Vec::new(),
        }
    }

    /// Whether the library is a team's.
    pub fn is_shared(&self) -> bool {
        self.library_path.to_str().is_some_and(ServerUrl::is_one)
    }

    /// Adds a message.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.push(tone, text.into(), None);
    }

    /// Adds a message of an edit, which can be undone.
    pub fn say_done(&mut self, text: impl Into<String>, edit: WindowEdit) {
        self.push(Tone::Good, text.into(), Some(edit));
    }

    fn push(&mut self, tone: Tone, text: String, edit: Option<WindowEdit>) {
        if self.messages.len() >= MESSAGES {
            self.messages.remove(0);
        }
        self.said += 1;
        self.messages.push(Message { tone, text: crate::escape::text(&text), edit });
    }

    /// Shows other contents. Queried samples stay if the model is the same, but their neighbours have to be found
    /// again.
    pub fn show(&mut self, contents: Contents) {
        let same_model = self.contents.model_hash() == contents.model_hash();
        self.contents = contents;
        self.edition += 1;
        self.pictures.clear();
        self.selected_near = None;
        self.why = None;
        if !same_model {
            self.queried.clear();
        }
        self.selection = self.selection.filter(|selection| match selection {
            Selection::Queried(sha256) => self.queried(*sha256).is_some(),
            Selection::InLibrary(sha256) => self.contents.contains(*sha256),
        });
        self.slots.refresh(self.contents.labels().counts());
        self.map_edition += 1;
    }

    /// Shows new labels. Samples that are not in the library are ignored.
    pub fn relabel(&mut self, labels: &[(Sha256, Option<String>)]) {
        self.contents.set_labels(labels.iter().map(|(sha256, label)| (*sha256, label.as_deref())));
        self.slots.refresh(self.contents.labels().counts());
        self.edition += 1;
        self.map_edition += 1;
    }

    /// Shows a new map: a place for each row of the contents.
    pub fn set_places(&mut self, places: Vec<[f32; 2]>) {
        self.contents.set_places(places, Layout::Finished);
        self.map_edition += 1;
    }

    /// A queried sample.
    pub fn queried(&self, sha256: Sha256) -> Option<&Queried> {
        self.queried.find(sha256)
    }

    /// What a sample looks like.
    pub fn look(&self, selection: Selection) -> Option<Look> {
        match selection {
            Selection::Queried(sha256) => self.queried(sha256).map(|queried| queried.look.clone()),
            // The contents may be an outline.
            Selection::InLibrary(sha256) => self.contents.look(sha256).or_else(|| {
                let (of, look, _) = self.selected_near.as_ref()?;
                (*of == sha256).then(|| look.clone())
            }),
        }
    }

    /// The neighbours and the place of the selected sample; `None` until they are found.
    pub fn near(&self) -> Option<&Near> {
        match self.selection? {
            Selection::Queried(sha256) => self.queried(sha256).map(|queried| &queried.near),
            Selection::InLibrary(sha256) => {
                self.selected_near.as_ref().filter(|(of, ..)| *of == sha256).map(|(.., near)| near)
            }
        }
    }

    /// The neighbours of the selected sample, nearest first.
    pub fn neighbours(&self) -> &[Neighbour] {
        self.near().map_or(&[], |near| &near.neighbours)
    }

    /// The place of a sample on the map.
    pub fn place_of(&self, selection: Selection) -> Option<[f32; 2]> {
        match selection {
            Selection::Queried(sha256) => self.queried(sha256)?.near.place,
            Selection::InLibrary(sha256) => self.contents.get(sha256)?.place,
        }
    }

    /// Whether the library has a model.
    pub fn has_model(&self) -> bool {
        self.contents.model().is_some()
    }
}
