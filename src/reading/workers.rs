//! The workers: as many processes as are asked at once, started when they are needed and kept. One that
//! dies, hangs or talks nonsense is replaced, and costs the file that it was at.

use super::protocol::{BATCH, FRAME, Reply, Request, VERSION, heard, send};
use super::sandbox::Protection;
use super::task::{Item, Made, Refused, Task};
use crate::sample::Passwords;
use crate::sample::archive::Limits as ArchiveLimits;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How often whoever waits looks whether it should go on.
const LOOK: Duration = Duration::from_millis(100);
/// A disk that is slower than this, in bytes a second, counts as one that hangs.
const SLOWEST: u64 = 4 << 20;
/// Workers that may end between two files before one of these is blamed.
const SPARED: usize = 2 * BATCH;
/// How often a worker is started before that counts as impossible.
const STARTS: usize = 6;
/// Time for a process to start.
const START: Duration = Duration::from_secs(20);

/// What a worker may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: u64,
    /// Time for one file, and more for a long one.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        // An archive has a limit of its own, which says more.
        Self { memory: 2 << 30, time: ArchiveLimits::default().time + Duration::from_secs(30) }
    }
}

/// The workers that wait for work.
#[derive(Debug)]
pub struct Workers {
    program: PathBuf,
    limits: Limits,
    free: Mutex<Vec<Worker>>,
    protection: OnceLock<Protection>,
    running: Arc<Mutex<BTreeSet<u32>>>,
}

/// What becomes of each file: which of those given, its name or that of a file in it, and what was made.
pub type Each<'a> = &'a mut dyn FnMut(usize, PathBuf, Result<Made, Refused>);

impl Workers {
    /// `program` is this program; nothing is started yet.
    pub fn new(program: PathBuf, limits: Limits) -> Self {
        Self { program, limits, free: Mutex::default(), protection: OnceLock::new(), running: Arc::default() }
    }

    /// What the workers cannot do, once one was started.
    pub fn protection(&self) -> Option<Protection> {
        self.protection.get().copied()
    }

    /// Reads files, [`BATCH`] at most, one after the other. `stop` is asked while it waits; then the
    /// rest is left out.
    pub fn read(
        &self,
        task: Task,
        passwords: &Passwords,
        files: &[(Item, File)],
        stop: &dyn Fn() -> bool,
        each: Each<'_>,
    ) {
        let (mut first, mut spared, mut again) = (0, 0, None);
        while let Some(rest) = files.get(first..).filter(|rest| !rest.is_empty()) {
            let rest = rest.get(..BATCH).unwrap_or(rest);
            let mut worker = match self.take() {
                Ok(worker) => worker,
                Err(error) => {
                    let reason = format!(
                        "could not be read: expected to start a process of this program that reads it, found: {error}. Start the program again"
                    );
                    for (at, (item, _)) in rest.iter().enumerate() {
                        each(first + at, item.path.clone(), Err(Refused::new(&reason)));
                    }
                    first += rest.len();
                    continue;
                }
            };
            let mut done = Done::default();
            let served =
                worker.serve(task, passwords, rest, self.limits, stop, &mut done, &mut |at, path, made| {
                    each(first + at, path, made);
                });
            first += done.files;
            match served {
                Ok(()) => self.free.lock().unwrap_or_else(PoisonError::into_inner).push(worker),
                Err(End::Stopped) => return,
                // Whatever ended it, it was at no file.
                Err(_) if done.between && spared < SPARED => spared += 1,
                // It may have died while it still waited, and nobody has noticed: the file is tried once more.
                Err(End::Gone(_)) if done.files == 0 && again != Some(first) => {
                    again = Some(first);
                    // The descriptor is shared: what the worker read is to be read again. Where that fails, the next
                    // one finds fewer bytes than expected, and says so.
                    let _ = rest.first().map(|(_, file)| (&*file).rewind());
                }
                Err(end) => {
                    let reason = end.reason(worker, self.limits);
                    if let Some((item, _)) = files.get(first) {
                        each(first, item.path.clone(), Err(Refused::new(reason)));
                    }
                    first += 1;
                }
            }
        }
    }

    /// Their process identifiers.
    pub fn running(&self) -> Vec<u32> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.iter().copied().collect()
    }

    fn take(&self) -> io::Result<Worker> {
        let waiting = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(worker) = waiting {
            return Ok(worker);
        }
        let start = || Worker::start(&self.program, self.limits, &self.running);
        // Whatever ended one before it began, such as the system in need of memory, may spare the next.
        let mut started = start();
        for _ in 1..STARTS {
            started = started.or_else(|_| start());
        }
        let (worker, protection) = started?;
        if self.protection.set(protection).is_ok() {
            tracing::info!("samples are read by processes of their own: {protection:?}");
        }
        Ok(worker)
    }
}

/// How far a worker came with what it was given.
#[derive(Debug, Default)]
struct Done {
    /// Files of which everything was said.
    files: usize,
    /// Whether the next was not begun.
    between: bool,
}

/// Why a worker is of no more use.
#[derive(Debug)]
enum End {
    /// Nobody wants its answer any more.
    Stopped,
    /// It took too long.
    Hung,
    /// It said what cannot be.
    Nonsense,
    /// It died, or cannot be talked to.
    Gone(io::Error),
}

impl End {
    fn reason(&self, mut worker: Worker, limits: Limits) -> String {
        let what = match self {
            Self::Gone(error) => match worker.child.wait().map(|status| (status.signal(), status.code())) {
                Ok((Some(signal), _)) => format!(
                    "ended it by signal {signal}, which happens when more than {} MiB of memory are needed",
                    limits.memory >> 20
                ),
                Ok((None, code)) => format!("ended it ({error}; exit status {})", code.unwrap_or(-1)),
                Err(other) => format!("ended it ({error}; {other})"),
            },
            Self::Hung => "did not end in time".to_owned(),
            Self::Nonsense | Self::Stopped => "made it answer what cannot be".to_owned(),
        };
        format!(
            "was given to a process of its own to be read, and {what}. It was left out; if it is no trap, please report this, without the file"
        )
    }
}

#[derive(Debug)]
struct Worker {
    child: Child,
    socket: UnixStream,
    inbox: Inbox,
    /// All that run.
    running: Arc<Mutex<BTreeSet<u32>>>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.child.id());
        // It holds nothing that could be lost.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Worker {
    fn start(
        program: &PathBuf,
        limits: Limits,
        running: &Arc<Mutex<BTreeSet<u32>>>,
    ) -> io::Result<(Self, Protection)> {
        let (socket, theirs) = UnixStream::pair()?;
        let child = Command::new(program)
            .args(["worker", "--memory", &limits.memory.to_string()])
            .env_clear()
            // Memory is taken from the system as it is used, so that the limit is about what is used.
            .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl+C is for the program; it ends its workers.
            .process_group(0)
            .spawn()?;
        socket.set_read_timeout(Some(LOOK))?;
        running.lock().unwrap_or_else(PoisonError::into_inner).insert(child.id());
        let mut worker = Self { child, socket, inbox: Inbox::default(), running: Arc::clone(running) };
        let said = worker.inbox.hear(&worker.socket, Instant::now() + START, &|| false);
        match said.map(postcard::from_bytes) {
            Ok(Ok(Reply::Hello { version, protection })) if version == VERSION => Ok((worker, protection)),
            Ok(_) => Err(io::Error::other("the program's file was replaced by another version")),
            Err(end) => Err(io::Error::other(format!("it did not begin ({end:?})"))),
        }
    }

    /// Has the files read.
    #[expect(clippy::too_many_arguments, reason = "one call, and each of them is something else")]
    fn serve(
        &mut self,
        task: Task,
        passwords: &Passwords,
        files: &[(Item, File)],
        limits: Limits,
        stop: &dyn Fn() -> bool,
        done: &mut Done,
        each: Each<'_>,
    ) -> Result<(), End> {
        let request = Request::new(task, passwords, files.iter().map(|(item, _)| item));
        let open: Vec<&File> = files.iter().map(|(_, file)| file).collect();
        // One that died while it waited has seen nothing of these.
        done.between = true;
        send(&mut self.socket, &request, &open).map_err(End::Gone)?;
        done.between = false;
        // A header takes no longer than its file.
        let most = ArchiveLimits::default().members + 2;
        for (at, (item, _)) in files.iter().enumerate() {
            let time = limits.time + Duration::from_secs(item.size / SLOWEST);
            let mut said = 0;
            loop {
                let frame = self.inbox.hear(&self.socket, Instant::now() + time, stop)?;
                match postcard::take_from_bytes(frame) {
                    Ok((Reply::Said { member, what }, picture)) if said < most => {
                        let (path, made) = heard(task, item, member, what, picture).ok_or(End::Nonsense)?;
                        if path == item.path {
                            *done = Done { files: at + 1, between: true };
                        }
                        each(at, path, made);
                        said += 1;
                    }
                    Ok((Reply::Done, _)) => break,
                    _ => return Err(End::Nonsense),
                }
            }
            *done = Done { files: at + 1, between: false };
        }
        Ok(())
    }
}

/// What came from a worker and was not looked at yet: as much is taken at once as is there.
#[derive(Debug, Default)]
struct Inbox {
    bytes: Vec<u8>,
    /// What of them is to be looked at.
    from: usize,
    to: usize,
}

/// Bytes that are taken at once, at least: some pictures.
const ROOM: usize = 256 << 10;

impl Inbox {
    /// Waits for a frame.
    fn hear(&mut self, socket: &UnixStream, until: Instant, stop: &dyn Fn() -> bool) -> Result<&[u8], End> {
        self.fill(socket, 4, until, stop)?;
        let length = self.waiting().first_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize);
        if length > FRAME {
            return Err(End::Nonsense);
        }
        self.fill(socket, 4 + length, until, stop)?;
        let begin = self.from + 4;
        self.from = begin + length;
        Ok(self.bytes.get(begin..self.from).unwrap_or_default())
    }

    fn waiting(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }

    /// Waits until there are `n` bytes.
    fn fill(
        &mut self,
        socket: &UnixStream,
        n: usize,
        until: Instant,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), End> {
        use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
        if self.to - self.from < n && self.bytes.len() - self.from < n.max(ROOM / 2) {
            // To the front, where there is room.
            self.bytes.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
            self.bytes.resize(self.bytes.len().max(n).max(ROOM), 0);
        }
        while self.to - self.from < n {
            match (&mut &*socket).read(self.bytes.get_mut(self.to..).unwrap_or_default()) {
                Ok(0) => return Err(End::Gone(io::ErrorKind::UnexpectedEof.into())),
                Ok(n) => self.to += n,
                Err(error) if matches!(error.kind(), Interrupted | TimedOut | WouldBlock) => {
                    if stop() {
                        return Err(End::Stopped);
                    }
                    if Instant::now() > until {
                        return Err(End::Hung);
                    }
                }
                Err(error) => return Err(End::Gone(error)),
            }
        }
        Ok(())
    }
}
