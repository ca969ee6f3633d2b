//! Computes the map of the library.

use super::jobs::{Kind, Task};
use super::map::spread::Spread;
use super::window::App;
use crate::library::Library;
use crate::workflow::{MapStart, map_library};

const MAP: Kind = Kind("map");
const SPREAD: Kind = Kind("spread the map");

impl App {
    /// Computes the map by the chosen method, and shows it if the library has not changed meanwhile. One that starts from
    /// the present one is shown in the same view.
    pub(super) fn compute_map(&mut self, start: MapStart) {
        let contents = self.session.contents.clone();
        if contents.model().is_none() {
            return;
        }
        let (path, method, seed) =
            (self.session.library_path.clone(), self.view.kept.map_method, self.view.kept.seed);
        self.start(
            Task::new("Laying out the map").of_kind(MAP).finishing(),
            move |run| {
                let mut library = Library::open(&path)?;
                Ok((contents.hash(), map_library(&contents, &mut library, method, start, seed, run)?))
            },
            move |app, (library, places)| {
                if library == app.session.contents.hash() {
                    app.session.set_places(places);
                    app.view.fit |= start == MapStart::FromSamples;
                    app.refresh_queried();
                }
            },
        );
    }

    /// Spreads a large map, unless that is being done. It is shown as projected meanwhile.
    pub(super) fn spread_map(&mut self) {
        if self.jobs.runs(SPREAD) {
            return;
        }
        let (places, id) = (self.session.contents.places().to_vec(), self.session.contents.map_id());
        self.start(
            Task::new("Spreading the map").of_kind(SPREAD).quiet(),
            move |_| Ok(Spread::new(&places)),
            move |app, spread| {
                app.map.spread = Some((id, spread));
                app.view.fit = true;
            },
        );
    }
}
