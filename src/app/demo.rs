//! The bundled samples: unpacked into the user's data folder, then opened like any other samples. Their sources are
//! in `assets/demo/SOURCES.md`.

use crate::escape;
use crate::job::{Reporter, Stop};
use crate::whole_file::write_whole;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

const BUNDLE: &[u8] = include_bytes!("../../assets/demo/demo.zip");
/// Held-out samples that are queried once the model is trained.
const QUERIED: usize = 4;

/// The unpacked bundled samples.
pub struct Demo {
    /// The labelled folder to train on.
    pub folder: PathBuf,
    /// Samples held out of it, to be queried.
    pub held_out: Vec<PathBuf>,
    /// The library of the demo, separate from the user's.
    pub library: PathBuf,
}

/// Unpacks the bundled executables or digits below `folder`, and removes the library of an earlier demo.
pub fn prepare_demo(folder: &Path, digits: bool, reporter: &Reporter) -> Result<Demo, Stop> {
    let name = if digits { "digits" } else { "executables" };
    unpack(folder, name, reporter)?;
    let held_out = some_of(&folder.join(name).join("held-back"))?;
    let library = folder.join(format!("{name}.lookalike"));
    if library.exists() {
        std::fs::remove_file(&library)?;
    }
    Ok(Demo { folder: folder.join(name).join("known"), held_out, library })
}

/// Unpacks the bundled digits below `folder` and returns the labelled folder of them.
pub fn unpack_digits(folder: &Path, reporter: &Reporter) -> Result<PathBuf, Stop> {
    unpack(folder, "digits", reporter)?;
    Ok(folder.join("digits/known"))
}

/// Where the bundled samples are unpacked to.
pub fn demo_folder() -> PathBuf {
    match directories::ProjectDirs::from("org", "lookalike", "Lookalike") {
        Some(dirs) => dirs.data_local_dir().join("demo"),
        None => PathBuf::from("lookalike-demo"),
    }
}

/// Writes the files below `name` that are missing.
fn unpack(folder: &Path, name: &str, reporter: &Reporter) -> Result<(), Stop> {
    let mut archive = zip::ZipArchive::new(Cursor::new(BUNDLE))?;
    let stage = reporter.stage("Unpacking", archive.len());
    for i in 0..archive.len() {
        reporter.check()?;
        stage.advance(1);
        let mut member = archive.by_index(i)?;
        let Some(path) = member.enclosed_name().filter(|path| path.starts_with(name)) else {
            continue;
        };
        let target = folder.join(path);
        if std::fs::metadata(&target).is_ok_and(|found| found.len() == member.size()) {
            continue;
        }
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes)?;
        let written = target.parent().map_or(Ok(()), std::fs::create_dir_all);
        written.and_then(|()| write_whole(&target, &bytes)).map_err(|error| {
            Stop::failed(format!(
                "the bundled samples could not be unpacked: {error} ({}). Free some space, or set XDG_DATA_HOME to a writable folder",
                escape::path(&target)
            ))
        })?;
    }
    Ok(())
}

/// A few files of a folder, evenly spread over their sorted names.
fn some_of(folder: &Path) -> Result<Vec<PathBuf>, Stop> {
    let entries = std::fs::read_dir(folder)?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.sort_unstable();
    let step = (files.len() / QUERIED).max(1);
    Ok(files.into_iter().step_by(step).take(QUERIED).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundle_unpacks_and_unpacking_it_again_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["executables", "digits"] {
            unpack(folder.path(), name, &Reporter::silent()).unwrap();
            let labels = std::fs::read_dir(folder.path().join(name).join("known")).unwrap().count();
            assert!(labels >= 10, "{name}: {labels} labels");
            assert_eq!(some_of(&folder.path().join(name).join("held-back")).unwrap().len(), QUERIED);
        }
        let known = folder.path().join("executables/known");
        let one = std::fs::read_dir(known.join("psutil")).unwrap().next().unwrap().unwrap().path();
        let before = std::fs::metadata(&one).unwrap().modified().unwrap();
        unpack(folder.path(), "executables", &Reporter::silent()).unwrap();
        assert_eq!(std::fs::metadata(&one).unwrap().modified().unwrap(), before);
        assert!(std::fs::read(&one).unwrap().starts_with(b"MZ"));
    }
}
