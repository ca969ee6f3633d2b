//! Selects a sample. Jobs find its neighbours and read its facts and its picture; each result is stored with
//! the sample it belongs to.

use super::jobs::{Kind, Task};
use super::selection::{FileProblem, Selection};
use super::view::Tab;
use super::window::App;
use crate::job::Stop;
use crate::sample::Sha256;
use crate::search::Look;
use crate::workflow::{AskedAs, Near, WantedNear, find_near, looks_of};
use std::collections::HashSet;
use std::path::PathBuf;

const NEIGHBOURS: Kind = Kind("neighbours");
const REFRESH: Kind = Kind("refresh queried samples");
const INSPECT: Kind = Kind("inspect");
/// Facts and pictures kept.
const FACTS: usize = 64;
const PICTURES: usize = 32;

impl App {
    /// Selects a sample, or nothing.
    pub(super) fn select(&mut self, selection: Option<Selection>) {
        self.session.selection = selection;
        self.view.marked = None;
        self.find_neighbours();
        self.read_file();
    }

    /// Removes dropped files from the list. If the selected one is among them, the next one is selected.
    pub(super) fn forget(&mut self, files: &[Sha256]) {
        let selected = self.session.selection.map(Selection::sha256);
        let at = self.session.queried.iter().position(|queried| Some(queried.sample.sha256) == selected);
        self.session.queried.remove(files);
        let gone: HashSet<&Sha256> = files.iter().collect();
        self.view.files.ticked.retain(|ticked| !gone.contains(ticked));
        if matches!(self.session.selection, Some(Selection::Queried(sha256)) if files.contains(&sha256)) {
            let queried = &self.session.queried;
            let next = at.and_then(|at| queried.get(at.min(queried.len().saturating_sub(1))));
            self.select(next.map(|queried| Selection::Queried(queried.sample.sha256)));
        }
    }

    /// Selects the dropped file `step` places after the selected one.
    pub(super) fn step_through_files(&mut self, step: isize) {
        let queried = &self.session.queried;
        let selected = self.session.selection.map(Selection::sha256);
        let at = queried.iter().position(|queried| Some(queried.sample.sha256) == selected);
        let next = match at {
            Some(at) => at.checked_add_signed(step),
            None => Some(0),
        };
        if let Some(queried) = next.and_then(|next| queried.get(next)) {
            self.select(Some(Selection::Queried(queried.sample.sha256)));
        }
    }

    /// Marks the neighbour `step` rows after the marked one.
    pub(super) fn step_through_neighbours(&mut self, step: isize) {
        let neighbours = self.session.neighbours();
        let marked = self.view.marked.map(Selection::sha256);
        let at = neighbours.iter().position(|neighbour| Some(neighbour.sha256) == marked);
        let next = match at {
            Some(at) => at.checked_add_signed(step),
            None => Some(0),
        };
        if let Some(neighbour) = next.and_then(|next| neighbours.get(next)) {
            self.jump(Selection::InLibrary(neighbour.sha256));
        }
    }

    /// Marks a sample on the map and brings it into view.
    pub(super) fn jump(&mut self, selection: Selection) {
        self.view.marked = Some(selection);
        self.view.kept.tab = Tab::Map;
        self.view.centre_on = Some(selection);
    }

    /// Finds the neighbours of the selected sample, unless they are known.
    pub(super) fn find_neighbours(&mut self) {
        let (session, k) = (&self.session, self.view.kept.k);
        let Some(selection) = session.selection else { return };
        if session.near().is_some_and(|near| near.is_current(&session.contents, k)) {
            self.find_shared();
            return;
        }
        let (contents, own) = (session.contents.clone(), [selection.sha256()]);
        let (asked_as, look) = match selection {
            Selection::Queried(_) => match session.look(selection) {
                Some(look) => (AskedAs::File, Some(look)),
                None => return,
            },
            Selection::InLibrary(_) => (AskedAs::Sample, None),
        };
        self.start(
            Task::new("Finding neighbours").of_kind(NEIGHBOURS).quiet(),
            move |run| {
                let wanted = WantedNear::all(asked_as, k);
                let looks = match look {
                    Some(look) => {
                        let mut looks = contents.no_looks();
                        looks.push(&look);
                        looks
                    }
                    None => looks_of(&contents, &own)?,
                };
                let near = find_near(&contents, &looks, &own, &wanted, run)?.pop();
                Ok(looks.get(0).zip(near))
            },
            move |app, found| {
                if let Some((look, near)) = found {
                    app.apply_near(selection, look, near);
                }
                app.find_neighbours();
            },
        );
    }

    /// Stores the neighbours of a sample, if it is still selected or listed and they are current.
    fn apply_near(&mut self, selection: Selection, look: Look, near: Near) {
        if !near.is_current(&self.session.contents, self.view.kept.k) {
            return;
        }
        match selection {
            Selection::InLibrary(sha256) if self.session.selection == Some(selection) => {
                self.session.selected_near = Some((sha256, look, near));
            }
            Selection::InLibrary(_) => {}
            Selection::Queried(sha256) => {
                if let Some(queried) = self.session.queried.find_mut(sha256) {
                    queried.near = near;
                }
            }
        }
    }

    /// Finds the neighbours and places of the queried samples that the library or its map has changed for.
    pub(super) fn refresh_queried(&mut self) {
        let (session, k) = (&self.session, self.view.kept.k);
        let (mut looks, mut own) = (session.contents.no_looks(), Vec::new());
        for queried in session.queried.iter() {
            if !queried.near.is_current(&session.contents, k) {
                looks.push(&queried.look);
                own.push(queried.sample.sha256);
            }
        }
        if own.is_empty() {
            return;
        }
        let contents = session.contents.clone();
        self.start(
            Task::new("Finding neighbours").of_kind(REFRESH).quiet(),
            move |run| {
                let wanted = WantedNear::all(AskedAs::File, k);
                let near = find_near(&contents, &looks, &own, &wanted, run)?;
                Ok(own.into_iter().zip(near).collect::<Vec<_>>())
            },
            |app, all| {
                for (sha256, near) in all {
                    app.apply_near(Selection::Queried(sha256), Look::default(), near);
                }
                app.refresh_queried();
            },
        );
    }

    /// Reads the facts of the selected file, and of a library sample the full picture too, in one reading.
    fn read_file(&mut self) {
        let Some(selection) = self.session.selection else { return };
        let (Some(path), sha256) = (self.path_of(selection), selection.sha256()) else { return };
        let model = self.session.contents.model().map(|model| (model.hash, model.config.picture));
        // A queried sample has its picture.
        let wanted =
            matches!(selection, Selection::InLibrary(_)) && !self.session.pictures.contains_key(&sha256);
        let spec = model.filter(|_| wanted).map(|(_, spec)| spec);
        if spec.is_none() && self.session.facts.contains_key(&sha256) {
            return;
        }
        let reader = self.session.reader.clone();
        self.start(
            Task::new("Reading the file").of_kind(INSPECT).quiet(),
            move |_| match reader.inspect(&path, spec) {
                Ok((facts, picture)) if facts.digests.sha256 == sha256 => Ok(Ok((facts, picture))),
                Ok(_) => Ok(Err(FileProblem::Changed)),
                Err(_) if !path.exists() && !path.to_string_lossy().contains('!') => {
                    Ok(Err(FileProblem::Gone))
                }
                Err(error) => Err(Stop::from(error)),
            },
            move |app, read| {
                let (facts, picture) = match read {
                    Ok(read) => read,
                    Err(problem) => {
                        app.session.file_problem = Some((sha256, problem));
                        return;
                    }
                };
                let session = &mut app.session;
                session.file_problem.take_if(|(of, _)| *of == sha256);
                if session.facts.len() >= FACTS {
                    session.facts.clear();
                }
                session.facts.insert(sha256, facts);
                if let (Some(picture), Some((model, _))) = (picture, model)
                    && session.contents.model_hash() == Some(model)
                {
                    if session.pictures.len() >= PICTURES {
                        session.pictures.clear();
                    }
                    session.pictures.insert(sha256, picture);
                }
            },
        );
    }

    fn path_of(&self, selection: Selection) -> Option<PathBuf> {
        match selection {
            Selection::Queried(sha256) => Some(self.session.queried(sha256)?.sample.path.clone()),
            Selection::InLibrary(sha256) => Some(self.session.contents.get(sha256)?.path.to_owned()),
        }
    }
}
