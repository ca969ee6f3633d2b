//! The protocol between the program and a worker: frames over a socket. A frame is its length in four bytes (little
//! endian) and a message (postcard's wire format); the message of a picture is followed by its bytes. Files are sent as
//! descriptors, so that a worker needs no file system. The program validates every frame.

use super::sandbox::Protection;
use super::task::{Input, Output, ReadError, ReadOptions, Settings, Task};
use crate::picture::Encoded;
use crate::sample::archive::{MAX_VOLUMES, Volumes};
use crate::sample::{Architecture, Facts, FileKind, KeepFacts, KeptFacts, Sample, Sha256};
use crate::secret::Secret;
use crate::view::Views;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// The most files of one request.
pub const MAX_FILES: usize = 16;
/// The most descriptors of one request: an archive in several files is sent whole. The system allows 253.
pub const MAX_DESCRIPTORS: usize = MAX_FILES + MAX_VOLUMES;
/// The most bytes of a frame. A picture or a header needs a tenth of it.
pub const MAX_FRAME: usize = 4 << 20;
/// The version of both sides. They run the same program, but its file may have been replaced in between.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Path, needed member, size and volumes of a file.
type RequestedFile = (Vec<u8>, Option<Vec<u8>>, u64, Option<Volumes>);

/// A request to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    /// What to compute from each file.
    pub task: Task,
    /// Passwords to try on archives, in order.
    pub passwords: Vec<Secret>,
    /// How to read archives.
    pub options: ReadOptions,
    /// The hash of the views that pictures come with.
    pub views: Option<Sha256>,
    /// The facts that samples come with.
    pub facts: KeepFacts,
    /// Those views, if the worker does not have them yet.
    pub new_views: Option<Vec<u8>>,
    files: Vec<RequestedFile>,
}

impl Request {
    /// A request for `inputs`, whose files are sent with it, to a worker that has the views `known`.
    pub fn new<'a>(
        task: Task,
        settings: Settings<'_>,
        known: Option<Sha256>,
        inputs: impl IntoIterator<Item = &'a Input>,
    ) -> Self {
        let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
        let files = inputs
            .into_iter()
            .map(|input| {
                let only = input.only.as_deref().map(bytes);
                (bytes(&input.path), only, input.size, input.volumes.clone())
            })
            .collect();
        let Settings { passwords, options, views, facts } = settings;
        let new_views =
            views.filter(|views| known != Some(views.hash())).map(|views| views.to_bytes().to_vec());
        let views = views.map(Views::hash);
        let passwords = passwords.iter().cloned().collect();
        Self { task, passwords, options, views, facts, new_views, files }
    }

    /// The files to read.
    pub fn inputs(&self) -> impl Iterator<Item = Input> {
        let path = |bytes: &Vec<u8>| PathBuf::from(OsString::from_vec(bytes.clone()));
        self.files.iter().map(move |(name, only, size, volumes)| Input {
            path: path(name),
            only: only.as_ref().map(path),
            size: *size,
            volumes: volumes.clone(),
        })
    }
}

/// A reply of a worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// The first reply.
    Hello {
        /// [`VERSION`].
        version: String,
        /// How the worker is restricted.
        protection: Protection,
    },
    /// An output for the current file or a member of it.
    Output {
        /// What follows the path of the file in the path of the member; empty for the file itself.
        member: Vec<u8>,
        /// The output.
        output: WireOutput,
    },
    /// The current file is done.
    FileDone,
}

/// An [`Output`] or [`ReadError`] without paths and the bytes of pictures.
#[derive(Debug, Serialize, Deserialize)]
pub enum WireOutput {
    /// The file could not be read.
    Failed(ReadError),
    /// [`Output::Side`].
    Side(Option<u32>),
    /// [`Output::Inspected`]; the bytes of the picture, if there is one, follow the message.
    Inspected(Box<Facts>),
    /// [`Output::Picture`]; the bytes of the picture follow the message.
    Picture {
        /// [`Sample::sha256`].
        sha256: Sha256,
        /// [`Sample::size`].
        size: u64,
        /// [`Sample::kind`].
        kind: FileKind,
        /// [`Sample::architecture`].
        architecture: Option<Architecture>,
        /// [`Sample::facts`].
        facts: Option<Box<KeptFacts>>,
    },
}

/// Encodes the output for `path`, which is `input` or a member of it, as a frame.
pub fn encode_output(input: &Input, path: &Path, output: Result<Output, ReadError>) -> io::Result<Vec<u8>> {
    let (whole, name) = (path.as_os_str().as_bytes(), input.path.as_os_str().as_bytes());
    let member = whole.strip_prefix(name).unwrap_or_default().to_vec();
    let mut picture = None;
    let output = match output {
        Err(error) => WireOutput::Failed(error),
        Ok(Output::Side(side)) => WireOutput::Side(side),
        Ok(Output::Inspected(output)) => {
            let (facts, encoded) = *output;
            picture = encoded;
            WireOutput::Inspected(Box::new(facts))
        }
        Ok(Output::Picture(output)) => {
            let (sample, encoded) = *output;
            picture = Some(encoded);
            let Sample { sha256, size, kind, architecture, facts, .. } = sample;
            WireOutput::Picture { sha256, size, kind, architecture, facts }
        }
    };
    let mut frame = encode_frame(&Reply::Output { member, output })?;
    if let Some(picture) = picture {
        picture.write(&mut frame);
        write_length(&mut frame)?;
    }
    Ok(frame)
}

/// Decodes an output for `input` or a member of it; `None` if it is not a valid output of `task`. `picture`: the bytes
/// after the message.
pub fn decode_output(
    task: Task,
    input: &Input,
    member: Vec<u8>,
    output: WireOutput,
    picture: &[u8],
) -> Option<(PathBuf, Result<Output, ReadError>)> {
    let mut name = input.path.as_os_str().to_owned();
    name.push(OsString::from_vec(member));
    let path = PathBuf::from(name);
    let output = match (output, task) {
        (WireOutput::Failed(error), _) => Err(error),
        (WireOutput::Side(side), Task::Side) => Ok(Output::Side(side)),
        (WireOutput::Inspected(facts), Task::Inspect(spec)) => {
            let picture = match spec {
                Some(spec) if !picture.is_empty() => Some(Encoded::read(spec, picture)?),
                _ => None,
            };
            Ok(Output::Inspected(Box::new((*facts, picture))))
        }
        (WireOutput::Picture { sha256, size, kind, architecture, facts }, Task::Picture(spec)) => {
            let picture = Encoded::read(spec, picture)?;
            facts.as_ref().is_none_or(|facts| facts.is_valid()).then_some(())?;
            let sample = Sample { path: path.clone(), label: None, sha256, size, kind, architecture, facts };
            Ok(Output::Picture(Box::new((sample, picture))))
        }
        _ => return None,
    };
    Some((path, output))
}

/// Encodes a message as a frame.
pub fn encode_frame(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(io::Error::other)?;
    write_length(&mut frame)?;
    Ok(frame)
}

/// Writes the length of a frame into its first four bytes.
fn write_length(frame: &mut [u8]) -> io::Result<()> {
    let length = frame.len().saturating_sub(4);
    if length > MAX_FRAME {
        return Err(io::Error::other(format!("a message has {length} bytes, more than {MAX_FRAME}")));
    }
    if let Some(front) = frame.first_chunk_mut() {
        *front = (length as u32).to_le_bytes();
    }
    Ok(())
}

/// Writing to a worker that has exited is an error and not a signal. On macOS the standard library sets this for each
/// socket that it creates.
#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::empty();

/// Programs started later do not inherit received descriptors. macOS has no such flag, but a worker starts no program.
#[cfg(not(target_vendor = "apple"))]
const RECEIVE: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(target_vendor = "apple")]
const RECEIVE: RecvFlags = RecvFlags::empty();

/// Sends a request with its files.
pub fn send_request(socket: &mut UnixStream, request: &Request, files: &[impl AsFd]) -> io::Result<()> {
    let frame = encode_frame(request)?;
    let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::Error::other(format!(
            "expected at most {MAX_DESCRIPTORS} files in a request, found {}",
            files.len()
        )));
    }
    let sent = sendmsg(&*socket, &[IoSlice::new(&frame)], &mut control, SEND)?;
    socket.write_all(frame.get(sent..).unwrap_or_default())
}

/// Waits for a request and its files; `None` when the other side has closed the socket.
pub fn receive_request(socket: &mut UnixStream) -> io::Result<Option<(Request, Vec<File>)>> {
    let mut length = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(&*socket, &mut [IoSliceMut::new(&mut length)], &mut control, RECEIVE)?;
    if got.bytes == 0 {
        return Ok(None);
    }
    let mut files = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            files.extend(descriptors.map(File::from));
        }
    }
    if let Some(rest) = length.get_mut(got.bytes..) {
        socket.read_exact(rest)?;
    }
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    socket.read_exact(&mut bytes)?;
    Ok(Some((postcard::from_bytes(&bytes).map_err(io::Error::other)?, files)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Passwords;
    use rand::{Rng as _, SeedableRng as _};

    fn input() -> Input {
        Input { path: "/a/b.zip".into(), only: None, size: 7, volumes: None }
    }

    #[test]
    fn files_are_sent_with_a_request() {
        let (mut here, mut there) = UnixStream::pair().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"sample").unwrap();
        let passwords = Passwords::default();
        let settings = Settings {
            passwords: &passwords,
            options: ReadOptions::default(),
            views: None,
            facts: KeepFacts::No,
        };
        let request = Request::new(Task::Inspect(None), settings, None, [&input()]);
        assert!(!format!("{request:?}").contains("infected"), "passwords are not printed");
        send_request(&mut here, &request, &[file]).unwrap();
        let (got, files) = receive_request(&mut there).unwrap().unwrap();
        assert_eq!((got.task, got.inputs().collect::<Vec<_>>()), (Task::Inspect(None), vec![input()]));
        assert_eq!(files[0].metadata().unwrap().len(), 6);
        drop(here);
        assert!(receive_request(&mut there).unwrap().is_none());
    }

    #[test]
    fn an_output_belongs_to_the_file_or_a_member() {
        let output = Err(ReadError::new("no"));
        let frame = encode_output(&input(), Path::new("/a/b.zip!c"), output.clone()).unwrap();
        let (reply, _) = postcard::take_from_bytes(&frame[4..]).unwrap();
        let Reply::Output { member, output: received } = reply else { panic!() };
        assert_eq!(member, b"!c");
        assert_eq!(
            decode_output(Task::Side, &input(), member, received, &[]),
            Some(("/a/b.zip!c".into(), output))
        );
        // The output of another task.
        assert_eq!(decode_output(Task::Inspect(None), &input(), vec![], WireOutput::Side(None), &[]), None);
    }

    #[test]
    fn damaged_replies_are_refused_or_belong_to_the_file() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(4);
        let frame = encode_output(&input(), Path::new("/a/b.zip!c"), Ok(Output::Side(Some(9)))).unwrap();
        for _ in 0..20_000 {
            let mut bytes = frame[4..].to_vec();
            for _ in 0..rng.random_range(1..6) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] = rng.random();
            }
            if let Ok((Reply::Output { member, output }, rest)) = postcard::take_from_bytes(&bytes)
                && let Some((path, _)) = decode_output(Task::Side, &input(), member, output, rest)
            {
                assert!(path.as_os_str().as_bytes().starts_with(b"/a/b.zip"));
            }
        }
    }
}
