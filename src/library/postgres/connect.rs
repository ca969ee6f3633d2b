//! A connection to a database: the password, TLS, and what is said when it fails.
//!
//! Off this machine TLS is required and the certificate is verified, whatever the URL says. It is verified by the certificates that
//! the URL (`sslrootcert`) or the variable PGSSLROOTCERT names, else by those of the system.

use super::password::password;
use super::patience::{Connector, NO_TLS, Patience, WORK};
use crate::library::{LibraryError, Location, ServerUrl};
use postgres::config::{Host, SslMode, SslNegotiation};
use postgres::error::SqlState;
use postgres::{Client, Config, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error as _;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long to wait for a server that does not answer at first, unless the URL says otherwise (`connect_timeout`).
const OPENING: Duration = Duration::from_secs(10);
/// How long the network may leave what was sent unacknowledged, and then how often and how many times it is asked.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);
const ASKED: Duration = Duration::from_secs(5);
const TIMES: u32 = 3;

/// Connects to a database. `patience` is how long it may be silent from then on, which the URL may say (`tcp_user_timeout`).
pub fn connect(url: &ServerUrl, patience: &Patience) -> Result<Client, LibraryError> {
    let location = Location::Server(url.clone());
    let mut config = url.config().clone();
    if config.get_user().is_none() {
        config.user(&std::env::var("PGUSER").unwrap_or_else(|_| crate::library::user()));
    }
    let opening = config.get_connect_timeout().copied().unwrap_or(OPENING);
    let working = config.get_tcp_user_timeout().copied();
    config.connect_timeout(opening);
    config.tcp_user_timeout(working.unwrap_or(UNACKNOWLEDGED));
    // A network that is cut while the server works is noticed too.
    config.keepalives_idle(UNACKNOWLEDGED).keepalives_interval(ASKED).keepalives_retries(TIMES);
    config.application_name("lookalike");
    patience.set(opening);
    if let Some(password) = password(&config, &location)? {
        config.password(password.reveal());
    }
    let encrypted = is_encrypted(url);
    let client = if !encrypted && config.get_hosts().iter().any(is_socket) {
        // Nothing is between this program and the server.
        config.ssl_mode(SslMode::Disable);
        config.connect(NoTls)
    } else {
        let tls = if encrypted { Some(MakeRustlsConnect::new(tls(url, &location)?)) } else { None };
        let asks = config.get_ssl_negotiation() == SslNegotiation::Postgres;
        config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        config.connect(Connector { tls, asks, patience: patience.clone() })
    };
    let client = client.map_err(|error| refused(&error, &config, location))?;
    patience.set(working.unwrap_or(WORK));
    Ok(client)
}

/// Whether a host is a socket in the file system.
fn is_socket(host: &Host) -> bool {
    !matches!(host, Host::Tcp(_))
}

/// Whether a connection uses TLS: off this machine always, on it if the URL asks for it.
fn is_encrypted(url: &ServerUrl) -> bool {
    !url.is_local() || url.config().get_ssl_mode() == SslMode::Require
}

/// TLS that verifies certificates.
fn tls(url: &ServerUrl, location: &Location) -> Result<ClientConfig, LibraryError> {
    let named = std::env::var_os("PGSSLROOTCERT").map(PathBuf::from);
    let named = url.root_certificate().map(ToOwned::to_owned).or(named);
    let failed = |found: String| LibraryError::Server {
        expected: "certificates of authorities, in PEM".to_owned(),
        found,
        location: location.clone(),
        advice: "Name their file by sslrootcert in the URL, or by the variable PGSSLROOTCERT".to_owned(),
    };
    let mut roots = RootCertStore::empty();
    let added = match &named {
        Some(path) => {
            let shown = crate::escape::path(path);
            let read =
                CertificateDer::pem_file_iter(path).map_err(|error| failed(format!("{error} in {shown}")))?;
            let read: Vec<_> =
                read.collect::<Result<_, _>>().map_err(|error| failed(format!("{error} in {shown}")))?;
            roots.add_parsable_certificates(read).0
        }
        None => roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs).0,
    };
    if added == 0 {
        let place = named.as_deref().map_or_else(|| "this system".to_owned(), crate::escape::path);
        return Err(failed(format!("none in {place}")));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Why there is no connection.
fn refused(error: &postgres::Error, config: &Config, location: Location) -> LibraryError {
    let user = crate::escape::text(config.get_user().unwrap_or_default());
    let (expected, advice) = match error.code() {
        Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => (
            format!("a server that lets {user} in"),
            "Check the user, and the password in the variable PGPASSWORD or the file .pgpass",
        ),
        Some(&SqlState::INVALID_CATALOG_NAME) => {
            ("a database of this name".to_owned(), "Check the name, or ask the administrator to create it")
        }
        _ if is_about_tls(error) => (
            "a server with TLS and a certificate that fits".to_owned(),
            "Check the name of the host and the certificates that sslrootcert or PGSSLROOTCERT names",
        ),
        _ if error.to_string().contains("password missing") => (
            format!("a password for {user}"),
            "Put it in the variable PGPASSWORD or the file .pgpass; it is never part of the URL",
        ),
        _ => return LibraryError::Unreachable { found: reason(error), location },
    };
    LibraryError::Server { expected, found: reason(error), location, advice: advice.to_owned() }
}

/// What a server or the network said, in one line.
pub fn reason(error: &postgres::Error) -> String {
    let said = match error.as_db_error() {
        Some(said) => said.message().to_owned(),
        None => match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    };
    crate::escape::text(&said)
}

fn is_about_tls(error: &postgres::Error) -> bool {
    let (mut cause, mut is_cut) = (error.source(), false);
    while let Some(this) = cause {
        if this.is::<rustls::Error>() {
            return true;
        }
        // A connector wraps its own errors in those of the operating system.
        let io = this.downcast_ref::<std::io::Error>();
        is_cut |= io.is_some_and(|io| CUT.contains(&io.kind()));
        let inner = io.and_then(std::io::Error::get_ref);
        if inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        cause = this.source();
    }
    let said = error.source().is_some_and(|cause| cause.to_string().contains(NO_TLS));
    said || error.to_string().contains("TLS handshake") && !is_cut
}

/// The errors by which a cut network shows.
const CUT: [ErrorKind; 6] = [
    ErrorKind::TimedOut,
    ErrorKind::ConnectionReset,
    ErrorKind::ConnectionAborted,
    ErrorKind::BrokenPipe,
    ErrorKind::UnexpectedEof,
    ErrorKind::HostUnreachable,
];

/// Why a statement failed.
pub fn failed(error: &postgres::Error, location: &Location) -> LibraryError {
    let location = location.clone();
    let (expected, advice) = match error.code() {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => (
            "a role that may do this",
            "Nothing was changed. Ask the library's curator for the role lookalike_contributor or lookalike_curator",
        ),
        Some(&SqlState::DISK_FULL) => {
            ("a server with free disk space", "Nothing was changed. Tell the server's administrator")
        }
        // The one check that a program of this version can break is of a library that was sharded while it was open.
        Some(&SqlState::CHECK_VIOLATION) => (
            "a library as it was when it was opened",
            "Nothing was changed. It has shards now: open it again",
        ),
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
            ("a server that can be written to", "Nothing was changed. Name the primary server")
        }
        // Only values that are not what they should be are found here and not by the server or the network.
        None if error.source().is_none_or(|cause| cause.is::<std::io::Error>()) => {
            return LibraryError::Lost { found: reason(error), location };
        }
        // The server is stopping, has crashed, or is starting.
        Some(&SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN | &SqlState::CANNOT_CONNECT_NOW) => {
            return LibraryError::Lost { found: reason(error), location };
        }
        _ => ("a server that does as it is asked", "Nothing was changed. Try again"),
    };
    LibraryError::Server {
        expected: expected.to_owned(),
        found: reason(error),
        location,
        advice: advice.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_this_machine_a_connection_is_encrypted_whatever_the_url_says() {
        for (text, expected) in [
            ("postgresql://db.example/l?sslmode=disable", true),
            ("postgresql://db.example/l?sslmode=prefer", true),
            ("postgresql://localhost,db.example/l?sslmode=disable", true),
            ("postgresql://localhost/l?hostaddr=192.0.2.1&sslmode=disable", true),
            ("postgresql://localhost/l?sslmode=require", true),
            ("postgresql://localhost/l", false),
            ("postgresql://%2Ftmp/l", !cfg!(unix)),
        ] {
            assert_eq!(is_encrypted(&ServerUrl::parse(text).unwrap()), expected, "{text}");
        }
    }
}
