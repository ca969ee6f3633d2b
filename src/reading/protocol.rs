//! What the program and a worker say to each other: frames over a socket, each its length in four bytes
//! (little endian) and a message (postcard's wire format); behind the message of a picture stand its bytes.
//! Files travel as descriptors, so that a worker needs no file system. The program trusts no frame.

use super::sandbox::Protection;
use super::task::{Item, Made, Refused, Task};
use crate::picture::Encoded;
use crate::sample::{Architecture, Executable, FileKind, Passwords, Sample, Sha256};
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

/// Files of one request, at most.
pub const BATCH: usize = 16;
/// Bytes of a frame, at most: a picture or a header takes a tenth.
pub const FRAME: usize = 4 << 20;
/// Both sides are the same program, but the file of it may have been replaced.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a worker is asked.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    /// What is to be made.
    pub task: Task,
    /// Passwords of archives, in order.
    pub passwords: Vec<String>,
    /// Name, wanted member and size of each file.
    files: Vec<(Vec<u8>, Option<Vec<u8>>, u64)>,
}

impl Request {
    /// For `items`, whose files are sent with it.
    pub fn new<'a>(task: Task, passwords: &Passwords, items: impl IntoIterator<Item = &'a Item>) -> Self {
        let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
        let files = items
            .into_iter()
            .map(|item| (bytes(&item.path), item.only.as_deref().map(bytes), item.size))
            .collect();
        Self { task, passwords: passwords.iter().map(str::to_owned).collect(), files }
    }

    /// The files.
    pub fn items(&self) -> impl Iterator<Item = Item> {
        let path = |bytes: &Vec<u8>| PathBuf::from(OsString::from_vec(bytes.clone()));
        self.files.iter().map(move |(name, only, size)| Item {
            path: path(name),
            only: only.as_ref().map(path),
            size: *size,
        })
    }
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// First of all.
    Hello {
        /// [`VERSION`].
        version: String,
        /// What it cannot do any more.
        protection: Protection,
    },
    /// Of the file at hand, or of one in it.
    Said {
        /// What its name has behind that of the file.
        member: Vec<u8>,
        /// What was made of it.
        what: What,
    },
    /// The file at hand is done.
    Done,
}

/// [`Made`], without names and the bytes of pictures.
#[derive(Debug, Serialize, Deserialize)]
pub enum What {
    /// Nothing.
    Refused(Refused),
    /// [`Made::Side`].
    Side(Option<u32>),
    /// [`Made::Header`].
    Header(Sha256, Option<Executable>),
    /// [`Made::Picture`]; its bytes follow.
    Picture {
        /// Of the sample.
        sha256: Sha256,
        /// Of the sample.
        size: u64,
        /// Of the sample.
        kind: FileKind,
        /// Of the sample.
        architecture: Option<Architecture>,
    },
}

/// The frame that says what was made of `path`, a file of `item` or itself.
pub fn said(item: &Item, path: &Path, made: Result<Made, Refused>) -> io::Result<Vec<u8>> {
    let (whole, name) = (path.as_os_str().as_bytes(), item.path.as_os_str().as_bytes());
    let member = whole.strip_prefix(name).unwrap_or_default().to_vec();
    let mut picture = None;
    let what = match made {
        Err(refused) => What::Refused(refused),
        Ok(Made::Side(side)) => What::Side(side),
        Ok(Made::Header(sha256, header)) => What::Header(sha256, header),
        Ok(Made::Picture(made)) => {
            let (sample, encoded) = *made;
            picture = Some(encoded);
            let Sample { sha256, size, kind, architecture, .. } = sample;
            What::Picture { sha256, size, kind, architecture }
        }
    };
    let mut frame = framed(&Reply::Said { member, what })?;
    if let Some(picture) = picture {
        picture.put(&mut frame);
        close(&mut frame)?;
    }
    Ok(frame)
}

/// What a reply says of a file of `item`; `None` if it makes no sense for `task`.
pub fn heard(
    task: Task,
    item: &Item,
    member: Vec<u8>,
    what: What,
    picture: &[u8],
) -> Option<(PathBuf, Result<Made, Refused>)> {
    let mut name = item.path.as_os_str().to_owned();
    name.push(OsString::from_vec(member));
    let path = PathBuf::from(name);
    let made = match (what, task) {
        (What::Refused(refused), _) => Err(refused),
        (What::Side(side), Task::Side) => Ok(Made::Side(side)),
        (What::Header(sha256, header), Task::Header) => Ok(Made::Header(sha256, header)),
        (What::Picture { sha256, size, kind, architecture }, Task::Picture(spec)) => {
            let picture = Encoded::take(spec, picture)?;
            let sample = Sample { path: path.clone(), label: None, sha256, size, kind, architecture };
            Ok(Made::Picture(Box::new((sample, picture))))
        }
        _ => return None,
    };
    Some((path, made))
}

/// A message as a frame.
pub fn framed(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let frame = postcard::to_extend(message, vec![0; 4]).map_err(io::Error::other)?;
    let mut frame = frame;
    close(&mut frame)?;
    Ok(frame)
}

/// Writes its length at the front of a frame.
fn close(frame: &mut [u8]) -> io::Result<()> {
    let length = frame.len().saturating_sub(4);
    if length > FRAME {
        return Err(io::Error::other("a message is longer than a frame"));
    }
    if let Some(front) = frame.first_chunk_mut() {
        *front = (length as u32).to_le_bytes();
    }
    Ok(())
}

/// A worker that is gone is found out by the error, not by a signal. On macOS the standard library sees to
/// that, for each socket that it makes.
#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::empty();

/// What is received is not for programs that are started later. A worker starts none, and on macOS there is
/// no such flag.
#[cfg(not(target_vendor = "apple"))]
const RECEIVE: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(target_vendor = "apple")]
const RECEIVE: RecvFlags = RecvFlags::empty();

/// Sends a request and the files with it, [`BATCH`] at most.
pub fn send(socket: &mut UnixStream, request: &Request, files: &[impl AsFd]) -> io::Result<()> {
    let frame = framed(request)?;
    let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::Error::other("more files than go with one request"));
    }
    let sent = sendmsg(&*socket, &[IoSlice::new(&frame)], &mut control, SEND)?;
    socket.write_all(frame.get(sent..).unwrap_or_default())
}

/// Waits for a request and its files; `None` when the other side is gone.
pub fn receive(socket: &mut UnixStream) -> io::Result<Option<(Request, Vec<File>)>> {
    let mut length = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
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
    use rand::{Rng as _, SeedableRng as _};

    fn item() -> Item {
        Item { path: "/a/b.zip".into(), only: None, size: 7 }
    }

    #[test]
    fn files_go_with_a_request() {
        let (mut here, mut there) = UnixStream::pair().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"sample").unwrap();
        let request = Request::new(Task::Header, &Passwords::default(), [&item()]);
        send(&mut here, &request, &[file]).unwrap();
        let (got, files) = receive(&mut there).unwrap().unwrap();
        assert_eq!((got.task, got.items().collect::<Vec<_>>()), (Task::Header, vec![item()]));
        assert_eq!(files[0].metadata().unwrap().len(), 6);
        drop(here);
        assert!(receive(&mut there).unwrap().is_none());
    }

    #[test]
    fn a_reply_names_only_what_lies_in_the_file() {
        let made = Err(Refused::new("no"));
        let frame = said(&item(), Path::new("/a/b.zip!c"), made.clone()).unwrap();
        let (reply, _) = postcard::take_from_bytes(&frame[4..]).unwrap();
        let Reply::Said { member, what } = reply else { panic!() };
        assert_eq!(member, b"!c");
        assert_eq!(heard(Task::Side, &item(), member, what, &[]), Some(("/a/b.zip!c".into(), made)));
        // Something else than was asked for.
        assert_eq!(heard(Task::Header, &item(), vec![], What::Side(None), &[]), None);
    }

    #[test]
    fn nonsense_is_no_reply() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(4);
        let frame = said(&item(), Path::new("/a/b.zip!c"), Ok(Made::Side(Some(9)))).unwrap();
        for _ in 0..20_000 {
            let mut bytes = frame[4..].to_vec();
            for _ in 0..rng.random_range(1..6) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] = rng.random();
            }
            if let Ok((Reply::Said { member, what }, rest)) = postcard::take_from_bytes(&bytes)
                && let Some((path, _)) = heard(Task::Side, &item(), member, what, rest)
            {
                assert!(path.as_os_str().as_bytes().starts_with(b"/a/b.zip"));
            }
        }
    }
}
