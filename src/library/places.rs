//! Places: where the samples of a library are on its map.

use std::sync::atomic::{AtomicU64, Ordering};

/// Another number each time it is asked for.
pub(super) fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// How final the places of a map are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// All samples were laid out, or a few were placed among the others later.
    #[default]
    Finished,
    /// Many samples were placed among the others later. A new layout should start from these places.
    Extended,
    /// A first sketch, which the library file does not keep.
    Sketch,
}

/// Places on the map.
#[derive(Clone, Default)]
pub(super) struct Places {
    /// For all samples or for none.
    pub at: Vec<[f32; 2]>,
    /// Those of some of the samples, if `at` is empty.
    pub unfinished: Vec<Option<[f32; 2]>>,
    pub layout: Layout,
    pub id: u64,
}

impl Places {
    /// Those that were read, one for each row or none. A map of some of the samples would mislead.
    pub fn read(places: Vec<Option<[f32; 2]>>, rows: usize) -> Self {
        let mut read = Self { id: next_id(), ..Self::default() };
        if places.len() == rows {
            match places.iter().copied().collect() {
                Some(all) => read.at = all,
                None => read.unfinished = places,
            }
        }
        read
    }
}
