//! The tables of a library file, their migrations, and how a library is recognised.

use super::LibraryError;
use super::version::VERSION;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::path::Path;

/// "LKAL", kept as SQLite's `application_id`: what `file` and this program recognise a library by.
const APPLICATION: i64 = 0x4c4b_414c;

/// Version 1.
const TABLES: &str = "
CREATE TABLE samples (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    -- Text where the path is UTF-8, else its bytes.
    path NOT NULL,
    size INTEGER NOT NULL,
    kind TEXT NOT NULL,
    architecture TEXT,
    label TEXT,
    added TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);
CREATE TABLE thumbnails (
    sample INTEGER PRIMARY KEY REFERENCES samples(id) ON DELETE CASCADE,
    -- 32 by 32 pixels of RGB.
    rgb BLOB NOT NULL
);
CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    -- The safetensors file.
    bytes BLOB NOT NULL,
    added TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);
CREATE TABLE embeddings (
    model INTEGER NOT NULL REFERENCES models(id) ON DELETE CASCADE,
    sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
    -- Little-endian f32, of length 1.
    vector BLOB NOT NULL,
    PRIMARY KEY (model, sample)
) WITHOUT ROWID;
CREATE TABLE places (
    model INTEGER NOT NULL REFERENCES models(id) ON DELETE CASCADE,
    sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
    x REAL NOT NULL,
    y REAL NOT NULL,
    PRIMARY KEY (model, sample)
) WITHOUT ROWID;
-- The model that was used last.
CREATE TABLE current_model (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    model INTEGER NOT NULL REFERENCES models(id)
);
";

/// What each version adds to the one before it: the first migrates version 1 to version 2.
const MIGRATIONS: [&str; 2] = [
    "

CREATE TABLE label_changes (
    id INTEGER PRIMARY KEY,
    sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
    before TEXT,
    after TEXT,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    -- The user's name on this machine.
    who TEXT NOT NULL,
    -- The folder, or another way the label was given.
    source TEXT NOT NULL,
    -- Whether it was undone.
    undone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX label_changes_of_sample ON label_changes (sample);
",
    "
-- What the views of a model see of a sample.
CREATE TABLE views (
    model INTEGER NOT NULL REFERENCES models(id) ON DELETE CASCADE,
    sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
    -- `view::FileViews::to_bytes`.
    seen BLOB NOT NULL,
    PRIMARY KEY (model, sample)
) WITHOUT ROWID;
",
];

/// An open library file.
#[derive(Debug)]
pub struct Opened {
    /// To SQLite.
    pub connection: Connection,
    /// Why it is read-only, if it is.
    pub read_only: Option<String>,
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
    let sqlite = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            LibraryError::NotALibrary { what: "a file of another format".into(), path: path.to_owned() }
        }
        _ => LibraryError::Sqlite { error, path: path.to_owned() },
    };
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if fresh {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let opened = Connection::open_with_flags(path, flags).map_err(sqlite).and_then(|mut connection| {
        connection.busy_timeout(PATIENCE).map_err(sqlite)?;
        if fresh || std::fs::metadata(path).is_ok_and(|found| found.len() == 0) {
            create_tables(&mut connection).map_err(sqlite)?;
        } else {
            check_format(&connection, path, &sqlite)?;
            migrate(&mut connection).map_err(sqlite)?;
        }
        prepare(&connection).map_err(sqlite)?;
        Ok(connection)
    });
    match opened {
        Ok(connection) => Ok(Opened { connection, read_only: None }),
        Err(LibraryError::Sqlite { error, .. }) if !fresh && is_perhaps_readable(&error) => {
            let connection = read_only(path).map_err(sqlite)?;
            check_format(&connection, path, &sqlite)?;
            Ok(Opened { connection, read_only: Some(error.to_string()) })
        }
        Err(error) => Err(error),
    }
}

/// Characters of a path that are escaped in a URI: all but those RFC 3986 calls unreserved, and `/`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

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

fn check_format(
    connection: &Connection,
    path: &Path,
    sqlite: &impl Fn(rusqlite::Error) -> LibraryError,
) -> Result<(), LibraryError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(sqlite);
    if pragma("application_id")? != APPLICATION {
        return Err(LibraryError::NotALibrary {
            what: "a database of another program".into(),
            path: path.to_owned(),
        });
    }
    let found = pragma("user_version")?;
    if !(1..=VERSION).contains(&found) {
        return Err(LibraryError::Version { found, path: path.to_owned() });
    }
    Ok(())
}

/// Settings of each connection. With a write-ahead log, readers do not wait for a writer; with `full`,
/// what was committed survives a loss of power too.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
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
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
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
        let sample = crate::sample::Sha256([7; 32]);
        assert_eq!(library.set_labels(&[sample], Some("beta"), "test").unwrap().len(), 1);
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
