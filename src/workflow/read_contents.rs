//! Reading the contents of a library, with a place on the map for each sample.

use super::find_near::{find_near, looks_of};
use super::near::{AskedAs, PLACED_BY, WantedNear};
use super::run::Run;
use crate::job::Stop;
use crate::library::{Contents, Layout, Library, Neighbour};
use crate::projection::{pca, place};
use crate::sample::Sha256;
use crate::search::Hit;

/// Of the samples of a map, at most one in this many is placed among the others. Of more, a new map is laid out.
const PLACED_SHARE: usize = 4;
/// At most this many are placed: each is compared with the whole library.
const PLACED_MOST: usize = 500;
/// The same for a large library, in which each is searched for.
const PLACED_IN_LARGE: usize = 32;
/// Libraries that may have more samples than this are read as an outline.
const OUTLINED: i64 = 100_000;
/// So many may form a cluster of their own, which only a new layout shows.
const CLUSTER: usize = 10;
/// The neighbours of a new sample that are looked at, since others of them may be new too.
const LOOKED_AT: usize = 4 * PLACED_BY;

/// Reads the contents of a library with a place for each sample; of one with many samples only the outline. Samples that came after
/// its map was laid out are placed among the others, and these places are stored. If there is no map, or too many came, the places
/// are a sketch by PCA, and an outline has none.
pub fn read_contents(library: &mut Library) -> Result<Contents, Stop> {
    read_as(library, OUTLINED)
}

/// The same, of a library that may have more samples than `outlined` only the outline.
pub(super) fn read_as(library: &mut Library, outlined: i64) -> Result<Contents, Stop> {
    let is_large = library.larger_than(outlined)?.is_some();
    let mut contents = if is_large { library.outline()? } else { library.contents()? };
    if !contents.places().is_empty() || contents.is_empty() {
        return Ok(contents);
    }
    match place_new(&contents)? {
        Some((places, layout)) => {
            if can_store(&contents, library) && layout == Layout::Finished {
                // They are found again if another program changed the library meanwhile, or writes to it.
                if let Err(error) = library.put_places(&contents, &places) {
                    tracing::warn!("the places of new samples were not stored: {error}");
                }
            }
            contents.set_places(places, layout);
        }
        None if is_large => {
            let known = contents.unfinished_places().iter().any(Option::is_some);
            contents.set_layout(if known { Layout::Extended } else { Layout::Sketch });
        }
        None => contents.set_places(pca(contents.vectors()), Layout::Sketch),
    }
    Ok(contents)
}

/// Whether a map of `contents` is for all samples of a library that can be written.
pub(super) fn can_store(contents: &Contents, library: &Library) -> bool {
    library.read_only().is_none() && contents.damage().is_none()
}

/// A place for each row, and how final they are.
type Placed = (Vec<[f32; 2]>, Layout);

/// A place for each row, if most have one: the others are placed among them.
fn place_new(contents: &Contents) -> Result<Option<Placed>, Stop> {
    let known = contents.unfinished_places();
    let new: Vec<usize> =
        (0..known.len()).filter(|row| known.get(*row).is_some_and(Option::is_none)).collect();
    let most = if contents.looks_in().is_some() { PLACED_IN_LARGE } else { PLACED_MOST };
    if new.is_empty() || new.len() > most || new.len() * PLACED_SHARE > known.len() {
        return Ok(None);
    }
    let own: Vec<Sha256> = new.iter().filter_map(|row| Some(contents.at(*row)?.sha256)).collect();
    let looks = looks_of(contents, &own)?;
    let wanted = WantedNear::all(AskedAs::Sample, LOOKED_AT);
    let mut places: Vec<[f32; 2]> = known.iter().map(|place| place.unwrap_or_default()).collect();
    let placed: Vec<Option<[f32; 2]>> = find_near(contents, &looks, &own, &wanted, &Run::silent())?
        .iter()
        .map(|near| {
            let on_map = |near: &Neighbour| {
                let row = contents.row_of(near.sha256)?;
                known.get(row)?.is_some().then(|| Hit::new(row, near.distance))
            };
            let known: Vec<Hit> = near.neighbours.iter().filter_map(on_map).take(PLACED_BY).collect();
            place(&known, &places)
        })
        .collect();
    for (row, placed) in new.iter().zip(placed) {
        let (Some(place), Some(placed)) = (places.get_mut(*row), placed) else { return Ok(None) };
        *place = placed;
    }
    Ok(Some((places, if new.len() < CLUSTER { Layout::Finished } else { Layout::Extended })))
}
