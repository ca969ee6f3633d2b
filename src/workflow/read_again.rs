//! Reading the samples of a library again with the base model: what an earlier version, or a model without views, did not
//! keep of them.

use super::embed_again::{EmbeddedAgain, embed_again};
use super::names::count;
use super::prepare_library::prepare_added;
use super::read_contents::read_contents;
use super::run::Run;
use crate::job::Stop;
use crate::library::{Contents, Library};
use crate::model::{Model, base_model, base_views_hash};
use crate::picture::PictureKind;
use crate::reading::Reader;

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
    let model = base_model(PictureKind::Bytes)?;
    let EmbeddedAgain { embedded, gone } =
        embed_again(library.samples()?, &model, &mut library, reader, run)?;
    if embedded == 0 {
        return Err(Stop::failed(
            "expected the files of the samples, found none where they were read. Add their folder again instead",
        ));
    }
    library.set_current_model(model.hash)?;
    prepare_added(&mut library, run);
    let contents = read_contents(&mut library)?;
    Ok(ReadAgain { library, contents, read: embedded, gone })
}
