//! The tables, and telling a library of this version from everything else.

use super::LibraryError;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Version of the tables, kept as SQLite's `user_version`.
pub const VERSION: i64 = 1;
/// "LKAL", kept as SQLite's `application_id`, so that `file` and we can tell a library.
const APPLICATION: i64 = 0x4c4b_414c;

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
-- The model that was used last answers.
CREATE TABLE current_model (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    model INTEGER NOT NULL REFERENCES models(id)
);
";

/// Opens `path`, which must be a library of this version; with `create`, makes one where there is
/// no file yet.
pub fn open(path: &Path, create: bool) -> Result<Connection, LibraryError> {
    let fresh = !path.exists();
    if fresh && !create {
        return Err(LibraryError::Missing { path: path.to_owned() });
    }
    if path.is_dir() {
        return Err(LibraryError::NotALibrary { what: "a folder".into(), path: path.to_owned() });
    }
    let sqlite = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => {
            LibraryError::NotALibrary { what: "a file of another format".into(), path: path.to_owned() }
        }
        _ => LibraryError::Sqlite { error, path: path.to_owned() },
    };
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if fresh {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let mut connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    let empty = fresh || std::fs::metadata(path).is_ok_and(|found| found.len() == 0);
    if empty {
        make(&mut connection).map_err(sqlite)?;
    } else {
        let pragma =
            |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(sqlite);
        if pragma("application_id")? != APPLICATION {
            return Err(LibraryError::NotALibrary {
                what: "a database of another program".into(),
                path: path.to_owned(),
            });
        }
        let found = pragma("user_version")?;
        if found != VERSION {
            return Err(LibraryError::Version { found, path: path.to_owned() });
        }
    }
    connection.pragma_update(None, "foreign_keys", true).map_err(sqlite)?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(sqlite)?;
    Ok(connection)
}

fn make(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
