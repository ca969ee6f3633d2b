//! The engine of a team's library whose server cannot be reached: it reads the copy on this machine, and what is changed there waits to
//! be sent. Its edits have numbers below zero, so that none is taken for one of the server's.

use super::from_copy::FromCopy;
use super::kept_copy::KeptCopy;
use super::sqlite::SqliteLibrary;
use super::{
    AddSamples, Added, Adopt, Adopted, Batch, Contents, Counted, Edit, Edits, Engine, Import, KeptTraits,
    LabelChange, LabelHistory, LibraryError, Location, Maintenance, Models, PartlyRead, Prepare, Prepared,
    Relabelled, RemoveSamples, Renamed, Reverted, StoredModel, StoredSamples, Turn, Wanted, WholeSample,
    WholeSamples,
};
use crate::job::{Reporter, Stop};
use crate::model::{Embeddings, Model};
use crate::picture::Encoded;
use crate::sample::{KeptFacts, Sample, Sha256};
use std::path::{Path, PathBuf};

/// A team's library, from its copy.
#[derive(Debug)]
pub struct CopyLibrary {
    copy: SqliteLibrary,
    location: Location,
    from: FromCopy,
    read_only: Option<String>,
}

impl CopyLibrary {
    /// From this copy, for the reason `why`; `None` if it never was as the server had it.
    pub fn new(copy: KeptCopy, why: String) -> Option<Self> {
        let (url, state) = (copy.url().clone(), copy.state().clone());
        let from = FromCopy::new(url.host(), &state.refreshed?, why);
        let copy = copy.into_library().queueing();
        let read_only = copy.read_only().map(str::to_owned).or(state.read_only);
        Some(Self { copy, location: Location::Server(url), from, read_only })
    }

    fn needs_server(&self, what: &'static str) -> LibraryError {
        LibraryError::NeedsServer { what, location: self.location.clone() }
    }

    fn no_edit(&self, id: i64) -> LibraryError {
        LibraryError::NoEdit { id, location: self.location.clone() }
    }

    /// Adds to the copy: the number of an import's edit is that of the copy meanwhile.
    fn importing<T>(
        &mut self,
        import: &mut Import,
        work: impl FnOnce(&mut SqliteLibrary, &mut Import) -> Result<T, LibraryError>,
    ) -> Result<T, LibraryError> {
        self.check_writable()?;
        import.edit = import.edit.map(turned);
        let done = work(&mut self.copy, import);
        import.edit = import.edit.map(turned);
        done
    }
}

/// The number of an edit outside from that in the copy, and back.
fn turned(id: i64) -> i64 {
    -id
}

fn turned_edit(edit: Edit) -> Edit {
    Edit { id: turned(edit.id), ..edit }
}

fn turned_change(change: LabelChange) -> LabelChange {
    LabelChange { edit: change.edit.map(turned), ..change }
}

impl Engine for CopyLibrary {
    fn location(&self) -> &Location {
        &self.location
    }

    fn read_only(&self) -> Option<&str> {
        self.read_only.as_deref()
    }

    fn as_copy(&self) -> Option<&FromCopy> {
        Some(&self.from)
    }

    fn larger_than(&self, least: i64) -> Result<Option<Box<dyn PartlyRead + '_>>, LibraryError> {
        self.copy.larger_than(least)
    }
}

impl AddSamples for CopyLibrary {
    fn add(&mut self, model: &Model, batch: Batch<'_>, import: &mut Import) -> Result<Added, LibraryError> {
        self.importing(import, |copy, import| copy.add(model, batch, import))
    }

    fn add_embeddings(
        &mut self,
        model: &Model,
        samples: &[&Sample],
        pictures: &[&Encoded],
        embeddings: &Embeddings,
    ) -> Result<usize, LibraryError> {
        self.check_writable()?;
        self.copy.add_embeddings(model, samples, pictures, embeddings)
    }
}

impl RemoveSamples for CopyLibrary {
    fn remove(&mut self, samples: &[Sha256], source: &str) -> Result<Option<i64>, LibraryError> {
        self.check_writable()?;
        Ok(self.copy.remove(samples, source)?.map(turned))
    }

    fn restore(&mut self, samples: &[Sha256], source: &str) -> Result<Option<i64>, LibraryError> {
        self.check_writable()?;
        Ok(self.copy.restore(samples, source)?.map(turned))
    }
}

impl StoredSamples for CopyLibrary {
    fn samples(&self) -> Result<Vec<(Sha256, PathBuf)>, LibraryError> {
        self.copy.samples()
    }

    fn sample_count(&self) -> Result<usize, LibraryError> {
        self.copy.sample_count()
    }

    fn labels(&self) -> Result<Vec<(Sha256, Option<String>)>, LibraryError> {
        self.copy.labels()
    }

    fn contents(&self) -> Result<Contents, LibraryError> {
        self.copy.contents()
    }

    fn outline(&self) -> Result<Contents, LibraryError> {
        self.copy.outline()
    }

    /// The map stays in the copy: it can be computed again.
    fn put_places(&mut self, contents: &Contents, places: &[[f32; 2]]) -> Result<bool, LibraryError> {
        self.copy.put_places(contents, places)
    }

    fn thumbnail(&self, id: i64) -> Result<Option<Vec<u8>>, LibraryError> {
        self.copy.thumbnail(id)
    }
}

impl WholeSamples for CopyLibrary {
    fn whole_samples(&self, wanted: Wanted<'_>) -> Result<Vec<(i64, WholeSample)>, LibraryError> {
        self.copy.whole_samples(wanted)
    }

    fn put_whole(&mut self, samples: &[WholeSample], import: &mut Import) -> Result<Added, LibraryError> {
        self.importing(import, |copy, import| copy.put_whole(samples, import))
    }
}

impl Models for CopyLibrary {
    fn add_model(&mut self, model: &Model, from: &str) -> Result<(), LibraryError> {
        self.check_writable()?;
        self.copy.add_model(model, from)
    }

    fn models(&self) -> Result<Vec<StoredModel>, LibraryError> {
        self.copy.models()
    }

    fn model(&self) -> Result<Option<Model>, LibraryError> {
        self.copy.model()
    }

    fn stored_model(&self, hash: Sha256) -> Result<Model, LibraryError> {
        self.copy.stored_model(hash)
    }

    fn is_current_model(&self, hash: Sha256) -> Result<bool, LibraryError> {
        self.copy.is_current_model(hash)
    }

    /// Which model is in use is decided where all samples are.
    fn adopt(&mut self, hash: Sha256, when: Adopt) -> Result<Adopted, LibraryError> {
        if self.copy.is_current_model(hash)? || self.copy.model()?.is_none() {
            return self.copy.adopt(hash, Adopt::IfComplete);
        }
        if when == Adopt::Always {
            return Err(self.needs_server("choosing another model"));
        }
        let lacking = self.copy.lacking(hash)?.len();
        let current = self.copy.model()?.map(|model| model.hash);
        let hidden =
            current.map(|current| self.copy.lacking(current)).transpose()?.map_or(0, |all| all.len());
        Ok(Adopted { in_use: false, lacking, hidden })
    }

    fn rename_model(&mut self, _: Sha256, _: &str) -> Result<(), LibraryError> {
        Err(self.needs_server("giving a model another name"))
    }

    fn lacking(&self, hash: Sha256) -> Result<Vec<(Sha256, PathBuf)>, LibraryError> {
        self.copy.lacking(hash)
    }

    fn lacks(&self, hash: Sha256, samples: &[Sha256]) -> Result<Vec<bool>, LibraryError> {
        self.copy.lacks(hash, samples)
    }
}

impl LabelHistory for CopyLibrary {
    fn set_labels(
        &mut self,
        samples: &[Sha256],
        label: Option<&str>,
        source: &str,
    ) -> Result<Relabelled, LibraryError> {
        self.check_writable()?;
        let done = self.copy.set_labels(samples, label, source)?;
        let changes = done.changes.into_iter().map(turned_change).collect();
        Ok(Relabelled { edit: done.edit.map(turned), changes })
    }

    fn rename_label(&mut self, from: &str, to: &str, source: &str) -> Result<Renamed, LibraryError> {
        self.check_writable()?;
        let done = self.copy.rename_label(from, to, source)?;
        Ok(Renamed { edit: done.edit.map(turned), ..done })
    }

    /// As far as the copy knows it: of what is on the server, who gave each label that is there now.
    fn label_history(&self, of: Option<Sha256>) -> Result<Vec<LabelChange>, LibraryError> {
        Ok(self.copy.label_history(of)?.into_iter().map(turned_change).collect())
    }
}

impl Edits for CopyLibrary {
    /// Those that wait to be sent: the server has the others.
    fn edits(&self, limit: usize) -> Result<Vec<Edit>, LibraryError> {
        let ids = self.copy.edits_here(limit)?;
        ids.into_iter().map(|id| self.copy.edit(id).map(turned_edit)).collect()
    }

    fn edit(&self, id: i64) -> Result<Edit, LibraryError> {
        match self.copy.edit(turned(id)) {
            Ok(edit) if id < 0 => Ok(turned_edit(edit)),
            // It is named as it is outside.
            Ok(_) | Err(LibraryError::NoEdit { .. }) => Err(self.no_edit(id)),
            Err(error) => Err(error),
        }
    }

    fn latest(&self, turn: Turn) -> Result<Option<i64>, LibraryError> {
        Ok(self.copy.latest_here(turn)?.map(turned))
    }

    fn turn(&mut self, id: i64, turn: Turn) -> Result<Reverted, LibraryError> {
        self.check_writable()?;
        self.edit(id)?;
        let done = self.copy.turn_here(turned(id), turn)?;
        let done = done.ok_or_else(|| self.needs_server("undoing or redoing what was sent"))?;
        Ok(Reverted { edit: turned_edit(done.edit), ..done })
    }
}

impl KeptTraits for CopyLibrary {
    fn facts(&self, sha256: Sha256) -> Result<Option<KeptFacts>, LibraryError> {
        self.copy.facts(sha256)
    }

    fn samples_by_digest(&self, digest: &[u8]) -> Result<Vec<Sha256>, LibraryError> {
        self.copy.samples_by_digest(digest)
    }

    fn without_facts(&self) -> Result<usize, LibraryError> {
        self.copy.without_facts()
    }

    fn count_traits(
        &self,
        asked: &[Vec<u64>; 3],
        go_on: &dyn Fn() -> bool,
    ) -> Result<[Vec<Counted>; 3], LibraryError> {
        self.copy.count_traits(asked, go_on)
    }
}

impl Maintenance for CopyLibrary {
    fn check(&self) -> Result<Vec<String>, LibraryError> {
        self.copy.check()
    }

    fn back_up(&self, to: &Path) -> Result<(), LibraryError> {
        self.copy.back_up(to)
    }
}

impl Prepare for CopyLibrary {
    fn prepare(&mut self, reporter: &Reporter) -> Result<Prepared, Stop> {
        self.copy.prepare(reporter)
    }

    fn after_adding(&mut self, reporter: &Reporter) -> Result<(), Stop> {
        self.copy.after_adding(reporter)
    }
}
