//! The state that the lab's panel is drawn from.

use super::state::Lab;
use crate::app::facts::Facts;
use crate::app::session::Session;
use crate::workflow::LabelledFolder;

/// The state that the panel is drawn from.
pub struct Scene<'a> {
    /// What is available.
    pub facts: &'a Facts,
    /// What is open.
    pub session: &'a Session,
    /// The state of the lab.
    pub lab: &'a Lab,
}

impl Scene<'_> {
    /// The folder in the lab: that of the trial, or the open one.
    pub fn folder(&self) -> Option<&LabelledFolder> {
        self.lab.trial.as_ref().map(|trial| &trial.folder).or(self.session.folder.as_ref())
    }
}
