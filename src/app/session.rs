//! What is open: the library and what its model says, the labelled folder, the files that were
//! asked about. Plain data; the window is drawn from it anew each frame.

use super::label_names::{NamePlace, name_places};
use super::point_raster::Cloud;
use crate::library::{Contents, Library};
use crate::model::Epoch;
use crate::picture::{Encoded, PictureSet};
use crate::reading::Reader;
use crate::sample::{Executable, Sample, Sha256, Skipped};
use crate::search::Neighbour;
use crate::workflow::{Answer, answer};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A labelled folder that was read.
pub struct Folder {
    /// Where it lies.
    pub path: PathBuf,
    /// Its files.
    pub set: Arc<PictureSet>,
    /// Its labels.
    pub labels: usize,
}

/// What is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// A file that was asked about.
    Asked(usize),
    /// A sample of the library, by its row.
    Known(usize),
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Good,
    /// Something was left out.
    Note,
    /// It did not work.
    Bad,
}

/// One sentence for the user.
#[derive(Clone, Debug)]
pub struct Message {
    /// How much it matters.
    pub tone: Tone,
    /// Already escaped.
    pub text: String,
}

/// Everything that is open.
pub struct Session {
    /// Where the library lies.
    pub library_path: PathBuf,
    /// Open for reading thumbnails.
    pub library: Option<Library>,
    /// What the library's model says.
    pub contents: Arc<Contents>,
    /// Counts how often other contents were shown: what was derived from others is out of date.
    pub edition: u64,
    /// Labels of the library and their counts, in the order of their symbols.
    pub labels: Vec<(Option<String>, usize)>,
    /// For each row of the library, its label's place in `labels`.
    pub label_of: Vec<usize>,
    /// The samples on the map.
    pub cloud: Cloud,
    /// Where the names of labels may stand among them, those of most samples first.
    pub name_places: Vec<NamePlace>,
    /// Counts how often they were laid out anew.
    pub laid: u64,
    /// Reads files; holds the passwords of archives until the window is closed.
    pub reader: Reader,
    /// The folder that was opened last.
    pub folder: Option<Folder>,
    /// Files that were asked about, newest last.
    pub asked: Vec<Answer>,
    /// What is selected.
    pub selection: Option<Selection>,
    /// Its neighbours.
    pub neighbours: Vec<Neighbour>,
    /// The distance within which 95 % of the library's samples have a neighbour, once measured.
    pub usual_distance: Option<f32>,
    /// Full pictures of library samples that were read again.
    pub inspected: HashMap<usize, (Sample, Encoded)>,
    /// Headers of executables that were read again, as many as are worth keeping.
    pub headers: HashMap<Sha256, Option<Executable>>,
    /// The curve of the training that runs or ran last.
    pub history: Vec<Epoch>,
    /// Newest last.
    pub messages: Vec<Message>,
    /// Files that were left out, newest last.
    pub skipped: Vec<Skipped>,
}

impl Session {
    /// Nothing is open yet.
    pub fn new(library_path: PathBuf) -> Self {
        Self {
            library_path,
            library: None,
            contents: Arc::default(),
            edition: 0,
            labels: Vec::new(),
            label_of: Vec::new(),
            cloud: Cloud::default(),
            name_places: Vec::new(),
            laid: 0,
            reader: Reader::default(),
            folder: None,
            asked: Vec::new(),
            selection: None,
            neighbours: Vec::new(),
            usual_distance: None,
            inspected: HashMap::new(),
            headers: HashMap::new(),
            history: Vec::new(),
            messages: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// Tells the user something.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        const KEPT: usize = 200;
        if self.messages.len() >= KEPT {
            self.messages.remove(0);
        }
        self.messages.push(Message { tone, text: crate::escape::text(&text.into()) });
    }

    /// Other contents are shown. Answers by the same model are brought up to date.
    pub fn show(&mut self, contents: Contents, k: usize) {
        let same = self.contents.model.as_ref().map(|m| m.hash) == contents.model.as_ref().map(|m| m.hash);
        let known = match self.selection {
            Some(Selection::Known(row)) => self.contents.entries.get(row).map(|entry| entry.sha256),
            _ => None,
        };
        self.contents = Arc::new(contents);
        self.count_labels();
        self.edition += 1;
        self.usual_distance = None;
        self.inspected.clear();
        if same {
            for asked in &mut self.asked {
                asked.place = answer(&self.contents, &asked.sample, &asked.embedding, 1).1;
            }
        } else {
            self.asked.clear();
            if !matches!(self.selection, Some(Selection::Known(_))) {
                self.selection = None;
            }
        }
        if let Some(sha256) = known {
            self.selection = crate::workflow::known(&self.contents, sha256).map(Selection::Known);
        }
        self.lay_points();
        self.find_neighbours(k);
    }

    /// Labels of samples changed. Nothing is done while a job still reads the contents.
    pub fn relabel(&mut self, labels: &[(Sha256, Option<String>)]) -> bool {
        let Some(contents) = Arc::get_mut(&mut self.contents) else {
            return false;
        };
        for (sha256, label) in labels {
            if let Some(entry) = contents.entries.iter_mut().find(|entry| entry.sha256 == *sha256) {
                entry.label.clone_from(label);
            }
        }
        self.count_labels();
        self.edition += 1;
        self.lay_points();
        true
    }

    /// Which labels there are, and which each row has.
    fn count_labels(&mut self) {
        self.labels = self.contents.label_counts();
        let place: HashMap<&Option<String>, usize> =
            self.labels.iter().map(|(label, _)| label).zip(0..).collect();
        let entries = self.contents.entries.iter();
        self.label_of = entries.map(|e| place.get(&e.label).copied().unwrap_or(0)).collect();
    }

    /// Places of the samples changed. They are given back while a job still reads the contents.
    pub fn place(&mut self, places: Vec<[f32; 2]>) -> Result<(), Vec<[f32; 2]>> {
        let Some(contents) = Arc::get_mut(&mut self.contents) else {
            return Err(places);
        };
        contents.places = places;
        contents.provisional = false;
        for asked in &mut self.asked {
            asked.place = answer(&self.contents, &asked.sample, &asked.embedding, 1).1;
        }
        self.lay_points();
        Ok(())
    }

    fn lay_points(&mut self) {
        let named: Vec<bool> = self.labels.iter().map(|(label, _)| label.is_some()).collect();
        self.cloud = Cloud::new(&self.contents.places, &self.label_of, &named);
        let bounds = self.cloud.grid.bounds();
        self.name_places = bounds.map_or_else(Vec::new, |bounds| {
            name_places(&self.contents.places, &self.label_of, named.len(), bounds)
        });
        self.laid += 1;
    }

    /// Finds the neighbours of what is selected.
    pub fn find_neighbours(&mut self, k: usize) {
        self.neighbours = match self.selection {
            None => Vec::new(),
            Some(Selection::Asked(i)) => match self.asked.get(i) {
                Some(asked) => answer(&self.contents, &asked.sample, &asked.embedding, k).0,
                None => Vec::new(),
            },
            Some(Selection::Known(row)) => {
                let embeddings = &self.contents.embeddings;
                crate::search::nearest(embeddings, embeddings.row(row), k, |other| other == row)
            }
        };
    }

    /// Where something lies on the map.
    pub fn place_of(&self, selection: Selection) -> Option<[f32; 2]> {
        match selection {
            Selection::Asked(i) => self.asked.get(i)?.place,
            Selection::Known(row) => self.contents.places.get(row).copied(),
        }
    }

    /// Whether the model with this digest is the one that answers.
    pub fn answers_by(&self, hash: Sha256) -> bool {
        self.contents.model.as_ref().is_some_and(|model| model.hash == hash)
    }

    /// Whether there is a model to answer.
    pub fn can_answer(&self) -> bool {
        self.contents.model.is_some()
    }
}
