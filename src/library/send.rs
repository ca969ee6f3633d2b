//! Sending what waits in a copy. Something leaves the queue only after the server has said that it has it; what is sent again, since that
//! was not heard, the server knows by its token. What the server does not take stays, with the reason, and holds up nothing else.

use super::kept_copy::KeptCopy;
use super::postgres::open_to_send;
use super::queue::{Received, ToSend, Waiting};
use super::receive::Receive;
use super::{LibraryError, Models as _};
use crate::sample::Sha256;
use std::collections::HashSet;

/// What sending did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// What the server has now: edits, and parts of the samples that one added.
    pub taken: usize,
    /// Samples that others changed later, and that were left as these made them.
    pub left: usize,
    /// The numbers of edits in the copy, below zero, and those that the server gave them.
    pub numbers: Vec<(i64, i64)>,
    /// What still waits, since the server did not take it.
    pub refused: Vec<Waiting>,
}

/// Sends what waits, in the order in which it was done. `go_on` hears of each one that is done, and says whether to go on.
///
/// # Errors
/// The server cannot be reached, or not any more. What was not acknowledged by then waits on.
pub fn send(copy: &mut KeptCopy, go_on: &mut dyn FnMut() -> bool) -> Result<Sent, LibraryError> {
    let mut sent = Sent::default();
    if !copy.has_queue()? {
        return Ok(sent);
    }
    let mut server = open_to_send(copy.url())?;
    let mut models: HashSet<Sha256> = server.models()?.into_iter().map(|model| model.hash).collect();
    let mut last = i64::MIN;
    while let Some(item) = copy.library.next_to_send(last)? {
        last = item.entry;
        let received = match item.is_empty() {
            true => Ok(Received { edit: None, left: 0 }),
            false => send_models(copy, &mut *server, &item, &mut models).and_then(|()| server.receive(&item)),
        };
        match received {
            Ok(received) => {
                copy.library.acknowledged(&item, received)?;
                sent.taken += usize::from(!item.is_empty());
                sent.left += received.left;
                sent.numbers.extend(item.edit.map(|edit| -edit).zip(received.edit));
            }
            Err(error) if error.is_unreachable() => return Err(error),
            Err(error) => copy.library.refused(&item, &error.to_string())?,
        }
        if !go_on() {
            break;
        }
    }
    sent.refused = copy.waiting()?.into_iter().filter(|waiting| waiting.refused.is_some()).collect();
    Ok(sent)
}

/// Sends the models that the server lacks of those that have embedded samples.
fn send_models(
    copy: &KeptCopy,
    server: &mut dyn Receive,
    item: &ToSend,
    has: &mut HashSet<Sha256>,
) -> Result<(), LibraryError> {
    for look in item.samples.iter().flat_map(|sample| &sample.looks) {
        if !has.contains(&look.model) {
            server.add_model(&copy.library.stored_model(look.model)?, "")?;
            has.insert(look.model);
        }
    }
    Ok(())
}
