//! A network that can be cut: a proxy in front of a server's socket. What is sent in a direction that is cut vanishes without a word,
//! and the connections stay open.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

/// In which directions a network is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// In none.
    Nowhere,
    /// What clients send vanishes.
    ToServer,
    /// What the server sends vanishes.
    ToClients,
    /// Both.
    Both,
}

#[derive(Default)]
struct State {
    to_server: AtomicBool,
    to_clients: AtomicBool,
    /// Bytes from clients after which both directions are cut; below zero never.
    left: AtomicI64,
    /// Connections so far.
    connections: AtomicUsize,
}

/// A proxy on a port of this machine.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

impl Proxy {
    /// In front of a socket in the file system.
    pub fn before(socket: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State { left: AtomicI64::new(-1), ..State::default() });
        let (shared, socket) = (Arc::clone(&state), socket.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                connect(client, socket.clone(), &shared);
            }
        });
        Self { port, state }
    }

    /// The URL of a database through it, with little patience.
    pub fn url(&self, user: &str, database: &str) -> String {
        format!("postgresql://{user}@127.0.0.1:{}/{database}?connect_timeout=2&tcp_user_timeout=4", self.port)
    }

    /// Cuts the network, or mends it.
    pub fn cut(&self, cut: Cut) {
        self.state.left.store(-1, Ordering::Relaxed);
        self.state.to_server.store(matches!(cut, Cut::ToServer | Cut::Both), Ordering::Relaxed);
        self.state.to_clients.store(matches!(cut, Cut::ToClients | Cut::Both), Ordering::Relaxed);
    }

    /// Cuts both directions once clients have sent this much more.
    pub fn cut_after(&self, bytes: i64) {
        self.state.left.store(bytes, Ordering::Relaxed);
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

fn connect(client: TcpStream, socket: PathBuf, state: &Arc<State>) {
    // A server that is not there refuses.
    let Ok(server) = UnixStream::connect(socket) else { return };
    let (mut from_client, mut to_client) = (client.try_clone().unwrap(), client);
    let (mut from_server, mut to_server) = (server.try_clone().unwrap(), server);
    let shared = Arc::clone(state);
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = from_client.read(&mut bytes) {
            let left = shared.left.load(Ordering::Relaxed);
            if left >= 0 {
                shared.left.store((left - n as i64).max(0), Ordering::Relaxed);
                if left <= n as i64 {
                    shared.to_server.store(true, Ordering::Relaxed);
                    shared.to_clients.store(true, Ordering::Relaxed);
                }
            }
            if !shared.to_server.load(Ordering::Relaxed) && to_server.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        drop(to_server.shutdown(Shutdown::Both));
    });
    let shared = Arc::clone(state);
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = from_server.read(&mut bytes) {
            if !shared.to_clients.load(Ordering::Relaxed) && to_client.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        // Of a network that is cut the client does not hear that the server has ended.
        if !shared.to_clients.load(Ordering::Relaxed) {
            drop(to_client.shutdown(Shutdown::Both));
        }
    });
}
