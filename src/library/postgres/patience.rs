//! Patience with a server. A network that is cut says nothing: what was sent is lost, or its answer is, and a proxy in between may
//! go on acknowledging it. So a connection over which nothing moves for some time, while an answer is awaited, is taken for lost.

use postgres::Socket;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long a server that is asked to do something may be silent, unless the URL says otherwise. What it does at once in a large
/// library, such as renaming a label, takes seconds.
pub const WORK: Duration = Duration::from_secs(120);

/// How long nothing may move: shared with a connection, and changed while it is open. Zero is without end.
#[derive(Clone, Debug, Default)]
pub struct Patience(Arc<AtomicU64>);

impl Patience {
    /// Sets it.
    pub fn set(&self, to: Duration) {
        self.0.store(u64::try_from(to.as_millis()).unwrap_or(0), Ordering::Relaxed);
    }

    /// Sets it to without end for some work of the server, and back afterwards.
    pub fn lift(&self) -> Lifted {
        Lifted(self.clone(), self.0.swap(0, Ordering::Relaxed))
    }

    fn get(&self) -> Option<Duration> {
        Some(Duration::from_millis(self.0.load(Ordering::Relaxed))).filter(|patience| !patience.is_zero())
    }
}

/// Patience without end; it is as before when this is dropped.
pub struct Lifted(Patience, u64);

impl Drop for Lifted {
    fn drop(&mut self) {
        self.0.0.store(self.1, Ordering::Relaxed);
    }
}

/// A connection that is lost when nothing moves for too long.
pub struct Patient<S> {
    stream: S,
    patience: Patience,
    /// When something moved last.
    last: Instant,
    /// Half of the patience. A connection that nobody waits for is not looked at, so the first half may have passed at rest. It stays
    /// when something is written, since it wakes who waits for the answer.
    half: Option<Pin<Box<Sleep>>>,
    /// The first half has passed.
    passed: bool,
    lost: bool,
}

impl<S> Patient<S> {
    fn new(stream: S, patience: Patience) -> Self {
        Self { stream, patience, last: Instant::now(), half: None, passed: false, lost: false }
    }

    fn moved(&mut self) {
        (self.last, self.passed) = (Instant::now(), false);
    }

    /// While nothing comes: fails when it has been too long.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.lost {
            let Some(long) = self.patience.get().map(|patience| patience / 2) else {
                self.moved();
                return Poll::Pending;
            };
            let until = self.last + long;
            let half = self.half.get_or_insert_with(|| Box::pin(sleep_until(until)));
            ready!(half.as_mut().poll(context));
            self.half = None;
            if self.last.elapsed() >= long {
                self.lost = std::mem::replace(&mut self.passed, true);
                self.half = Some(Box::pin(sleep_until(Instant::now() + long)));
            }
        }
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the server has not answered for too long")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_read(context, into) {
            Poll::Ready(read) => {
                this.moved();
                Poll::Ready(read)
            }
            Poll::Pending => this.wait(context),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(context, bytes));
        this.moved();
        Poll::Ready(written)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Patient<Socket>>>::Stream;

/// A connection, encrypted or not.
pub enum Wire {
    /// On this machine.
    Plain(Box<Patient<Socket>>),
    /// By TLS.
    Encrypted(Box<Encrypted>),
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, into),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

impl TlsStream for Wire {
    fn channel_binding(&self) -> ChannelBinding {
        match self {
            Self::Plain(_) => ChannelBinding::none(),
            Self::Encrypted(stream) => stream.channel_binding(),
        }
    }
}

/// Makes connections that are lost when nothing moves for too long. The client takes all of them for TLS that begins at once, so what
/// is said before that is said here, with the same patience.
pub struct Connector {
    /// For a connection that is encrypted.
    pub tls: Option<MakeRustlsConnect>,
    /// Whether the server is asked for TLS first, as all but a few expect.
    pub asks: bool,
    /// With the server.
    pub patience: Patience,
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Wire;
    type TlsConnect = Connecting;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connecting, io::Error> {
        let make = |tls: &mut MakeRustlsConnect| {
            MakeTlsConnect::<Patient<Socket>>::make_tls_connect(tls, host).map_err(io::Error::other)
        };
        Ok(Connecting {
            tls: self.tls.as_mut().map(make).transpose()?,
            asks: self.asks,
            patience: self.patience.clone(),
        })
    }
}

/// A connection that is about to be made.
pub struct Connecting {
    tls: Option<<MakeRustlsConnect as MakeTlsConnect<Patient<Socket>>>::TlsConnect>,
    asks: bool,
    patience: Patience,
}

impl TlsConnect<Socket> for Connecting {
    type Stream = Wire;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Wire, Self::Error>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let mut stream = Patient::new(socket, self.patience);
            let Some(tls) = self.tls else { return Ok(Wire::Plain(Box::new(stream))) };
            if self.asks {
                stream.write_all(&SSL_REQUEST).await?;
                if stream.read_u8().await? != b'S' {
                    return Err(NO_TLS.into());
                }
            }
            Ok(Wire::Encrypted(Box::new(tls.connect(stream).await?)))
        })
    }
}

/// Asks for TLS (PostgreSQL 18 documentation, 54.7 "Message Formats": SSLRequest).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// What is said of a server without TLS.
pub const NO_TLS: &str = "server does not support TLS";

#[cfg(test)]
mod tests {
    use super::*;

    /// How long reading from a connection takes that says nothing after `pause` at rest.
    fn silence(patience: Duration, pause: Duration) -> (Duration, io::Result<()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (near, _far) = tokio::io::duplex(64);
        let shared = Patience::default();
        shared.set(patience);
        let mut stream = Patient::new(near, shared);
        // A connection is looked at once more when an answer is complete.
        runtime.block_on(async {
            std::future::poll_fn(|context| {
                let mut bytes = [0; 8];
                let mut into = ReadBuf::new(&mut bytes);
                assert!(Pin::new(&mut stream).poll_read(context, &mut into).is_pending());
                Poll::Ready(())
            })
            .await;
        });
        std::thread::sleep(pause);
        let begun = Instant::now();
        // As the client does: it looks whether something came, writes, and waits.
        let (mut written, mut byte) = (false, [0; 1]);
        let read = runtime.block_on(std::future::poll_fn(|context| {
            let mut into = ReadBuf::new(&mut byte);
            let read = Pin::new(&mut stream).poll_read(context, &mut into);
            if !std::mem::replace(&mut written, true) {
                assert!(Pin::new(&mut stream).poll_write(context, b"?").is_ready());
            }
            read
        }));
        (begun.elapsed(), read)
    }

    #[test]
    fn silence_ends_a_connection_after_the_patience_and_rest_does_not() {
        for pause in [0, 300] {
            let (took, read) = silence(Duration::from_millis(200), Duration::from_millis(pause));
            assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert!(took >= Duration::from_millis(190) && took < Duration::from_secs(5), "{took:?}");
        }
    }

    #[test]
    fn patience_is_lifted_and_comes_back() {
        let patience = Patience::default();
        patience.set(WORK);
        let lifted = patience.lift();
        assert_eq!(patience.get(), None);
        drop(lifted);
        assert_eq!(patience.get(), Some(WORK));
    }
}
