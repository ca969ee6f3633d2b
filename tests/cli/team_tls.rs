//! TLS to a team's library: a certificate that fits is accepted, and no other. The server itself speaks none, so a proxy in front of it
//! does, as a server with TLS would.

use crate::home::Home;
use crate::postgres_server::server;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, UnixStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// An authority whose certificate is written to `file`.
fn authority(file: &Path) -> Issuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    std::fs::write(file, params.self_signed(&key).unwrap().pem()).unwrap();
    Issuer::new(params, key)
}

/// Starts a proxy with TLS, with a certificate for the host `name`, in front of the server with this socket. Returns its port.
fn proxy(authority: &Issuer<'_, KeyPair>, name: &str, socket: PathBuf) -> u16 {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (send, port) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap().port()).unwrap();
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                // The request for TLS, and that it is granted.
                let mut request = [0; 8];
                client.read_exact(&mut request).await.unwrap();
                client.write_all(b"S").await.unwrap();
                // A client that does not like the certificate goes away.
                let Ok(mut client) = acceptor.accept(client).await else { continue };
                let mut server = UnixStream::connect(&socket).await.unwrap();
                drop(copy_bidirectional(&mut client, &mut server).await);
            }
        });
    });
    port.recv().unwrap()
}

#[test]
fn only_a_certificate_that_fits_is_accepted() {
    let home = Home::with_known();
    let authority_of = |name: &str| authority(&home.at(name));
    let (ours, other) = (authority_of("ours.pem"), authority_of("other.pem"));
    let url = server().database();
    home.run(&["index", "known", "--library", &url]);
    let database = url.rsplit('/').next().unwrap().to_owned();
    let at = |port: u16, rest: &str| {
        format!("postgresql://owner@localhost:{port}/{database}?sslmode=require{rest}")
    };
    let check = |url: &str| home.try_run(&["library", "check", "--library", url]);
    let good = proxy(&ours, "localhost", server().socket());
    let certificate = format!("&sslrootcert={}", home.at("ours.pem").display());
    let checked = check(&at(good, &certificate));
    assert!(checked.well && checked.text.contains("36 samples"), "{}", checked.text);
    // The variable of PostgreSQL's own programs does the same.
    let mut command = home.command(&["library", "check", "--library", &at(good, "")]);
    assert!(command.env("PGSSLROOTCERT", home.at("ours.pem")).output().unwrap().status.success());
    for (url, expected) in [
        (at(good, &format!("&sslrootcert={}", home.at("other.pem").display())), "a certificate that fits"),
        (at(good, ""), "certificate"),
        (at(proxy(&ours, "db.example", server().socket()), &certificate), "a certificate that fits"),
        (at(proxy(&other, "localhost", server().socket()), &certificate), "a certificate that fits"),
        (at(good, "&sslrootcert=nothing.pem"), "certificates of authorities"),
    ] {
        let run = check(&url);
        assert!(!run.well && run.text.contains(expected), "{url}: {}", run.text);
        assert_eq!(run.text.trim_end().lines().count(), 1, "{}", run.text);
    }
}
