//! Reading the samples of a library again with the base model: what an earlier version, or a model without views, did not
//! keep of them.

use super::index::add_batches;
use super::map::with_first_map;
use super::names::count;
use super::read::read_in_parts;
use super::run::Run;
use crate::job::Stop;
use crate::library::{Contents, Library};
use crate::model::{Model, base_model, base_views_hash};
use crate::picture::PictureKind;
use crate::reading::Reader;
use crate::sample::{Labelling, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A library whose samples were read again.
pub struct ReadAgain {
    /// The library file.
    pub library: Library,
    /// Its samples, by the base model.
    pub contents: Contents,
    /// Samples that were read.
    pub read: usize,
    /// Samples whose files are gone or have changed: they keep what they have, and are not compared.
    pub gone: usize,
}

impl ReadAgain {
    /// What was done, in a sentence without its full stop.
    pub fn summary(&self) -> String {
        let read = format!("{} read again with the base model", count(self.read, "sample"));
        match self.gone {
            0 => read,
            gone => {
                let gone = count(gone, "sample");
                format!(
                    "{read}; {gone} whose files are gone or have changed stay in the library, and are not compared"
                )
            }
        }
    }
}

/// Whether there is something to gain from [`read_again`]: the model reads files but has other views than the base model, or
/// none.
pub fn can_gain(model: &Model) -> bool {
    let views = model.views.as_ref().map(|views| views.hash());
    model.config.picture.kind == PictureKind::Bytes && views != base_views_hash()
}

/// Reads the files of all samples again with the base model, which becomes the library's. Labels stay. If no file is there any
/// more, it fails and nothing changes.
pub fn read_again(mut library: Library, reader: &Reader, run: &Run<'_>) -> Result<ReadAgain, Stop> {
    library.check_writable()?;
    let model = base_model()?;
    let before = library.contents()?;
    let mut left: BTreeSet<Sha256> = before.iter().map(|entry| entry.sha256).collect();
    let files: BTreeSet<PathBuf> = before.iter().filter_map(|entry| file_of(entry.path)).collect();
    drop(before);
    if files.is_empty() {
        return Err(Stop::failed(
            "expected the files of the samples, found none where they were read. Add their folder again instead",
        ));
    }
    let files: Vec<PathBuf> = files.into_iter().collect();
    let (reader, mut read) = (reader.with_views(model.views.clone()), 0);
    read_in_parts(&files, Labelling::Unlabelled, model.config.picture, &reader, run, |mut set, run| {
        let known: Vec<bool> = set.samples.iter().map(|sample| left.remove(&sample.sha256)).collect();
        let mut keep = known.iter();
        set.samples.retain(|_| keep.next().is_some_and(|known| *known));
        let mut keep = known.iter();
        set.pictures.retain(|_| keep.next().is_some_and(|known| *known));
        read += set.samples.len();
        add_batches(&set, &model, &mut library, false, run)?;
        Ok(())
    })?;
    super::index::make_current(&model, &mut library)?;
    let contents = with_first_map(library.contents()?);
    Ok(ReadAgain { library, contents, read, gone: left.len() })
}

/// The file in which a sample is: its own, or the archive that it is a member of.
pub(super) fn file_of(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_owned());
    }
    let text = path.to_str()?;
    let archive =
        text.match_indices('!').map(|(at, _)| Path::new(&text[..at])).find(|path| path.is_file())?;
    Some(archive.to_owned())
}
