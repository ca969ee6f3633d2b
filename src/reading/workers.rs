//! The pool of workers: one process for each concurrent request, started when needed and kept. A worker that dies, hangs
//! or sends an invalid reply is replaced, and costs the file that it was reading.

use super::protocol::{
    MAX_DESCRIPTORS, MAX_FILES, MAX_FRAME, Reply, Request, VERSION, decode_output, send_request,
};
use super::sandbox::Protection;
use super::task::{Input, Output, ReadError, Settings, Task};
use crate::sample::Sha256;
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

/// How often a waiting request checks whether to stop.
const POLL: Duration = Duration::from_millis(100);
/// The slowest disk that is waited for, in bytes per second.
const MIN_SPEED: u64 = 4 << 20;
/// Workers that may die between two files before the next file is blamed.
const MAX_EXCUSED: usize = 2 * MAX_FILES;
/// How often starting a worker is tried.
const START_ATTEMPTS: usize = 6;
/// How long a process may take to start.
const START_TIME: Duration = Duration::from_secs(20);

/// Limits of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: u64,
    /// Time for one file; a large file gets more.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        // Longer than the limit of an archive, whose error says more.
        Self { memory: 2 << 30, time: ArchiveLimits::default().time + Duration::from_secs(30) }
    }
}

/// The workers of a program.
#[derive(Debug)]
pub struct Workers {
    program: PathBuf,
    limits: Limits,
    free: Mutex<Vec<Worker>>,
    protection: OnceLock<Protection>,
    running: Arc<Mutex<BTreeSet<u32>>>,
}

/// Receives the outputs: the index of the file, the path of the file or of a member, and the output.
pub type OnOutput<'a> = &'a mut dyn FnMut(usize, PathBuf, Result<Output, ReadError>);

impl Workers {
    /// A pool without workers. `program`: the file of this program.
    pub fn new(program: PathBuf, limits: Limits) -> Self {
        Self { program, limits, free: Mutex::default(), protection: OnceLock::new(), running: Arc::default() }
    }

    /// How the workers are restricted; `None` before the first was started.
    pub(super) fn protection(&self) -> Option<Protection> {
        self.protection.get().copied()
    }

    /// Reads files one after the other. When `stop` returns true, the remaining files are not read.
    pub(super) fn read(
        &self,
        task: Task,
        settings: Settings<'_>,
        files: &[(Input, Vec<File>)],
        stop: &dyn Fn() -> bool,
        on_output: OnOutput<'_>,
    ) {
        let (mut first, mut excused, mut retried) = (0, 0, None);
        while let Some(rest) = files.get(first..).filter(|rest| !rest.is_empty()) {
            let rest = rest.get(..together(rest)).unwrap_or(rest);
            let mut worker = match self.take() {
                Ok(worker) => worker,
                Err(error) => {
                    let reason = format!(
                        "could not be read: expected to start a process of this program that reads it, found: {error}. Start the program again"
                    );
                    for (at, (input, _)) in rest.iter().enumerate() {
                        on_output(first + at, input.path.clone(), Err(ReadError::new(&reason)));
                    }
                    first += rest.len();
                    continue;
                }
            };
            let mut progress = Progress::default();
            let result = worker.read(
                task,
                settings,
                rest,
                self.limits,
                stop,
                &mut progress,
                &mut |at, path, output| {
                    on_output(first + at, path, output);
                },
            );
            first += progress.files;
            match result {
                Ok(()) => self.free.lock().unwrap_or_else(PoisonError::into_inner).push(worker),
                Err(Failure::Stopped) => return,
                // It died while it was not reading any file.
                Err(_) if progress.between && excused < MAX_EXCUSED => excused += 1,
                // It may have died unnoticed before this request: the file is tried once more.
                Err(Failure::Gone(_)) if progress.files == 0 && retried != Some(first) => {
                    retried = Some(first);
                    // Both processes share the file offset, and the worker may have read some bytes. If rewinding fails,
                    // the next worker finds fewer bytes than expected and reports that.
                    let _ = rest.first().and_then(|(_, files)| files.first()).map(|mut file| file.rewind());
                }
                Err(failure) => {
                    let reason = failure.reason(worker, self.limits);
                    if let Some((input, _)) = files.get(first) {
                        on_output(first, input.path.clone(), Err(ReadError::new(reason)));
                    }
                    first += 1;
                }
            }
        }
    }

    /// The process identifiers of the workers.
    pub(super) fn running(&self) -> Vec<u32> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.iter().copied().collect()
    }

    fn take(&self) -> io::Result<Worker> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(worker) = free {
            return Ok(worker);
        }
        let start = || Worker::start(&self.program, self.limits, &self.running);
        // What ended a worker during its start, such as a system short of memory, may not affect the next one.
        let mut started = start();
        for _ in 1..START_ATTEMPTS {
            started = started.or_else(|_| start());
        }
        let (worker, protection) = started?;
        if self.protection.set(protection).is_ok() {
            tracing::info!("samples are read by worker processes: {protection:?}");
        }
        Ok(worker)
    }
}

/// How many of the files go into one request.
fn together(files: &[(Input, Vec<File>)]) -> usize {
    let mut descriptors = 0;
    let fits = |(_, files): &&(Input, Vec<File>)| {
        descriptors += files.len();
        descriptors <= MAX_DESCRIPTORS
    };
    files.iter().take(MAX_FILES).take_while(fits).count().max(1)
}

/// How much of a request a worker has served.
#[derive(Debug, Default)]
struct Progress {
    /// Files that are finished.
    files: usize,
    /// Whether the next file was not started.
    between: bool,
}

/// Why a worker cannot be used any more.
#[derive(Debug)]
enum Failure {
    /// The request was stopped.
    Stopped,
    /// It took too long.
    TimedOut,
    /// It sent an invalid reply.
    InvalidReply,
    /// It died, or the socket failed.
    Gone(io::Error),
}

impl Failure {
    /// The reason for skipping the file that the worker was reading.
    fn reason(&self, mut worker: Worker, limits: Limits) -> String {
        let what = match self {
            Self::Gone(error) => match worker.child.wait().map(|status| (status.signal(), status.code())) {
                Ok((Some(signal), _)) => format!(
                    "was ended by signal {signal}, which happens when it needs more than {} MiB of memory",
                    limits.memory >> 20
                ),
                Ok((None, code)) => format!("ended with exit status {} ({error})", code.unwrap_or(-1)),
                Err(other) => format!("ended ({error}; {other})"),
            },
            Self::TimedOut => "did not end in time".to_owned(),
            Self::InvalidReply | Self::Stopped => "sent an invalid reply".to_owned(),
        };
        format!(
            "could not be read: the worker process that read it {what}. It was skipped; if the file is not a trap, please report this without attaching it"
        )
    }
}

#[derive(Debug)]
struct Worker {
    child: Child,
    socket: UnixStream,
    frames: FrameReader,
    /// The hash of the views that were sent to it last.
    views: Option<Sha256>,
    /// The process identifiers of all workers.
    running: Arc<Mutex<BTreeSet<u32>>>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.child.id());
        // A worker has no state that could be lost.
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
            // Memory is committed as it is used, so that the limit applies to what is used.
            .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl+C goes to the program, which ends its workers.
            .process_group(0)
            .spawn()?;
        socket.set_read_timeout(Some(POLL))?;
        running.lock().unwrap_or_else(PoisonError::into_inner).insert(child.id());
        let (frames, running) = (FrameReader::default(), Arc::clone(running));
        let mut worker = Self { child, socket, frames, views: None, running };
        let frame = worker.frames.read_frame(&worker.socket, Instant::now() + START_TIME, &|| false);
        match frame.map(postcard::from_bytes) {
            Ok(Ok(Reply::Hello { version, protection })) if version == VERSION => Ok((worker, protection)),
            Ok(_) => Err(io::Error::other("the program's file was replaced by another version")),
            Err(failure) => Err(io::Error::other(format!("it did not start ({failure:?})"))),
        }
    }

    /// Sends a request and receives its outputs.
    #[expect(clippy::too_many_arguments, reason = "there is one call, and each argument is independent")]
    fn read(
        &mut self,
        task: Task,
        settings: Settings<'_>,
        files: &[(Input, Vec<File>)],
        limits: Limits,
        stop: &dyn Fn() -> bool,
        progress: &mut Progress,
        on_output: OnOutput<'_>,
    ) -> Result<(), Failure> {
        let inputs = files.iter().map(|(input, _)| input);
        let request = Request::new(task, settings, self.views, inputs);
        let open: Vec<&File> = files.iter().flat_map(|(_, files)| files).collect();
        // A worker that died while it was idle has read none of these files.
        progress.between = true;
        send_request(&mut self.socket, &request, &open).map_err(Failure::Gone)?;
        self.views = request.views.or(self.views);
        progress.between = false;
        // An archive has an output for each member and one for itself; so has each archive in it.
        let max_outputs = 2 * ArchiveLimits::default().members + 2;
        for (at, (input, _)) in files.iter().enumerate() {
            let time = limits.time + Duration::from_secs(input.total() / MIN_SPEED);
            let mut outputs = 0;
            loop {
                let frame = self.frames.read_frame(&self.socket, Instant::now() + time, stop)?;
                match postcard::take_from_bytes(frame) {
                    Ok((Reply::Output { member, output }, picture)) if outputs < max_outputs => {
                        let (path, output) = decode_output(task, input, member, output, picture)
                            .ok_or(Failure::InvalidReply)?;
                        if path == input.path {
                            *progress = Progress { files: at + 1, between: true };
                        }
                        on_output(at, path, output);
                        outputs += 1;
                    }
                    Ok((Reply::FileDone, _)) => break,
                    _ => return Err(Failure::InvalidReply),
                }
            }
            *progress = Progress { files: at + 1, between: false };
        }
        Ok(())
    }
}

/// Reads frames from a worker. Bytes are received in large pieces and kept until their frame is complete.
#[derive(Debug, Default)]
struct FrameReader {
    bytes: Vec<u8>,
    /// The range of the bytes that are received but not yet consumed.
    from: usize,
    to: usize,
}

/// The size of the receive buffer in bytes: room for several pictures.
const BUFFER: usize = 256 << 10;

impl FrameReader {
    /// Waits for the next frame and returns its message.
    fn read_frame(
        &mut self,
        socket: &UnixStream,
        until: Instant,
        stop: &dyn Fn() -> bool,
    ) -> Result<&[u8], Failure> {
        self.fill(socket, 4, until, stop)?;
        let length = self.received().first_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize);
        if length > MAX_FRAME {
            return Err(Failure::InvalidReply);
        }
        self.fill(socket, 4 + length, until, stop)?;
        let begin = self.from + 4;
        self.from = begin + length;
        Ok(self.bytes.get(begin..self.from).unwrap_or_default())
    }

    fn received(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }

    /// Waits until `n` bytes are received.
    fn fill(
        &mut self,
        socket: &UnixStream,
        n: usize,
        until: Instant,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), Failure> {
        use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
        if self.to - self.from < n && self.bytes.len() - self.from < n.max(BUFFER / 2) {
            // Moves them to the front, to make room behind them.
            self.bytes.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
            self.bytes.resize(self.bytes.len().max(n).max(BUFFER), 0);
        }
        while self.to - self.from < n {
            match (&mut &*socket).read(self.bytes.get_mut(self.to..).unwrap_or_default()) {
                Ok(0) => return Err(Failure::Gone(io::ErrorKind::UnexpectedEof.into())),
                Ok(n) => self.to += n,
                Err(error) if matches!(error.kind(), Interrupted | TimedOut | WouldBlock) => {
                    if stop() {
                        return Err(Failure::Stopped);
                    }
                    if Instant::now() > until {
                        return Err(Failure::TimedOut);
                    }
                }
                Err(error) => return Err(Failure::Gone(error)),
            }
        }
        Ok(())
    }
}
