//! Receiving what waited in the copy of a team's library.

use super::queue::{Received, ToSend};
use super::{Engine, LibraryError};

/// An engine that a copy is sent to.
pub trait Receive: Engine {
    /// Does what was sent, all of it or nothing, unless it was done already. The models of its samples are there.
    ///
    /// # Errors
    /// A role that may not; a sample that is not in the library; a connection that ends, after which it may be done or not.
    fn receive(&mut self, sent: &ToSend) -> Result<Received, LibraryError>;
}
