//! Searching segments: which vectors could be among the k nearest of a query, by their codes. Only candidates are left to be compared
//! exactly, wherever the vectors themselves are.

use super::bounds::{Best, Candidate, limit, scan};
use super::codes::Queries;
use super::exact::distance;
use super::segment::{Loaded, Segment};
use crate::model::Embeddings;
use rayon::prelude::*;
use std::collections::HashMap;
use std::io;

/// A vector of a segment: its number, and that of the first one of its segment that is equal to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbered {
    number: i64,
    equals: i64,
}

/// Vectors that could be among the nearest of one query.
type Found = Vec<Candidate<Numbered>>;

/// Some queries that are compared with a chunk.
struct Task {
    segment: usize,
    part: usize,
    chunk: usize,
    queries: Vec<usize>,
}

/// The vectors of `segments` with `allowed` numbers that could be among the `k` nearest to each of the `queries`, which have length 1.
pub fn candidates(
    segments: &[&Segment],
    queries: &Embeddings,
    k: usize,
    allowed: &(impl Fn(i64) -> bool + Sync),
) -> io::Result<Vec<Found>> {
    let count = queries.len();
    let mut found: Vec<Found> = vec![Vec::new(); count];
    if k == 0 {
        return Ok(found);
    }
    let parts: Vec<(usize, usize)> = segments
        .iter()
        .enumerate()
        .flat_map(|(segment, parts)| (0..parts.parts()).map(move |part| (segment, part)))
        .collect();
    // Squared distances from the centres.
    let away: Vec<Vec<f32>> = (0..count)
        .into_par_iter()
        .map(|query| {
            let away = |(segment, part): &(usize, usize)| {
                segments.get(*segment).map_or(1.0, |segment| segment.away(*part, queries.row(query)))
            };
            parts.iter().map(away).collect()
        })
        .collect();
    let nearest = |away: &Vec<f32>| (0..away.len()).min_by(|a, b| away[*a].total_cmp(&away[*b]));
    let first: Vec<Option<usize>> = away.iter().map(nearest).collect();
    let limits = vec![f32::INFINITY; count];
    let tasks = tasks(segments, &parts, count, |query, part| first[query] == Some(part));
    compare(segments, queries, k, tasks, &limits, allowed, &mut found)?;
    let limits: Vec<f32> = found.par_iter_mut().map(|found| limit(found, k)).collect();
    let tasks = self::tasks(segments, &parts, count, |query, part| {
        let (segment, in_segment) = parts[part];
        let least = segments[segment].least_distance(in_segment, away[query][part]);
        first[query] != Some(part) && least <= limits[query]
    });
    compare(segments, queries, k, tasks, &limits, allowed, &mut found)?;
    for found in &mut found {
        let limit = limit(found, k);
        found.retain(|candidate| candidate.least <= limit);
    }
    Ok(found)
}

/// The comparisons of `count` queries with the chunks of the parts that each needs.
fn tasks(
    segments: &[&Segment],
    parts: &[(usize, usize)],
    count: usize,
    needed: impl Fn(usize, usize) -> bool,
) -> Vec<Task> {
    let mut tasks = Vec::new();
    for (index, (segment, part)) in parts.iter().enumerate() {
        let queries: Vec<usize> = (0..count).filter(|query| needed(*query, index)).collect();
        if queries.is_empty() {
            continue;
        }
        let chunks = segments.get(*segment).map_or(0, |segment| segment.chunks(*part));
        tasks.extend((0..chunks).map(|chunk| Task {
            segment: *segment,
            part: *part,
            chunk,
            queries: queries.clone(),
        }));
    }
    tasks
}

/// Runs tasks and adds to `found` what is within the limit of each query.
fn compare(
    segments: &[&Segment],
    queries: &Embeddings,
    k: usize,
    tasks: Vec<Task>,
    limits: &[f32],
    allowed: &(impl Fn(i64) -> bool + Sync),
    found: &mut [Found],
) -> io::Result<()> {
    let done: Vec<(Task, Vec<Found>)> = tasks
        .into_par_iter()
        .map_init(Loaded::default, |loaded, task| {
            let candidates = run(segments, queries, k, &task, limits, allowed, loaded)?;
            Ok((task, candidates))
        })
        .collect::<io::Result<_>>()?;
    for (task, candidates) in done {
        for (query, candidates) in task.queries.iter().zip(candidates) {
            if let Some(found) = found.get_mut(*query) {
                found.extend(candidates);
            }
        }
    }
    Ok(())
}

/// The candidates of each query of a task. Of equal vectors the first `k` are enough.
fn run(
    segments: &[&Segment],
    queries: &Embeddings,
    k: usize,
    task: &Task,
    limits: &[f32],
    allowed: &(impl Fn(i64) -> bool + Sync),
    loaded: &mut Loaded,
) -> io::Result<Vec<Found>> {
    let Some(segment) = segments.get(task.segment) else { return Ok(Vec::new()) };
    segment.load(task.part, task.chunk, loaded)?;
    let codes = &loaded.codes;
    let rows = task.queries.iter().map(|query| queries.row(*query));
    let prepared = Queries::new(rows, codes);
    let limit = |query: &usize| limits.get(*query).copied().unwrap_or(f32::INFINITY);
    let mut best: Vec<Best> = task
        .queries
        .iter()
        .enumerate()
        .map(|(i, query)| Best::new(codes, &prepared, i, limit(query)))
        .collect();
    let number = |row: usize| loaded.numbers.get(row).copied();
    let is_allowed = |row: usize| number(row).is_some_and(allowed);
    scan(codes, 0..codes.len(), &prepared, k, is_allowed, &mut best);
    let numbered = |found: Candidate<usize>| {
        let vector =
            Numbered { number: number(found.vector)?, equals: loaded.equals.get(found.vector).copied()? };
        Some(Candidate { least: found.least, most: found.most, vector })
    };
    let firsts = |best: Best| {
        let mut all: Found = best.candidates(k).filter_map(numbered).collect();
        if all.len() > 2 * k {
            all.sort_unstable_by_key(|found| found.vector.number);
            let mut seen: HashMap<i64, usize> = HashMap::new();
            all.retain(|found| {
                let seen = seen.entry(found.vector.equals).or_default();
                *seen += 1;
                *seen <= k
            });
        }
        all
    };
    Ok(best.into_iter().map(firsts).collect())
}

/// The numbers of the `k` nearest of the candidates of a query, nearest first, ties by number. `vector` finds the vector with a number,
/// if it is still there; of equal vectors only one is looked for.
pub fn nearest_of<E>(
    mut found: Found,
    query: &[f32],
    k: usize,
    mut vector: impl FnMut(i64) -> Result<Option<Vec<f32>>, E>,
) -> Result<Vec<(f32, i64)>, E> {
    found.sort_unstable_by(|a, b| a.least.total_cmp(&b.least).then(a.vector.number.cmp(&b.vector.number)));
    let mut distances: HashMap<i64, Option<f32>> = HashMap::new();
    let mut best: Vec<(f32, i64)> = Vec::new();
    let mut farthest = f32::INFINITY;
    for candidate in found {
        if candidate.least > farthest {
            break;
        }
        let Numbered { number, equals } = candidate.vector;
        let exact = match distances.get(&equals) {
            Some(exact) => *exact,
            None => {
                let exact = vector(number)?.map(|vector| distance(&vector, query));
                distances.insert(equals, exact);
                exact
            }
        };
        best.extend(exact.map(|exact| (exact, number)));
        if best.len() >= 2 * k.max(8) {
            farthest = keep(&mut best, k);
        }
    }
    keep(&mut best, k);
    best.sort_unstable_by(order);
    Ok(best)
}

fn order(a: &(f32, i64), b: &(f32, i64)) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// Keeps the `k` nearest; returns the distance of the farthest of them if there are so many.
fn keep(best: &mut Vec<(f32, i64)>, k: usize) -> f32 {
    if k == 0 || best.len() < k {
        return f32::INFINITY;
    }
    let farthest = best.select_nth_unstable_by(k - 1, order).1.0;
    best.truncate(k);
    farthest
}

#[cfg(test)]
mod tests {
    use super::super::segment::{Segment, write_segment};
    use super::super::segment_file::check_segment_file;
    use super::*;
    use crate::search::nearest;
    use crate::search::testing::{around, random};
    use std::io::{Seek as _, SeekFrom, Write as _};

    const TOKEN: [u8; 16] = [7; 16];

    /// Segments of these numbers of vectors, with gaps in and between their numbers.
    fn segments(vectors: &Embeddings, sizes: &[usize]) -> (Vec<Segment>, Vec<i64>) {
        let (mut segments, mut all, mut first) = (Vec::new(), Vec::new(), 0);
        for (gap, size) in sizes.iter().enumerate() {
            let numbers: Vec<i64> = (first..first + size).map(|row| (row * 2 + gap) as i64).collect();
            let d = vectors.dimension;
            let part =
                Embeddings { dimension: d, data: vectors.data[first * d..(first + size) * d].to_vec() };
            let mut file = tempfile::tempfile().unwrap();
            write_segment(&mut file, TOKEN, &numbers, &part).unwrap();
            file.seek(SeekFrom::Start(0)).unwrap();
            segments.push(Segment::open(file, TOKEN, d).unwrap());
            assert_eq!(segments.last().unwrap().count(), *size);
            all.extend(numbers);
            first += size;
        }
        (segments, all)
    }

    #[test]
    fn what_is_found_is_what_comparing_every_vector_finds() {
        let centres = random(6, 48);
        let spread = random(9000, 48);
        for noise in [0.05, 0.002, 1e-6, 0.0] {
            let mut vectors = around(&centres, 9000, noise);
            vectors.data.extend(&spread.data);
            // Copies, in the same segment and in another.
            vectors.data.extend_from_within(8000 * 48..12_000 * 48);
            let (segments, numbers) = segments(&vectors, &[16_000, 5000, 1000]);
            let mut queries = around(&centres, 12, noise);
            queries.data.extend(&random(9004, 48).data[9000 * 48..]);
            for divisor in [1, 3] {
                let allowed = |number: i64| number % divisor == 0;
                for k in [1, 10, 300] {
                    let found =
                        candidates(&segments.iter().collect::<Vec<_>>(), &queries, k, &allowed).unwrap();
                    for (query, found) in queries.rows().zip(found) {
                        let vector = |number: i64| {
                            let row = numbers.iter().position(|other| *other == number).unwrap();
                            Ok::<_, ()>(Some(vectors.row(row).to_vec()))
                        };
                        let found = nearest_of(found, query, k, vector).unwrap();
                        let expected = nearest(&vectors, query, k, |row| !allowed(numbers[row]));
                        let expected: Vec<_> =
                            expected.iter().map(|hit| (hit.distance, numbers[hit.row])).collect();
                        assert_eq!(found, expected, "{noise} {k}");
                    }
                }
            }
        }
    }

    #[test]
    fn many_equal_vectors_are_looked_at_once() {
        let mut vectors = random(1, 32);
        vectors.data = vectors.data.repeat(40_000);
        vectors.data.extend(&random(100, 32).data[32..]);
        let (segments, numbers) = segments(&vectors, &[40_099]);
        let query = Embeddings { dimension: 32, data: vectors.row(0).to_vec() };
        let found =
            candidates(&segments.iter().collect::<Vec<_>>(), &query, 10, &|_| true).unwrap().remove(0);
        assert!(found.len() < 100, "{}", found.len());
        let mut looked = 0;
        let found = nearest_of(found, query.row(0), 10, |_| {
            looked += 1;
            Ok::<_, ()>(Some(query.row(0).to_vec()))
        });
        assert_eq!(looked, 1);
        let expected: Vec<(f32, i64)> = numbers[..10].iter().map(|number| (0.0, *number)).collect();
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let vectors = random(100, 16);
        let numbers: Vec<i64> = (0..100).collect();
        let mut whole = io::Cursor::new(Vec::new());
        write_segment(&mut whole, TOKEN, &numbers, &vectors).unwrap();
        let whole = whole.into_inner();
        let file = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            file.seek(SeekFrom::Start(0)).unwrap();
            file
        };
        let open = |bytes: &[u8], token| {
            let segment = Segment::open(file(bytes), token, 16)?;
            candidates(&[&segment], &vectors, 3, &|_| true)
        };
        let check = |bytes: &[u8]| check_segment_file(&file(bytes));
        assert!(open(&whole, TOKEN).is_ok() && check(&whole).is_ok());
        assert!(open(&whole, [8; 16]).is_err());
        // Searches do not read the checksum of the whole body.
        let body = whole.len() - 4;
        for at in (0..whole.len()).step_by(7) {
            let mut changed = whole.clone();
            changed[at] ^= 4;
            assert!(at >= body || open(&changed, TOKEN).is_err(), "{at}");
            // The name of the format is not a part of what is checked.
            assert!(at < 8 || check(&changed).is_err(), "{at}");
        }
        for length in [0, 5, 30, body - 1] {
            assert!(open(&whole[..length], TOKEN).is_err(), "{length}");
        }
        assert!(check(&whole[..whole.len() - 1]).is_err());
    }
}
