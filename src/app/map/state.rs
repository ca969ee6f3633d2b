//! The state of the drawn map: computed from the session when the samples, their labels or their places change.

use super::cloud::Cloud;
use super::names::{NamePlace, name_places};
use super::points::Drawn;
use super::spread::{MOST, Spread};
use crate::app::selection::Selection;
use crate::app::session::Session;
use std::cell::RefCell;

/// Maps of more points are spread by a job.
pub const AT_ONCE: usize = 500;

/// The state that the map is drawn from.
#[derive(Default)]
pub struct MapState {
    /// The samples.
    pub cloud: Cloud,
    /// Where the names of labels are written, largest groups of samples first.
    pub name_places: Vec<NamePlace>,
    /// The edition of the session's map that these were computed from, and whether it is spread.
    pub edition: Option<(u64, bool)>,
    /// Changes whenever the cloud does.
    pub drawing: u64,
    /// The spread map, with the id of the map that it was made from.
    pub spread: Option<(u64, Spread)>,
    /// The map as last drawn.
    pub drawn: RefCell<Drawn>,
}

impl MapState {
    /// Computes the cloud and the names again, if the session's map has changed. With `exact`, points are drawn at the places
    /// that the projection found. Returns whether the map has to be spread by a job.
    pub fn refresh(&mut self, session: &Session, exact: bool) -> bool {
        let (places, labels) = (session.contents.places(), session.contents.labels());
        let id = session.contents.map_id();
        let spreads = !exact && (2..=MOST).contains(&places.len());
        let current = self.spread.as_ref().is_some_and(|(of, _)| *of == id);
        if spreads && !current && places.len() <= AT_ONCE {
            self.spread = Some((id, Spread::new(places)));
        }
        let spread = self.spread.as_ref().filter(|(of, _)| spreads && *of == id).map(|(_, spread)| spread);
        let edition = Some((session.map_edition, spread.is_some()));
        if self.edition != edition {
            let places = spread.map_or(places, |spread| &spread.places);
            let symbols = session.slots.symbols();
            self.cloud = Cloud::new(places, labels.indices(), symbols);
            let bounds = self.cloud.grid.bounds();
            self.name_places = bounds
                .map_or_else(Vec::new, |bounds| name_places(places, labels.indices(), symbols.len(), bounds));
            self.edition = edition;
            self.drawing += 1;
        }
        spreads && spread.is_none()
    }

    /// Where a sample is drawn.
    pub fn place_of(&self, session: &Session, selection: Selection) -> Option<[f32; 2]> {
        let spread = self.edition.filter(|(_, spread)| *spread).and(self.spread.as_ref());
        let (Some((_, spread)), Selection::InLibrary(sha256)) = (spread, selection) else {
            let place = session.place_of(selection)?;
            return Some(spread.map_or(place, |(_, spread)| spread.blend(place)));
        };
        spread.places.get(session.contents.row_of(sha256)?).copied()
    }
}
