//! The cloud: the samples on the map as places with labels, ordered by a grid that finds those in view.

use super::viewport::BandView;
use crate::app::symbol::Symbol;
use crate::projection::PlaceGrid;

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
    /// `label_of[row]` is the label of `places[row]`; `symbols[label]` is the symbol of a label.
    pub fn new(places: &[[f32; 2]], label_of: &[u32], symbols: &[Symbol]) -> Self {
        let grid = PlaceGrid::new(places);
        let label = |row: &u32| label_of.get(*row as usize).map_or(0, |label| *label as u16);
        let labels = grid.order().iter().map(label).collect();
        Self { labels, symbols: symbols.iter().map(|symbol| symbol.number()).collect(), grid }
    }

    /// Runs of places that may be in view, with their labels.
    pub fn within(&self, view: &BandView) -> impl Iterator<Item = (&[[f32; 2]], &[u16])> {
        self.grid
            .within(view.min, view.max)
            .filter_map(|run| Some((self.grid.places().get(run.clone())?, self.labels.get(run)?)))
    }
}
