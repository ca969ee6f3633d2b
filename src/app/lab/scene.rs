//! What the panel of the lab is drawn from.

use super::state::Lab;
use crate::app::facts::Facts;
use crate::app::session::Session;

/// What the panel is drawn from.
pub struct Scene<'a> {
    /// What is available.
    pub facts: &'a Facts,
    /// What is open.
    pub session: &'a Session,
    /// What the lab has found.
    pub lab: &'a Lab,
}
