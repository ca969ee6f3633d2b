//! A worker: a process of this program that reads samples for another process and can do nothing else. It is started
//! with a socket as its standard input, enters the sandbox, and then serves requests until the socket is closed.

use super::protocol::{Reply, VERSION, encode_frame, encode_output, receive_request};
use super::task::Settings;
use super::{sandbox, task};
use crate::sample::Passwords;
use crate::view::Views;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;

/// Serves requests until the other side closes the socket. `memory`: the most bytes that this process may use.
pub fn serve(memory: u64) -> io::Result<()> {
    // The text of a panic is sent to the other side and not printed.
    std::panic::set_hook(Box::new(|_| ()));
    let mut socket = UnixStream::from(rustix::stdio::stdin().try_clone_to_owned()?);
    let protection = sandbox::enter(memory);
    socket.write_all(&encode_frame(&Reply::Hello { version: VERSION.to_owned(), protection })?)?;
    let mut views = None;
    while let Some((request, files)) = receive_request(&mut socket)? {
        let passwords = Passwords::with(request.passwords.iter().rev().cloned());
        if let Some(bytes) = &request.new_views {
            views = Views::from_bytes(bytes);
        }
        let views = views.as_ref().filter(|views| request.views == Some(views.hash()));
        if request.views.is_some() && views.is_none() {
            return Err(io::Error::other("expected views that were sent before, found others"));
        }
        let settings =
            Settings { passwords: &passwords, options: request.options, views, facts: request.facts };
        let mut files = files.into_iter();
        for input in request.inputs() {
            let files: Vec<File> = files.by_ref().take(input.files()).collect();
            // The output for the file itself is sent together with `FileDone`: waking the other side takes time.
            let mut last = Vec::new();
            let mut sent = Ok(());
            task::run(request.task, &input, files, settings, &mut |path, output| {
                let result = encode_output(&input, &path, output).and_then(|frame| {
                    if path == input.path && last.is_empty() {
                        last = frame;
                        return Ok(());
                    }
                    socket.write_all(&frame)
                });
                sent = std::mem::replace(&mut sent, Ok(())).and(result);
            });
            sent?;
            last.extend_from_slice(&encode_frame(&Reply::FileDone)?);
            socket.write_all(&last)?;
        }
    }
    Ok(())
}
