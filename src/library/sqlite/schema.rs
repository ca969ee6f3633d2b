//! How a library file is recognised, opened, created and migrated.

use super::tables::{MIGRATIONS, TABLES};
use super::version::VERSION;
use crate::library::{LibraryError, model_name};
use crate::sample::Sha256;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, params};
use std::path::Path;

/// "LKAL", kept as SQLite's `application_id`: what `file` and this program recognise a library by.
const APPLICATION: i64 = 0x4c4b_414c;

/// An open library file.
#[derive(Debug)]
pub struct Opened {
    /// To SQLite.
    pub connection: Connection,
    /// Why it is read-only, if it is.
    pub read_only: Option<String>,
    /// The version of its tables: an earlier one than this program's only if it is read-only.
    pub version: i64,
}

/// Opens `path`, which must be a library of this version, or of an earlier one, which is migrated. With
/// `create`, creates one where there is no file yet. A file that cannot be written is opened for reading.
pub fn open(path: &Path, create: bool) -> Result<Opened, LibraryError> {
    let fresh = !path.exists();
    if fresh && !create {
        return Err(LibraryError::Missing { path: path.to_owned() });
    }
    if path.is_dir() {
        return Err(LibraryError::NotALibrary { what: "a folder".into(), path: path.to_owned() });
    }
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if fresh {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    match open_to_write(path, flags, fresh) {
        Ok(connection) => Ok(Opened { connection, read_only: None, version: VERSION }),
        Err(Fault::Sqlite(error)) if !fresh && is_perhaps_readable(&error) => {
            let connection = read_only(path).map_err(|error| Fault::from(error).at(path))?;
            let version = check_format(&connection, path).map_err(|fault| fault.at(path))?;
            Ok(Opened { connection, read_only: Some(error.to_string()), version })
        }
        Err(fault) => Err(fault.at(path)),
    }
}

/// What went wrong.
enum Fault {
    Sqlite(rusqlite::Error),
    Known(LibraryError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Fault {
    fn at(self, path: &Path) -> LibraryError {
        match self {
            Self::Known(error) => error,
            Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
                LibraryError::NotALibrary { what: "a file of another format".into(), path: path.to_owned() }
            }
            Self::Sqlite(error) => LibraryError::Failed { why: error.to_string(), location: path.into() },
        }
    }
}

fn open_to_write(path: &Path, flags: OpenFlags, fresh: bool) -> Result<Connection, Fault> {
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    // Of a file that has tables this changes nothing.
    connection.pragma_update(None, "page_size", PAGE)?;
    if fresh || std::fs::metadata(path).is_ok_and(|found| found.len() == 0) {
        create_tables(&mut connection)?;
    } else {
        check_format(&connection, path)?;
        migrate(&mut connection)?;
    }
    prepare(&connection)?;
    Ok(connection)
}

/// Characters of a path that are escaped in a URI: all but those RFC 3986 calls unreserved, and `/`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// Bytes of a page of a new file: most of what is kept of a sample fits several times.
const PAGE: i64 = 16_384;

/// Pages in the log after which they are put in their places: about 64 MiB, so that an import writes a page seldom twice.
const CHECKPOINT: i64 = 4096;

/// How long to wait while another program writes.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// Whether the file may be readable in spite of this error.
fn is_perhaps_readable(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
        )
    )
}

/// Opens a file for reading only. Where SQLite cannot even write the files beside it, `immutable` promises
/// that nobody changes it meanwhile.
fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let plain = Connection::open_with_flags(path, flags)?;
    if plain.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).is_ok() {
        return Ok(plain);
    }
    let path = percent_encode(path.as_os_str().as_encoded_bytes(), ESCAPED);
    let uri = format!("file:{path}?immutable=1");
    Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
}

/// The version of a library that this program can read.
fn check_format(connection: &Connection, path: &Path) -> Result<i64, Fault> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if pragma("application_id")? != APPLICATION {
        return Err(Fault::Known(LibraryError::NotALibrary {
            what: "a database of another program".into(),
            path: path.to_owned(),
        }));
    }
    let found = pragma("user_version")?;
    if !(1..=VERSION).contains(&found) {
        return Err(Fault::Known(LibraryError::Version { found, expected: VERSION, location: path.into() }));
    }
    Ok(found)
}

/// Settings of each connection. With a write-ahead log, readers do not wait for a writer; with `full`,
/// what was committed survives a loss of power too.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT)?;
    connection.pragma_update(None, "synchronous", "full")
}

fn create_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Two programs may create it at the same moment.
    if version(&transaction)? == 0 {
        transaction.execute_batch(TABLES)?;
        MIGRATIONS.iter().try_for_each(|more| transaction.execute_batch(more))?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

/// Migrates an earlier version: all of it or nothing.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    if version(connection)? == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    for more in MIGRATIONS.iter().skip(found.max(1) as usize - 1) {
        transaction.execute_batch(more)?;
    }
    name_models(&transaction)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Names the models of an earlier version, which had no names.
fn name_models(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let nameless: Vec<(i64, Vec<u8>)> = transaction
        .prepare("SELECT id, sha256 FROM models WHERE name IS NULL ORDER BY id")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (id, sha256) in nameless {
        // The table has none of another length.
        let hash = Sha256(<[u8; 32]>::try_from(sha256).unwrap_or_default());
        let name = model_name(hash, "", &model_names(transaction)?);
        transaction.execute("UPDATE models SET name = ?2 WHERE id = ?1", params![id, name])?;
    }
    Ok(())
}

/// The names of all models that have one.
pub fn model_names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare("SELECT name FROM models WHERE name IS NOT NULL")?
        .query_map([], |row| row.get(0))?
        .collect()
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The tables of version 1, for the test of the migration.
#[cfg(test)]
pub fn make_version_1(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", 1)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Library;

    #[test]
    fn a_library_of_version_1_is_migrated_and_keeps_everything() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.lookalike");
        let old = make_version_1(&path).unwrap();
        old.execute(
            "INSERT INTO samples (sha256, path, size, kind, label) VALUES (?1, '/a', 3, 'PE', 'alpha')",
            [&[7_u8; 32][..]],
        )
        .unwrap();
        drop(old);
        let mut library = Library::open(&path).unwrap();
        assert_eq!(library.check().unwrap(), Vec::<String>::new());
        assert!(library.label_history(None).unwrap().is_empty());
        let sample = Sha256([7; 32]);
        assert_eq!(library.set_labels(&[sample], Some("beta"), "test").unwrap().changes.len(), 1);
        let history = library.label_history(Some(sample)).unwrap();
        assert_eq!(
            (history[0].before.as_deref(), history[0].after.as_deref()),
            (Some("alpha"), Some("beta"))
        );
        drop(library);
        // Opening it again changes nothing.
        let again = open(&path, false).unwrap();
        assert_eq!(version(&again.connection).unwrap(), VERSION);
        assert_eq!(Library::open(&path).unwrap().label_history(None).unwrap().len(), 1);
    }

    #[test]
    fn changes_of_version_3_are_edits_by_second_and_source_and_its_models_have_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.lookalike");
        let old = make_version_1(&path).unwrap();
        MIGRATIONS.iter().take(2).for_each(|more| old.execute_batch(more).unwrap());
        old.pragma_update(None, "user_version", 3).unwrap();
        for (id, label) in [(1, "alpha"), (2, "alpha"), (3, "delta")] {
            old.execute(
                "INSERT INTO samples (id, sha256, path, size, kind, label) VALUES (?1, ?2, '/a', 3, 'PE', ?3)",
                params![id, &[id as u8; 32][..], label],
            )
            .unwrap();
        }
        // An import of two samples, a label that was given by hand, and one that was undone.
        for (sample, before, after, at, source, undone) in [
            (1, None, "alpha", "2026-01-01T00:00:00Z", "sets/alpha", 0),
            (2, None, "alpha", "2026-01-01T00:00:00Z", "sets/alpha", 0),
            (3, None, "delta", "2026-01-02T00:00:00Z", "the window", 0),
            (1, Some("alpha"), "beta", "2026-01-02T00:00:05Z", "lookalike library label", 1),
        ] {
            old.execute(
                "INSERT INTO label_changes (sample, before, after, at, who, source, undone) VALUES (?1, ?2, ?3, ?4, 'ada', ?5, ?6)",
                params![sample, before, after, at, source, undone],
            )
            .unwrap();
        }
        old.execute("INSERT INTO models (sha256, bytes) VALUES (?1, x'00')", [&[9_u8; 32][..]]).unwrap();
        let base = crate::model::base_model(crate::picture::PictureKind::Bytes).unwrap();
        old.execute(
            "INSERT INTO models (sha256, bytes) VALUES (?1, ?2)",
            params![&base.hash.0[..], base.bytes],
        )
        .unwrap();
        drop(old);
        let mut library = Library::open(&path).unwrap();
        assert_eq!(library.check().unwrap(), Vec::<String>::new());
        let edits = library.edits(9).unwrap();
        let found: Vec<_> =
            edits.iter().map(|edit| (edit.id, edit.kind.name(), edit.labels[0].1, edit.undone)).collect();
        assert_eq!(found, [(3, "label", 1, true), (2, "label", 1, false), (1, "import", 2, false)]);
        assert_eq!(library.latest_by_hand().unwrap(), Some(2));
        assert_eq!(library.undo_edit(1).unwrap().labels, [(Sha256([1; 32]), None), (Sha256([2; 32]), None)]);
        let models = library.models().unwrap();
        let names: Vec<_> = models.iter().map(|model| (model.name.as_str(), model.base)).collect();
        assert_eq!(names, [("Model 1", false), ("Base model", true)]);
        assert!(models[0].config.is_err() && models[1].config.is_ok());
    }

    #[test]
    fn a_later_version_is_refused_and_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.lookalike");
        let new = make_version_1(&path).unwrap();
        new.pragma_update(None, "user_version", VERSION + 1).unwrap();
        drop(new);
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(open(&path, true), Err(LibraryError::Version { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
