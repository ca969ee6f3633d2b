//! What is damaged or unusual in a library file is never left out of an answer: the library is read whole.

use super::excerpt::{asked, is_same, library, sha256};
use super::fixture::{Kept, Place};
use crate::library::Library;
use crate::model::base_model;
use crate::picture::PictureKind;

#[test]
fn a_library_with_something_unusual_is_read_whole() {
    let place = Place::new(Kept::Sqlite);
    let folder = tempfile::tempdir().unwrap();
    let path = place.path().to_owned();
    let library = library(&place, &base_model(PictureKind::Bytes).unwrap(), |_| Some("a".to_owned()));
    let asked = asked(&library);
    assert!(is_same(&library, &asked, 5));
    drop(library);
    for (i, change) in [
        "UPDATE embeddings SET vector = x'00' WHERE sample = 3001",
        "UPDATE embeddings SET vector = zeroblob(256) WHERE sample = 3001",
        "UPDATE seen SET seen = x'ff' WHERE look & 0xffffffffff = 3001",
        "DELETE FROM seen WHERE look & 0xffffffffff = 3001",
        "UPDATE samples SET path = 7",
        "UPDATE samples SET label = x'ff'",
    ]
    .into_iter()
    .enumerate()
    {
        let changed = folder.path().join(format!("changed {i}.lookalike"));
        std::fs::copy(&path, &changed).unwrap();
        rusqlite::Connection::open(&changed).unwrap().execute_batch(change).unwrap();
        let library = Library::open(&changed).unwrap();
        // A vector of zeros is a vector.
        assert_eq!(is_same(&library, &asked, 5), change.contains("zeroblob"), "{change}");
    }
    let mut library = Library::open(&path).unwrap();
    library.remove(&[sha256(1)], "test").unwrap();
    drop(library);
    // A damaged page: what is read is right, or the library is read whole.
    let bytes = std::fs::read(&path).unwrap();
    let mut read = 0;
    for part in 1..16 {
        let mut bytes = bytes.clone();
        let at = bytes.len() / 16 * part / 4096 * 4096;
        bytes[at..at + 4096].fill(0xa5);
        let path = folder.path().join(format!("{part}.lookalike"));
        std::fs::write(&path, bytes).unwrap();
        let Ok(library) = Library::open(&path) else { continue };
        let readable = library.contents().is_ok_and(|contents| !contents.is_empty());
        read += usize::from(readable && !is_same(&library, &asked, 5));
    }
    assert!(read > 0);
}
