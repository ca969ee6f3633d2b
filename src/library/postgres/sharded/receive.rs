//! Receiving what waited in a copy: what is large of its samples goes to the shards first.

use super::add::put_on_shards;
use super::library::ShardedLibrary;
use super::stub::stub;
use crate::library::LibraryError;
use crate::library::queue::{Received, ToSend};
use crate::library::receive::Receive;

impl Receive for ShardedLibrary {
    fn receive(&mut self, sent: &ToSend) -> Result<Received, LibraryError> {
        put_on_shards(&self.shards, &sent.samples, None)?;
        let samples = sent.samples.iter().map(stub).collect();
        self.first.receive(&ToSend { samples, ..sent.clone() })
    }
}
