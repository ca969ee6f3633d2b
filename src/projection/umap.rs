//! UMAP (McInnes, Healy and Melville, 2018): a map on which neighbouring rows attract and other rows repel
//! each other, found by stochastic gradient descent from PCA.
//!
//! The constants are those of umap-learn with `min_dist` 0.1 and `spread` 1.

use super::descent::{descend, expected_time};
use super::fuzzy_graph::fuzzy_graph;
use super::pace::Pace;
use super::pca::pca;
use crate::job::{Reporter, Stop};
use crate::model::Embeddings;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Half the width of the map before the descent.
const EXTENT: f32 = 10.0;
/// The rate of a descent that starts from a map: what has to move still can.
const AGAIN: f32 = 0.1;
/// A place farther out than this is not of a map by UMAP.
const LARGEST: f32 = 1e4;

/// The settings of UMAP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UmapConfig {
    /// Neighbours that attract a row, at least 2.
    pub neighbours: usize,
    /// Seed of all randomness.
    pub seed: u64,
}

impl Default for UmapConfig {
    fn default() -> Self {
        Self { neighbours: 15, seed: 0 }
    }
}

/// A place for each row. For three rows or fewer, those of PCA. If the job should finish early, the places that there
/// are: those of PCA until all neighbours are found.
pub fn umap(rows: &Embeddings, config: UmapConfig, reporter: &Reporter) -> Result<Vec<[f32; 2]>, Stop> {
    umap_from(rows, None, config, reporter)
}

/// The same, starting from these places by row, as of an earlier map, instead of PCA: what does not have to move stays
/// near its place. Places that are not one for each row, or not finite, are not used.
pub fn umap_from(
    rows: &Embeddings,
    start: Option<&[[f32; 2]]>,
    config: UmapConfig,
    reporter: &Reporter,
) -> Result<Vec<[f32; 2]>, Stop> {
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let start = start.filter(|start| {
        start.len() == rows.len() && start.iter().flatten().all(|v| v.is_finite() && v.abs() < LARGEST)
    });
    let (mut places, rate) = match start {
        Some(start) => (with_noise(start.to_vec(), &mut rng), AGAIN),
        None => (initial_places(rows, &mut rng), 1.0),
    };
    if places.len() <= 3 {
        return Ok(places);
    }
    // umap-learn counts the row itself among its neighbours.
    let k = config.neighbours.clamp(2, places.len() - 1).saturating_sub(1).max(1);
    let mut pace = Pace::new(reporter, expected_time(&places));
    if let Some(edges) = fuzzy_graph(rows, k, reporter, &mut pace)? {
        descend(&mut places, &edges, rate, rng.next_u64(), reporter, &mut pace)?;
    }
    Ok(places)
}

/// PCA, scaled, with noise.
fn initial_places(rows: &Embeddings, rng: &mut ChaCha8Rng) -> Vec<[f32; 2]> {
    let mut places = pca(rows);
    let largest = places.iter().flatten().fold(1e-9_f32, |m, v| m.max(v.abs()));
    for v in places.iter_mut().flatten() {
        *v = *v / largest * EXTENT;
    }
    with_noise(places, rng)
}

/// A little noise, so that equal places can separate.
fn with_noise(mut places: Vec<[f32; 2]>, rng: &mut ChaCha8Rng) -> Vec<[f32; 2]> {
    for v in places.iter_mut().flatten() {
        *v += rng.random_range(-1e-3..1e-3);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Job, Outcome};
    use crate::projection::trustworthiness;
    use std::sync::{Arc, Mutex, mpsc};

    fn clusters(n: usize) -> Embeddings {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let mut out = Embeddings::new(16);
        for i in 0..n {
            let row: Vec<f32> =
                (0..16).map(|c| if c == i % 8 { 2.0 } else { 0.0 } + rng.random_range(-0.3..0.3)).collect();
            let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
            out.data.extend(row.iter().map(|v| v / length));
        }
        out
    }

    #[test]
    fn clusters_stay_together_and_one_seed_gives_one_map() {
        let rows = clusters(400);
        let config = UmapConfig::default();
        let places = umap(&rows, config, &Reporter::silent()).unwrap();
        assert_eq!(places, umap(&rows, config, &Reporter::silent()).unwrap());
        let centre = |c: usize| {
            let own: Vec<_> = places.iter().skip(c).step_by(8).collect();
            [0, 1].map(|axis| own.iter().map(|p| p[axis]).sum::<f32>() / own.len() as f32)
        };
        let away = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
        for (i, place) in places.iter().enumerate() {
            let nearest = (0..8).min_by(|a, b| away(*place, centre(*a)).total_cmp(&away(*place, centre(*b))));
            assert_eq!(nearest, Some(i % 8));
        }
        assert!(trustworthiness(&rows, &places, 15) > 0.85);
    }

    #[test]
    fn a_map_that_starts_from_another_stays_near_it() {
        let rows = clusters(400);
        let config = UmapConfig::default();
        let first = umap(&rows, config, &Reporter::silent()).unwrap();
        let again = umap_from(&rows, Some(&first), config, &Reporter::silent()).unwrap();
        let moved = |a: &[[f32; 2]], b: &[[f32; 2]]| {
            a.iter().zip(b).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).sum::<f32>() / a.len() as f32
        };
        let other = umap(&rows, UmapConfig { seed: 7, ..config }, &Reporter::silent()).unwrap();
        let (little, much) = (moved(&first, &again), moved(&first, &other));
        assert!(little < 0.3 * much, "{little} {much}");
        assert!(trustworthiness(&rows, &again, 15) > 0.85);
        let odd = vec![[f32::NAN; 2]; 400];
        assert_eq!(umap_from(&rows, Some(&odd), config, &Reporter::silent()).unwrap(), first);
    }

    /// The map of a job that is asked to finish early in the first stage of this name; before it starts, if empty.
    fn finished_early(rows: &Embeddings, stage: &'static str) -> Vec<[f32; 2]> {
        type Shared = Arc<Mutex<Option<Job<Vec<[f32; 2]>>>>>;
        let shared = Shared::default();
        let (start, started) = mpsc::channel();
        let wake = {
            let shared = Arc::clone(&shared);
            move || {
                if let Some(job) = &*shared.lock().unwrap()
                    && job.progress().is_some_and(|progress| progress.stage == stage)
                {
                    job.finish_early();
                }
            }
        };
        let rows = rows.clone();
        let job = Job::spawn(Arc::new(wake), move |reporter| {
            started.recv().unwrap();
            umap(&rows, UmapConfig::default(), reporter)
        });
        if stage.is_empty() {
            job.finish_early();
        }
        *shared.lock().unwrap() = Some(job);
        start.send(()).unwrap();
        loop {
            match shared.lock().unwrap().as_ref().and_then(Job::poll) {
                Some(Outcome::Done(places)) => return places,
                Some(other) => panic!("{other:?}"),
                None => std::thread::yield_now(),
            }
        }
    }

    #[test]
    fn a_map_can_be_finished_early_with_the_places_there_are() {
        let rows = clusters(3000);
        let start = initial_places(&rows, &mut ChaCha8Rng::seed_from_u64(0));
        assert_eq!(finished_early(&rows, ""), start);
        let end = umap(&rows, UmapConfig::default(), &Reporter::silent()).unwrap();
        let between = finished_early(&rows, Pace::SECOND);
        assert_eq!(between.len(), 3000);
        assert!(between.iter().flatten().all(|v| v.is_finite()));
        assert!(between != start && between != end);
    }

    #[test]
    fn a_map_of_nearly_alike_rows_does_not_depend_on_the_number_of_threads() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let centres = clusters(4);
        let mut rows = Embeddings::new(16);
        for i in 0..1500 {
            // A third are copies.
            let noise = if i % 3 == 0 { 0.0 } else { 1e-4 };
            let row: Vec<f32> =
                centres.row(i % 4).iter().map(|v| v + noise * rng.random_range(-1.0_f32..1.0)).collect();
            let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
            rows.data.extend(row.iter().map(|v| v / length));
        }
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| umap(&rows, UmapConfig::default(), &Reporter::silent())).unwrap()
        };
        let one = on(1);
        assert!(one.iter().flatten().all(|v| v.is_finite()));
        assert_eq!(one, on(3));
        assert!(trustworthiness(&rows, &one, 15) > 0.8);
    }

    #[test]
    fn few_or_equal_rows_work() {
        for n in 0..6 {
            let rows = Embeddings { dimension: 2, data: [1.0, 0.0].repeat(n) };
            let places = umap(&rows, UmapConfig::default(), &Reporter::silent()).unwrap();
            assert_eq!(places.len(), n);
            assert!(places.iter().flatten().all(|v| v.is_finite()));
        }
    }
}
