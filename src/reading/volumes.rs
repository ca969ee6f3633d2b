//! What to do with a file whose name is that of a volume: the content of the set decides.

use crate::sample::archive::{ArchiveError, Container, Joined, Volumes};
use crate::sample::{FileKind, OpenSample};
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};

/// A set of volumes that is read as one archive, or a first volume that has no others.
pub struct VolumeSet {
    /// The format of the archive, and its bytes; `None` if the file is read alone.
    pub whole: Option<(Container, Joined)>,
    /// Whether the archive goes on in a volume that is not there.
    is_cut: bool,
}

impl VolumeSet {
    /// A file that is no volume, or a volume that is a complete file.
    pub fn alone() -> Self {
        Self { whole: None, is_cut: false }
    }

    /// Looks at the set of the volume `open`, which is the file `own`; `others` are the volumes that were sent with it.
    /// Fails if the volume is read with another one, or cannot be read since one is missing. `own` is afterwards where
    /// reading of `open` continues.
    pub fn of(
        volumes: &Volumes,
        open: &OpenSample,
        own: &File,
        others: impl Iterator<Item = File>,
    ) -> Result<Self, ArchiveError> {
        // A program or an image is a complete file, whatever its name is.
        if open.kind != FileKind::Other {
            return Ok(Self::alone());
        }
        let others: Vec<(File, u64)> = others.zip(volumes.others.iter().copied()).collect();
        let set =
            if volumes.reads { first(volumes, open, own, others) } else { later(volumes, open, others) };
        let mut own = own;
        own.seek(SeekFrom::Start(open.head().len() as u64)).map_err(damaged)?;
        set
    }

    /// An error of reading the set: an archive that ends in a later volume is not damaged.
    pub fn explain(&self, volumes: Option<&Volumes>, error: ArchiveError) -> ArchiveError {
        match (volumes, error) {
            (Some(volumes), ArchiveError::Damaged(_)) if self.is_cut => {
                ArchiveError::MissingVolume(volumes.number, volumes.next.clone())
            }
            (Some(_), ArchiveError::Document(notes)) if self.whole.is_some() => {
                let what = notes.first().map(|note| note.name.clone()).unwrap_or_default();
                ArchiveError::SplitDocument(what)
            }
            (_, error) => error,
        }
    }
}

/// The volume that the set is read with.
fn first(
    volumes: &Volumes,
    open: &OpenSample,
    own: &File,
    mut others: Vec<(File, u64)>,
) -> Result<VolumeSet, ArchiveError> {
    let mut alone = Joined::new(vec![(own.try_clone().map_err(damaged)?, open.size)]);
    let ends_here = if volumes.is_numbered() { alone.is_complete().map_err(damaged)? } else { None };
    if others.is_empty() || ends_here == Some(true) {
        return Ok(VolumeSet { whole: None, is_cut: ends_here == Some(false) });
    }
    others.insert(volumes.place.min(others.len()), (own.try_clone().map_err(damaged)?, open.size));
    let mut joined = Joined::new(others);
    let ends_here = if volumes.is_numbered() { joined.is_complete().map_err(damaged)? } else { None };
    let container = joined.container().map_err(damaged)?;
    Ok(VolumeSet { whole: container.map(|container| (container, joined)), is_cut: ends_here == Some(false) })
}

/// A volume that is read with another one; `others` is the first volume, if it is there.
fn later(volumes: &Volumes, open: &OpenSample, others: Vec<(File, u64)>) -> Result<VolumeSet, ArchiveError> {
    let is_zip = !volumes.is_numbered();
    let mut first = (!others.is_empty()).then(|| Joined::new(others));
    let is_volume = match &mut first {
        _ if is_zip => open.head().starts_with(b"PK\x07\x08PK\x03\x04") || volumes.number > 1,
        Some(first) => {
            first.is_complete().map_err(damaged)? != Some(true)
                && first.container().map_err(damaged)?.is_some()
        }
        None => volumes.missing && volumes.is_named_as_archive(),
    };
    // A complete archive is no part of a set. The last volume of a zip ends like a complete zip.
    let is_archive = Container::of(open.head()).is_some() && !is_zip;
    match (is_volume && !is_archive, volumes.missing) {
        (false, _) => Ok(VolumeSet::alone()),
        (true, true) => Err(ArchiveError::MissingVolume(volumes.number, volumes.next.clone())),
        (true, false) => Err(ArchiveError::LaterVolume(volumes.number, volumes.first.clone())),
    }
}

fn damaged(error: io::Error) -> ArchiveError {
    ArchiveError::Damaged(error.to_string())
}
