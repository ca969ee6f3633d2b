//! A worker: a process of this program that reads samples for another one and can do nothing else.
//! It is started with a socket for its standard input, gives up all that it may (`sandbox`), and then does
//! one request after the other until the socket is closed.

use super::protocol::{self, Reply, VERSION, framed, said};
use super::{sandbox, task};
use crate::sample::Passwords;
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;

/// Serves until there is nobody to serve. `memory`: bytes that it may use.
pub fn serve(memory: u64) -> io::Result<()> {
    // The text of a fault goes to whoever asked.
    std::panic::set_hook(Box::new(|_| ()));
    let mut socket = UnixStream::from(rustix::stdio::stdin().try_clone_to_owned()?);
    let protection = sandbox::enter(memory);
    socket.write_all(&framed(&Reply::Hello { version: VERSION.to_owned(), protection })?)?;
    while let Some((request, files)) = protocol::receive(&mut socket)? {
        let passwords = Passwords::with(request.passwords.iter().rev().cloned());
        for (item, file) in request.items().zip(files) {
            // What is said of a file itself goes together with that it is done: each time that the other
            // side wakes up takes a while.
            let mut last = Vec::new();
            let mut sent = Ok(());
            task::perform(request.task, &item, file, &passwords, &mut |path, made| {
                let now = said(&item, &path, made).and_then(|frame| {
                    if path == item.path && last.is_empty() {
                        last = frame;
                        return Ok(());
                    }
                    socket.write_all(&frame)
                });
                sent = std::mem::replace(&mut sent, Ok(())).and(now);
            });
            sent?;
            last.extend_from_slice(&framed(&Reply::Done)?);
            socket.write_all(&last)?;
        }
    }
    Ok(())
}
