//! The cloud: the samples on the map as places with labels, ordered by a grid that finds those in view.

use super::viewport::BandView;
use crate::projection::PlaceGrid;

/// Number of symbols: seven colours times five shapes for labels, and one for "(no label)".
pub const SYMBOLS: usize = 36;

/// Places and their labels.
#[derive(Debug, Default)]
pub struct Cloud {
    /// The places, in a grid.
    pub grid: PlaceGrid,
    /// The label of each place, in the order of the grid.
    labels: Vec<u16>,
    /// For each label, its symbol.
    pub symbols: Vec<u8>,
}

impl Cloud {
    /// `label_of[row]` is the label of `places[row]`; `named[label]` is false for "(no label)".
    pub fn new(places: &[[f32; 2]], label_of: &[u32], named: &[bool]) -> Self {
        let grid = PlaceGrid::new(places);
        let label = |row: &u32| label_of.get(*row as usize).map_or(0, |label| *label as u16);
        let labels = grid.order().iter().map(label).collect();
        let symbols = named
            .iter()
            .enumerate()
            .map(|(i, named)| if *named { i % (SYMBOLS - 1) } else { SYMBOLS - 1 } as u8);
        Self { labels, symbols: symbols.collect(), grid }
    }

    /// Runs of places that may be in view, with their labels.
    pub fn within(&self, view: &BandView) -> impl Iterator<Item = (&[[f32; 2]], &[u16])> {
        self.grid
            .within(view.min, view.max)
            .filter_map(|run| Some((self.grid.places().get(run.clone())?, self.labels.get(run)?)))
    }
}
