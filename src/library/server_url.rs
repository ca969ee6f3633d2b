//! The URL of a PostgreSQL database: `postgresql://USER@HOST:PORT/DATABASE`. It never has a password, so it can be shown, kept and
//! named on a command line.

use crate::escape;
use postgres::config::Host;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What it begins with.
const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];
/// The parameter that names a file of certificates. The others are the client's.
const ROOT_CERTIFICATE: &str = "sslrootcert";

/// Why a URL of a database is not accepted.
#[derive(Debug, thiserror::Error)]
#[error("expected the URL of a database, postgresql://USER@HOST/DATABASE, found {found}. {advice}")]
pub struct UrlError {
    /// What was found, without a password.
    found: String,
    /// What to do.
    advice: &'static str,
}

/// The URL of a database, without a password.
#[derive(Clone, Debug)]
pub struct ServerUrl {
    text: String,
    settings: Arc<Settings>,
}

/// What a URL says.
#[derive(Debug)]
struct Settings {
    config: postgres::Config,
    root_certificate: Option<PathBuf>,
}

impl PartialEq for ServerUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ServerUrl {}

impl std::hash::Hash for ServerUrl {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl ServerUrl {
    /// Whether a text is meant as the URL of a database.
    pub fn is_one(text: &str) -> bool {
        SCHEMES.iter().any(|scheme| text.starts_with(scheme))
    }

    /// Reads a URL.
    ///
    /// # Errors
    /// It has a password, names no host or no database, or cannot be read. The error has no part of a password.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let refused = |found: &str, advice| UrlError { found: found.to_owned(), advice };
        let (text, root_certificate) = split_certificate(text);
        let config: postgres::Config = text.parse().map_err(|error: postgres::Error| {
            let why =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            refused(&format!("one that cannot be read ({why})"), "Check its spelling")
        })?;
        if config.get_password().is_some() {
            return Err(refused(
                "one with a password",
                "Leave the password out: put it in the variable PGPASSWORD or the file .pgpass",
            ));
        }
        if config.get_hosts().is_empty() {
            return Err(refused("one without a host", "Name the server"));
        }
        if config.get_dbname().is_none() {
            return Err(refused("one without a database", "Name the database behind the host"));
        }
        Ok(Self { text, settings: Arc::new(Settings { config, root_certificate }) })
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The database.
    pub fn database(&self) -> &str {
        self.settings.config.get_dbname().unwrap_or_default()
    }

    /// The server, for people: its name or its address, of several the first.
    pub fn host(&self) -> String {
        match self.settings.config.get_hosts().first() {
            Some(Host::Tcp(name)) => escape::text(name),
            #[cfg(unix)]
            Some(Host::Unix(_)) => "the server on this machine".to_owned(),
            None => String::new(),
        }
    }

    /// The settings of a connection, without a password.
    pub fn config(&self) -> &postgres::Config {
        &self.settings.config
    }

    /// The same database for whom another URL names: its user, and its file of certificates unless this one names its own.
    pub fn as_user_of(&self, other: &Self) -> Self {
        let mut config = self.config().clone();
        if let Some(user) = other.config().get_user() {
            config.user(user);
        }
        let named = self.root_certificate().or(other.root_certificate());
        let settings = Settings { config, root_certificate: named.map(ToOwned::to_owned) };
        Self { text: self.text.clone(), settings: Arc::new(settings) }
    }

    /// The URL without its user.
    pub fn without_user(&self) -> String {
        let Some((scheme, rest)) = self.text.split_once("://") else { return self.text.clone() };
        let host = rest.find('/').unwrap_or(rest.len());
        match rest.get(..host).and_then(|authority| authority.rfind('@')).and_then(|at| rest.get(at + 1..)) {
            Some(rest) => format!("{scheme}://{rest}"),
            None => self.text.clone(),
        }
    }

    /// The file of certificates that it names.
    pub fn root_certificate(&self) -> Option<&Path> {
        self.settings.root_certificate.as_deref()
    }

    /// Whether nothing that is sent leaves this machine: each host is a socket in the file system, or a loopback address.
    pub fn is_local(&self) -> bool {
        let local = |host: &Host| match host {
            Host::Tcp(name) => {
                let address = name.trim_start_matches('[').trim_end_matches(']').parse();
                name == "localhost" || address.is_ok_and(|address: std::net::IpAddr| address.is_loopback())
            }
            #[cfg(unix)]
            Host::Unix(_) => true,
        };
        let config = self.config();
        let addresses = config.get_hostaddrs();
        config.get_hosts().iter().all(local) && addresses.iter().all(|address| address.is_loopback())
    }
}

/// A URL without the parameter that names certificates, and its value.
fn split_certificate(text: &str) -> (String, Option<PathBuf>) {
    let Some((base, query)) = text.split_once('?') else { return (text.to_owned(), None) };
    let prefix = format!("{ROOT_CERTIFICATE}=");
    let certificate = query.split('&').find_map(|parameter| parameter.strip_prefix(&prefix));
    let certificate = certificate.map(|value| {
        PathBuf::from(percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned())
    });
    let rest: Vec<&str> = query.split('&').filter(|parameter| !parameter.starts_with(&prefix)).collect();
    match rest.is_empty() {
        true => (base.to_owned(), certificate),
        false => (format!("{base}?{}", rest.join("&")), certificate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_database_and_no_password() {
        let url = ServerUrl::parse("postgresql://ada@db.example:5433/samples?connect_timeout=3").unwrap();
        assert_eq!((url.database(), url.config().get_user()), ("samples", Some("ada")));
        assert!(!url.is_local());
        for (text, expected) in [
            ("postgresql://ada:hunter2@db/samples", "one with a password"),
            ("postgresql://ada@db/samples?password=hunter2", "one with a password"),
            ("postgresql://ada@db", "without a database"),
            ("postgres:///samples", "without a host"),
            ("postgresql://db/samples?colour=red", "cannot be read"),
            ("postgresql://db:port/samples", "cannot be read"),
        ] {
            let error = ServerUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_leaves_this_machine_is_known() {
        for (text, local) in [
            ("postgresql://localhost/l", true),
            ("postgresql://127.0.0.1:5555/l", true),
            ("postgresql://[::1]/l", true),
            ("postgresql://%2Fvar%2Frun%2Fpostgresql/l", cfg!(unix)),
            ("postgresql://192.168.1.2/l", false),
            ("postgresql://localhost.example.org/l", false),
            ("postgresql://localhost,db/l", false),
            ("postgresql://localhost/l?hostaddr=10.0.0.1", false),
        ] {
            assert_eq!(ServerUrl::parse(text).unwrap().is_local(), local, "{text}");
        }
    }

    #[test]
    fn a_database_is_kept_without_its_user_and_opened_as_another_ones() {
        for (text, kept) in [
            ("postgresql://ada@db:5433/l?connect_timeout=3", "postgresql://db:5433/l?connect_timeout=3"),
            ("postgres://bob@%2Ftmp/l", "postgres://%2Ftmp/l"),
            ("postgresql://db/l", "postgresql://db/l"),
        ] {
            let kept_url = ServerUrl::parse(&ServerUrl::parse(text).unwrap().without_user()).unwrap();
            assert_eq!(kept_url.as_str(), kept);
            let main = ServerUrl::parse("postgresql://eve@main/l?sslrootcert=/ca.pem").unwrap();
            let opened = kept_url.as_user_of(&main);
            assert_eq!((opened.config().get_user(), opened.as_str()), (Some("eve"), kept));
            assert_eq!(opened.root_certificate(), Some(Path::new("/ca.pem")));
            assert_eq!(opened.is_local(), kept_url.is_local());
        }
    }

    #[test]
    fn certificates_are_named_by_a_parameter() {
        let url = ServerUrl::parse("postgresql://db/l?sslrootcert=%2Fca.pem&connect_timeout=3").unwrap();
        assert_eq!(url.root_certificate(), Some(Path::new("/ca.pem")));
        assert_eq!(url.as_str(), "postgresql://db/l?connect_timeout=3");
    }
}
