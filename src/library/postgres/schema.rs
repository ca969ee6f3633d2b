//! How a team's library is recognised in a database, created and migrated. Migrations are SQL files, applied in order and never
//! taken back. Only a role that may create tables applies them: the curator.

use super::connect::{failed, reason};
use crate::library::{LibraryError, Location};
use postgres::Client;
use postgres::error::SqlState;

/// What creates and migrates a library: the first makes version 1.
const MIGRATIONS: [&str; 4] = [
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
    include_str!("migrations/4.sql"),
];
/// The version of the tables.
const VERSION: i64 = MIGRATIONS.len() as i64;
/// The earliest PostgreSQL, as `server_version_num` has it.
const POSTGRES: i32 = 150_000;
/// The earliest pgvector: the first whose indexes go on searching when a filter leaves too few.
const PGVECTOR: [u32; 2] = [0, 8];
/// How a library of this program is marked.
const APPLICATION: &str = "org.lookalike.Lookalike";
/// What creating a library locks, so that two programs do not create it at once.
const CREATING: i64 = 0x4c4b_414c;

/// Makes sure that the database has a library of this version. With `create`, creates one where there is none; one of an earlier
/// version is migrated. Returns why it is read-only, if it is.
pub fn prepare(
    client: &mut Client,
    create: bool,
    location: &Location,
) -> Result<Option<String>, LibraryError> {
    let sql = |error: postgres::Error| failed(&error, location);
    check_server(client, location)?;
    if !exists(client).map_err(sql)? {
        if !create {
            return Err(LibraryError::NoLibrary { location: location.clone() });
        }
        apply(client, 0, location)?;
    }
    let found = version(client, location)?;
    if found > VERSION {
        return Err(LibraryError::Version { found, expected: VERSION, location: location.clone() });
    }
    if found < VERSION {
        apply(client, found, location)?;
    }
    let writes: bool = client
        .query_one(
            "SELECT has_table_privilege('lookalike.samples', 'INSERT') AND NOT pg_is_in_recovery()",
            &[],
        )
        .map_err(sql)?
        .get(0);
    Ok((!writes).then(|| "your role may read this library and not change it".to_owned()))
}

/// Fails if the server or its pgvector is older than this program needs.
fn check_server(client: &mut Client, location: &Location) -> Result<(), LibraryError> {
    let row = client
        .query_one(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version'),
                 (SELECT extversion FROM pg_extension WHERE extname = 'vector'),
                 (SELECT default_version FROM pg_available_extensions WHERE name = 'vector')",
            &[],
        )
        .map_err(|error| failed(&error, location))?;
    let (number, name): (i32, String) = (row.get(0), row.get(1));
    let (installed, available): (Option<String>, Option<String>) = (row.get(2), row.get(3));
    match unfit(number, &name, installed.or(available).as_deref()) {
        None => Ok(()),
        Some((found, advice)) => Err(LibraryError::Server {
            expected: format!(
                "PostgreSQL {} or later with pgvector {}.{} or later",
                POSTGRES / 10_000,
                PGVECTOR[0],
                PGVECTOR[1]
            ),
            found,
            location: location.clone(),
            advice: advice.to_owned(),
        }),
    }
}

/// What is found of a server that does not do, and what to do about it.
fn unfit(number: i32, name: &str, pgvector: Option<&str>) -> Option<(String, &'static str)> {
    let Some(pgvector) = pgvector else {
        let found = format!("PostgreSQL {name} without pgvector");
        return Some((found, "Ask the server's administrator to install pgvector"));
    };
    let mut parts = pgvector.split('.').map(|part| part.parse().unwrap_or(0));
    let found = [parts.next().unwrap_or(0), parts.next().unwrap_or(0)];
    let old = number < POSTGRES || found < PGVECTOR;
    old.then(|| {
        (format!("PostgreSQL {name} with pgvector {pgvector}"), "Ask the server's administrator to update it")
    })
}

fn exists(client: &mut Client) -> Result<bool, postgres::Error> {
    Ok(client.query_one("SELECT to_regnamespace('lookalike') IS NOT NULL", &[])?.get(0))
}

/// The version of the library; fails if the schema is another program's.
fn version(client: &mut Client, location: &Location) -> Result<i64, LibraryError> {
    let foreign = || LibraryError::Server {
        expected: "a Lookalike library in the schema \"lookalike\"".to_owned(),
        found: "the schema of another program".to_owned(),
        location: location.clone(),
        advice: "It was not changed. Use another database".to_owned(),
    };
    match client.query_opt("SELECT application, version FROM lookalike.library", &[]) {
        Ok(Some(row)) => {
            let application: Option<String> = row.try_get(0).ok();
            let version: Option<i32> = row.try_get(1).ok();
            version.filter(|_| application.as_deref() == Some(APPLICATION)).map(i64::from).ok_or_else(foreign)
        }
        Ok(None) => Err(foreign()),
        Err(error) => match error.code() {
            Some(&SqlState::UNDEFINED_TABLE | &SqlState::UNDEFINED_COLUMN) => Err(foreign()),
            _ => Err(failed(&error, location)),
        },
    }
}

/// Applies the migrations after version `from`: all of them or none.
fn apply(client: &mut Client, from: i64, location: &Location) -> Result<(), LibraryError> {
    let mut migrate = || {
        let mut transaction = client.transaction()?;
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&CREATING])?;
        // Another program may have done it meanwhile.
        let row = transaction.query_one("SELECT to_regclass('lookalike.library') IS NOT NULL", &[])?;
        let found = match row.get(0) {
            true => i64::from(
                transaction.query_one("SELECT version FROM lookalike.library", &[])?.get::<_, i32>(0),
            ),
            false => 0,
        };
        if found != from {
            return transaction.commit();
        }
        if from == 0 {
            transaction.batch_execute("CREATE EXTENSION IF NOT EXISTS vector")?;
        }
        for migration in MIGRATIONS.iter().skip(from as usize) {
            transaction.batch_execute(migration)?;
        }
        transaction.execute("UPDATE lookalike.library SET version = $1", &[&(VERSION as i32)])?;
        transaction.commit()
    };
    migrate().map_err(|error| match error.code() {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => LibraryError::Server {
            expected: match from {
                0 => "a role that may create a library".to_owned(),
                _ => format!(
                    "a library of version {VERSION}, or a role that may migrate it from version {from}"
                ),
            },
            found: reason(&error),
            location: location.clone(),
            advice: "Nothing was changed. Ask the database's owner to open it with this Lookalike once"
                .to_owned(),
        },
        _ => failed(&error, location),
    })
}

#[cfg(test)]
mod tests {
    use super::unfit;

    #[test]
    fn an_older_server_is_named_with_both_versions() {
        assert_eq!(unfit(180_006, "18.6", Some("0.8.6")), None);
        assert_eq!(unfit(150_018, "15.18", Some("0.10.0")), None);
        for (number, name, pgvector, expected) in [
            (140_010, "14.10", Some("0.8.0"), "PostgreSQL 14.10 with pgvector 0.8.0"),
            (180_006, "18.6", Some("0.7.4"), "PostgreSQL 18.6 with pgvector 0.7.4"),
            (180_006, "18.6", None, "PostgreSQL 18.6 without pgvector"),
        ] {
            assert_eq!(unfit(number, name, pgvector).unwrap().0, expected);
        }
    }
}
