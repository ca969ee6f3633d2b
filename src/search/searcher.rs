//! Many queries at once: the same exact results as [`nearest`], through codes of one byte a number.
//!
//! Equal vectors are compared once. Vectors that are nearly alike are in clouds, each with codes of their
//! differences from its centre. A query is first compared with the cloud whose centre is nearest, then with
//! those that could have something nearer. Blocks of codes stay in cache while all queries are compared with
//! them. Each query keeps the vectors that could still be among the k best; at the end only those are compared
//! exactly.
//!
//! [`nearest`]: super::nearest

use super::bounds::{BLOCK, Best, Candidate, limit, scan};
use super::clouds::clouds;
use super::codes::{Codes, Queries};
use super::copies::Copies;
use super::exact::distance;
use super::hit::{Hit, order};
use crate::model::Embeddings;
use rayon::prelude::*;
use std::ops::Range;

/// Rows of one task.
const PART: usize = 128 * BLOCK;
/// Queries of one task.
const SOME: usize = 64;

/// A set of embeddings prepared for many queries.
pub struct Searcher {
    /// The number of rows.
    len: usize,
    copies: Copies,
    parts: Vec<Part>,
}

/// A cloud, or what is in none.
struct Part {
    /// The distinct vectors of its rows of codes.
    vectors: Vec<u32>,
    codes: Codes,
}

/// Some queries that are compared with some rows of a part.
struct Task {
    part: usize,
    rows: Range<usize>,
    queries: Vec<u32>,
}

impl Searcher {
    /// Prepares `library`, in a few passes.
    pub fn new(library: &Embeddings) -> Self {
        let copies = Copies::new(library);
        let clouds = clouds(library, &|vector| copies.first(vector as usize), copies.len());
        let parts = clouds.into_par_iter().filter(|cloud| !cloud.vectors.is_empty()).map(|cloud| {
            let rows = cloud.vectors.iter().map(|vector| library.row(copies.first(*vector as usize)));
            Part { codes: Codes::new(rows, cloud.centre), vectors: cloud.vectors }
        });
        Self { len: library.len(), parts: parts.collect(), copies }
    }

    /// The rows of `library` that are equal.
    pub fn copies(&self) -> &Copies {
        &self.copies
    }

    /// For each row of `queries` its `k` nearest rows of `library`, nearest first, ties by row. `library` is
    /// what [`Self::new`] was given; all rows have unit length.
    pub fn nearest(&self, library: &Embeddings, queries: &Embeddings, k: usize) -> Vec<Vec<Hit>> {
        let count = queries.len();
        if k == 0 || queries.dimension != library.dimension || self.len != library.len() || self.len == 0 {
            return vec![Vec::new(); count];
        }
        let mut found: Vec<Vec<Candidate<u32>>> = vec![Vec::new(); count];
        // Squared distances from the centres.
        let away: Vec<Vec<f32>> = (0..count)
            .into_par_iter()
            .map(|query| self.parts.iter().map(|part| part.codes.away(queries.row(query))).collect())
            .collect();
        let first: Vec<Option<usize>> =
            away.iter().map(|away| (0..away.len()).min_by(|a, b| away[*a].total_cmp(&away[*b]))).collect();
        let limits = vec![f32::INFINITY; count];
        let tasks = self.tasks(count, |query, part| first[query] == Some(part));
        self.compare(queries, k, tasks, &limits, &mut found);
        if self.parts.len() > 1 {
            let limits: Vec<f32> = found.par_iter_mut().map(|found| limit(found, k)).collect();
            let tasks = self.tasks(count, |query, part| {
                let least = self.parts[part].codes.least_distance(away[query][part]);
                first[query] != Some(part) && least <= limits[query]
            });
            self.compare(queries, k, tasks, &limits, &mut found);
        }
        let exact = |(query, mut found): (usize, Vec<Candidate<u32>>)| {
            let limit = limit(&mut found, k);
            found.retain(|candidate| candidate.least <= limit);
            self.exact(library, queries.row(query), &found, k)
        };
        found.into_par_iter().enumerate().map(exact).collect()
    }

    /// The comparisons of `count` queries with the parts that each needs. A task is a piece of a part with some
    /// of its queries: work for all cores whether there are many rows or many queries.
    fn tasks(&self, count: usize, needed: impl Fn(usize, usize) -> bool) -> Vec<Task> {
        let mut tasks = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            let which: Vec<u32> =
                (0..count).filter(|query| needed(*query, index)).map(|query| query as u32).collect();
            for start in (0..part.codes.len()).step_by(PART) {
                let rows = start..(start + PART).min(part.codes.len());
                tasks.extend(which.chunks(SOME).map(|some| Task {
                    part: index,
                    rows: rows.clone(),
                    queries: some.to_vec(),
                }));
            }
        }
        tasks
    }

    /// Runs tasks and adds to `found` what is within the limit of each query.
    fn compare(
        &self,
        queries: &Embeddings,
        k: usize,
        tasks: Vec<Task>,
        limits: &[f32],
        found: &mut [Vec<Candidate<u32>>],
    ) {
        let done: Vec<(Task, Vec<Vec<Candidate<u32>>>)> = tasks
            .into_par_iter()
            .map(|task| {
                let candidates = self.run(queries, k, &task, limits);
                (task, candidates)
            })
            .collect();
        for (task, candidates) in done {
            for (query, candidates) in task.queries.iter().zip(candidates) {
                found[*query as usize].extend(candidates);
            }
        }
    }

    /// The candidates of each query of a task.
    fn run(&self, queries: &Embeddings, k: usize, task: &Task, limits: &[f32]) -> Vec<Vec<Candidate<u32>>> {
        let part = &self.parts[task.part];
        let rows = task.queries.iter().map(|query| queries.row(*query as usize));
        let prepared = Queries::new(rows, &part.codes);
        let limit = |i: usize| limits[task.queries[i] as usize];
        let mut best: Vec<Best> =
            (0..task.queries.len()).map(|i| Best::new(&part.codes, &prepared, i, limit(i))).collect();
        scan(&part.codes, task.rows.clone(), &prepared, k, |_| true, &mut best);
        let vector = |found: Candidate<usize>| Candidate {
            least: found.least,
            most: found.most,
            vector: part.vectors[found.vector],
        };
        best.into_iter().map(|best| best.candidates(k).map(vector).collect()).collect()
    }

    /// The `k` nearest rows of the candidates.
    fn exact(&self, library: &Embeddings, query: &[f32], found: &[Candidate<u32>], k: usize) -> Vec<Hit> {
        let mut hits: Vec<Hit> = found
            .iter()
            .flat_map(|candidate| {
                let vector = candidate.vector as usize;
                let distance = distance(library.row(self.copies.first(vector)), query);
                self.copies.rows(vector).iter().take(k).map(move |row| Hit::new(*row as usize, distance))
            })
            .collect();
        hits.sort_unstable_by(order);
        hits.truncate(k);
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::nearest;
    use crate::search::testing::{around, random};
    use rand::{Rng as _, SeedableRng as _};

    /// Whether the answers are those of looking at every vector.
    fn assert_exact(library: &Embeddings, queries: &Embeddings) {
        let searcher = Searcher::new(library);
        for k in [1, 10, 100] {
            let found = searcher.nearest(library, queries, k);
            for (query, found) in queries.rows().zip(found) {
                assert_eq!(found, nearest(library, query, k, |_| false), "{k}");
            }
        }
    }

    fn first_rows(library: &Embeddings, count: usize) -> Embeddings {
        let Embeddings { dimension, data } = library;
        Embeddings { dimension: *dimension, data: data[..count * dimension].to_vec() }
    }

    #[test]
    fn answers_among_nearly_alike_vectors_are_exact_and_few_are_compared() {
        let centres = random(5, 48);
        for noise in [0.05, 0.002, 1e-4, 1e-6, 0.0] {
            let mut library = around(&centres, 4000, noise);
            let spread = random(1000, 48);
            library.data.extend(&spread.data);
            library.data.extend(&first_rows(&library, 500).data);
            let mut queries = first_rows(&library, 20);
            // Others: of the library's kind, and spread.
            queries.data.extend(&around(&centres, 30, 2.0 * noise).data[20 * 48..]);
            queries.data.extend(&spread.data[..5 * 48]);
            queries.data.extend(random(1010, 48).data[1005 * 48..].iter());
            assert_exact(&library, &queries);
        }
        let library = around(&centres, 4000, 0.002);
        let searcher = Searcher::new(&library);
        let mut found = vec![Vec::new(); 20];
        let tasks = searcher.tasks(20, |_, _| true);
        let queries = first_rows(&library, 20);
        searcher.compare(&queries, 10, tasks, &[f32::INFINITY; 20], &mut found);
        for mut found in found {
            let limit = limit(&mut found, 10);
            // A cloud has 800.
            assert!(found.iter().filter(|candidate| candidate.least <= limit).count() < 100);
        }
    }

    #[test]
    fn answers_are_those_of_looking_at_every_vector_including_ties() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(9);
        for (n, dimension, count) in [(1, 3, 1), (40, 8, 5), (3000, 64, 7), (70_000, 16, 3)] {
            let mut library = Embeddings::new(dimension);
            for i in 0..n {
                // Every third row repeats an earlier one: ties.
                if i % 3 == 2 {
                    let before = library.row(i / 2).to_vec();
                    library.data.extend(before);
                    continue;
                }
                let row: Vec<f32> = (0..dimension).map(|_| rng.random_range(-1.0..1.0)).collect();
                let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
                library.data.extend(row.iter().map(|v| v / length));
            }
            assert_exact(&library, &first_rows(&library, count));
        }
        let searcher = Searcher::new(&Embeddings::new(4));
        assert_eq!(searcher.nearest(&Embeddings::new(4), &Embeddings::new(4), 3), Vec::<Vec<_>>::new());
    }
}
