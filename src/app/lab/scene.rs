//! The state that the lab's panel is drawn from.

use super::state::Lab;
use crate::app::facts::Facts;
use crate::app::session::Session;

/// The state that the panel is drawn from.
pub struct Scene<'a> {
    /// What is available.
    pub facts: &'a Facts,
    /// What is open.
    pub session: &'a Session,
    /// The state of the lab.
    pub lab: &'a Lab,
}
