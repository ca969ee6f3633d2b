//! Where the password of a database comes from: the variable PGPASSWORD, or the file .pgpass as PostgreSQL's own programs read it
//! (PostgreSQL 18 documentation, 32.16 "The Password File").

use crate::library::{LibraryError, Location};
use crate::secret::Secret;
use postgres::Config;
use postgres::config::Host;
use std::path::{Path, PathBuf};

/// The port of PostgreSQL.
const PORT: u16 = 5432;

/// The password for a connection, if there is one.
pub fn password(config: &Config, location: &Location) -> Result<Option<Secret>, LibraryError> {
    if let Ok(password) = std::env::var("PGPASSWORD") {
        return Ok(Some(password.into()));
    }
    let Some(path) = file().filter(|path| path.is_file()) else { return Ok(None) };
    let shown = crate::escape::path(&path);
    let unusable = |found: String, advice: &str| LibraryError::Server {
        expected: "a password file that only you can read".to_owned(),
        found,
        location: location.clone(),
        advice: advice.to_owned(),
    };
    if is_open_to_others(&path) {
        return Err(unusable(format!("{shown}, which others can read"), "Change its permissions: chmod 600"));
    }
    let text = std::fs::read_to_string(&path)
        .map_err(|error| unusable(format!("{shown}: {error}"), "Check your permission to read it"))?;
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        _ => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(PORT).to_string();
    let asked =
        [&host, &port, config.get_dbname().unwrap_or_default(), config.get_user().unwrap_or_default()];
    Ok(text.lines().find_map(|line| password_in(line, asked)))
}

/// The password file.
fn file() -> Option<PathBuf> {
    let named = std::env::var_os("PGPASSFILE").map(PathBuf::from);
    let home = || {
        if cfg!(windows) {
            return Some(PathBuf::from(std::env::var_os("APPDATA")?).join("postgresql").join("pgpass.conf"));
        }
        Some(PathBuf::from(std::env::var_os("HOME")?).join(".pgpass"))
    };
    named.or_else(home)
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// The password in one line, `host:port:database:user:password`, if it is for the connection that is asked for.
fn password_in(line: &str, asked: [&str; 4]) -> Option<Secret> {
    if line.starts_with('#') {
        return None;
    }
    let (mut fields, mut field, mut rest) = (Vec::new(), String::new(), line.chars());
    while fields.len() < asked.len() {
        match rest.next()? {
            '\\' => field.extend(rest.next()),
            ':' => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    let fits = fields.iter().zip(asked).all(|(field, asked)| field == "*" || field == asked);
    let mut password = String::new();
    while let Some(next) = rest.next() {
        match next {
            '\\' => password.extend(rest.next()),
            other => password.push(other),
        }
    }
    fits.then(|| password.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fits_by_its_fields() {
        let asked = ["db", "5432", "samples", "ada"];
        let found = |line| password_in(line, asked).map(|secret| secret.reveal().to_owned());
        assert_eq!(found("db:5432:samples:ada:s:e\\:c\\\\ret").as_deref(), Some("s:e:c\\ret"));
        assert_eq!(found("*:*:*:ada:x").as_deref(), Some("x"));
        assert_eq!(found("*:*:*:bob:x"), None);
        assert_eq!(found("#*:*:*:*:x"), None);
        assert_eq!(found("db:5432"), None);
        assert_eq!(password_in("a\\:b:*:*:*:x", ["a:b", "1", "l", "u"]).unwrap().reveal(), "x");
    }
}
