//! The state of the drawn map: computed from the session when the samples, their labels or their places change.

use super::cloud::Cloud;
use super::names::{NamePlace, name_places};
use super::points::Drawn;
use crate::app::session::Session;
use std::cell::RefCell;

/// The state that the map is drawn from.
#[derive(Default)]
pub struct MapState {
    /// The samples.
    pub cloud: Cloud,
    /// Where the names of labels are written, largest groups of samples first.
    pub name_places: Vec<NamePlace>,
    /// The edition of the session's map that these were computed from.
    pub edition: Option<u64>,
    /// The map as last drawn.
    pub drawn: RefCell<Drawn>,
}

impl MapState {
    /// Computes the cloud and the names again, if the session's map has changed.
    pub fn refresh(&mut self, session: &Session) {
        if self.edition == Some(session.map_edition) {
            return;
        }
        let (places, labels) = (session.contents.places(), session.contents.labels());
        let named: Vec<bool> = labels.counts().iter().map(|(label, _)| label.is_some()).collect();
        self.cloud = Cloud::new(places, labels.indices(), &named);
        let bounds = self.cloud.grid.bounds();
        self.name_places =
            bounds.map_or_else(Vec::new, |bounds| name_places(places, labels.indices(), named.len(), bounds));
        self.edition = Some(session.map_edition);
    }
}
