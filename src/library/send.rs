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

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::engine_tests::fixture::{Kept, add, hash, library, model, shown};
    use crate::library::sqlite::SqliteLibrary;
    use crate::library::{
        Edits as _, LabelHistory as _, Library, Location, RemoveSamples as _, StoredSamples as _, Turn,
    };
    use tempfile::TempDir;

    /// A team's library, a second connection to it, and a copy that queues what is changed.
    fn team(kept: Kept) -> (Library, Box<dyn Receive>, TempDir, SqliteLibrary) {
        let (place, there) = library(kept);
        let Location::Server(url) = Location::parse(place.path()).unwrap() else { panic!("a server") };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.lookalike");
        let mut copy = Library::open_or_create(&path).unwrap();
        let samples = [(1, Some("alpha")), (2, Some("alpha")), (3, Some("beta")), (4, None)];
        add(&mut copy, &model(1), &samples);
        let copy = SqliteLibrary::open(&path, false).unwrap().queueing();
        (there, open_to_send(&url).unwrap(), folder, copy)
    }

    /// Everything that waits.
    fn all(copy: &mut SqliteLibrary) -> Vec<ToSend> {
        let (mut items, mut last) = (Vec::new(), i64::MIN);
        while let Some(item) = copy.next_to_send(last).unwrap() {
            last = item.entry;
            items.push(item);
        }
        items
    }

    #[test]
    fn what_is_sent_again_is_done_once() {
        [Kept::Postgres, Kept::Sharded].into_iter().for_each(is_done_once);
    }

    fn is_done_once(kept: Kept) {
        let (there, mut server, folder, mut copy) = team(kept);
        let before = (there.edits(99).unwrap().len(), there.label_history(None).unwrap().len());
        copy.set_labels(&[hash(1), hash(4)], Some("gamma"), "test").unwrap();
        copy.remove(&[hash(3)], "test").unwrap();
        // The engine of a copy adds by this connection too.
        let mut waits = Library::open(&folder.path().join("copy.lookalike")).unwrap();
        add(&mut waits, &model(1), &[(5, Some("delta"))]);
        assert_eq!(copy.waiting().unwrap().len(), 2, "only what the copy's engine adds is queued");
        let batch = waits.whole_samples(crate::library::Wanted::Of(&[hash(5)])).unwrap();
        let mut sample = batch.into_iter().map(|(_, sample)| sample).collect::<Vec<_>>();
        sample.iter_mut().for_each(|sample| sample.sha256 = hash(6));
        let mut import = crate::library::Import::new("/sets");
        crate::library::WholeSamples::put_whole(&mut copy, &sample, &mut import).unwrap();
        let items = all(&mut copy);
        assert_eq!(items.len(), 3);
        for item in &items {
            let first = server.receive(item).unwrap();
            assert!(first.edit.is_some());
            // The acknowledgement was lost.
            assert_eq!(server.receive(item).unwrap().edit, first.edit);
        }
        assert_eq!(there.edits(99).unwrap().len(), before.0 + 3);
        assert_eq!(there.label_history(None).unwrap().len(), before.1 + 3);
        let label = |label: &str| Some(label.to_owned());
        assert_eq!(
            shown(&there),
            [(1, label("gamma")), (2, label("alpha")), (4, label("gamma")), (6, label("delta"))]
        );
    }

    #[test]
    fn what_was_undone_is_not_sent_and_what_was_sent_is_not_undone_here() {
        let (_there, mut server, _folder, mut copy) = team(Kept::Postgres);
        let first = copy.set_labels(&[hash(1)], Some("gamma"), "test").unwrap().edit.unwrap();
        let second = copy.set_labels(&[hash(2)], Some("gamma"), "test").unwrap().edit.unwrap();
        assert!(copy.turn_here(first, Turn::Undo).unwrap().is_some());
        assert_eq!(copy.waiting().unwrap().len(), 1);
        assert!(copy.turn_here(first, Turn::Redo).unwrap().is_some());
        assert_eq!(copy.waiting().unwrap().len(), 2);
        assert!(copy.turn_here(first, Turn::Undo).unwrap().is_some());
        let items = all(&mut copy);
        assert_eq!(items.iter().map(ToSend::is_empty).collect::<Vec<_>>(), [true, false]);
        // Whether the server has it is not known yet, then it is.
        assert!(copy.turn_here(second, Turn::Undo).unwrap().is_none());
        let received = server.receive(&items[1]).unwrap();
        copy.acknowledged(&items[1], received).unwrap();
        assert!(copy.turn_here(second, Turn::Undo).unwrap().is_none());
        // What the server did not take can be taken back.
        let third = copy.remove(&[hash(3)], "test").unwrap().unwrap();
        let item = all(&mut copy).pop().unwrap();
        copy.refused(&item, "a test").unwrap();
        assert_eq!(copy.waiting().unwrap()[0].refused.as_deref(), Some("a test"));
        assert!(copy.turn_here(third, Turn::Undo).unwrap().is_some());
        assert!(copy.waiting().unwrap().is_empty());
        assert_eq!(copy.sample_count().unwrap(), 4);
        assert!(copy.edits(1).is_ok());
    }
}
