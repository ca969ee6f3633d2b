//! Searching view segments: which files could be among those of the highest probability. What is not read, how alike the embeddings of
//! code are in full precision, is known within bounds, and a calibration rises with every cosine: so a file is left out only if as
//! many others as are wanted are certainly nearer.

use super::code_scan::TOGETHER;
use super::codes::{Codes, Queries};
use super::look::{FAR, Looks};
use super::view_segment::{NO_CODE, Rows, TermView, ViewSegment};
use crate::model::{Calibration, ViewWeights};
use crate::view::{FileViews, Terms};
use rayon::prelude::*;
use std::io;

/// Cosines are looked up in so many steps from 0 to 1.
const STEPS: usize = 1 << 12;
/// The rounding of everything but the codes, in a cosine.
const ROUNDING: f32 = 1e-5;
/// The same, in log-odds.
const SLACK: f32 = 1e-3;

/// A file that may be among the nearest: the bounds of its likeness, and its number.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    least: f32,
    most: f32,
    number: i64,
}

/// The rising function of one view, by steps of the cosine.
struct Table {
    steps: Vec<f32>,
    abstains: f32,
}

impl Table {
    fn new(view: &ViewWeights) -> Self {
        let at = |step: usize| view.log_odds(Some(step as f32 / STEPS as f32));
        Self { steps: (0..=STEPS).map(at).collect(), abstains: view.log_odds(None) }
    }

    /// No value of a cosine from `least` to `most` is outside of these. The function does not fall, and is constant below 0.
    fn bounds(&self, least: f32, most: f32) -> [f32; 2] {
        let below = (least * STEPS as f32) as usize;
        let above = (most * STEPS as f32) as usize + 1;
        let at = |step: usize| self.steps.get(step.min(STEPS)).copied().unwrap_or(f32::NAN);
        [at(below), at(above)]
    }
}

/// The numbers of the files of `segments` with `allowed` numbers among which are the `k` that are most alike to file `query` of
/// `queries`, whatever else is in the library.
pub fn view_candidates(
    segments: &[&ViewSegment],
    calibration: &Calibration,
    queries: &Looks,
    query: usize,
    k: usize,
    allowed: &(impl Fn(i64) -> bool + Sync),
) -> io::Result<Vec<i64>> {
    let (Some(views), embedding) = (queries.views.get(query), queries.embeddings.row(query)) else {
        return Ok(Vec::new());
    };
    let [text, code, header, image, hash] = &calibration.views;
    let tables = [Table::new(text), Table::new(code), Table::new(header)];
    // Files as bytes have no pictures.
    let bias = calibration.bias + image.log_odds(None) + hash.log_odds(None);
    let found: Vec<Vec<Candidate>> = segments
        .par_iter()
        .map(|segment| {
            let rows = segment.rows()?;
            let mut found = compare(segment, &rows, &tables, bias, views, embedding)?;
            found.retain(|candidate| allowed(candidate.number));
            prune(&mut found, k);
            Ok(found)
        })
        .collect::<io::Result<_>>()?;
    let mut found = found.concat();
    prune(&mut found, k);
    Ok(found.into_iter().map(|candidate| candidate.number).collect())
}

/// Removes what is certainly not among the `k` nearest.
fn prune(found: &mut Vec<Candidate>, k: usize) {
    if k == 0 || found.len() <= k {
        return;
    }
    let least = found.select_nth_unstable_by(k - 1, |a, b| b.least.total_cmp(&a.least)).1.least;
    found.retain(|candidate| candidate.most >= least);
}

/// The bounds of the likeness of every row.
fn compare(
    segment: &ViewSegment,
    rows: &Rows,
    [text, code, header]: &[Table; 3],
    bias: f32,
    views: &FileViews,
    embedding: &[f32],
) -> io::Result<Vec<Candidate>> {
    let text_cosines = term_cosines(segment, TermView::Text, views.text.as_ref(), &rows.text)?;
    let header_cosines = term_cosines(segment, TermView::Header, views.header.as_ref(), &rows.header)?;
    let code_cosines = code_cosines(segment, rows, views, embedding);
    let mut found = Vec::with_capacity(rows.numbers.len());
    for (row, number) in rows.numbers.iter().enumerate() {
        let mut bounds = [bias - SLACK, bias + SLACK];
        let mut sees = false;
        let mut add = |table: &Table, cosine: Option<[f32; 2]>| {
            let own = match cosine {
                Some([least, most]) => {
                    sees = true;
                    table.bounds(least, most)
                }
                None => [table.abstains; 2],
            };
            bounds.iter_mut().zip(own).for_each(|(bound, own)| *bound += own);
        };
        let exact = |cosines: &Option<Vec<f32>>| {
            let cosine = cosines.as_ref()?.get(row).copied().filter(|cosine| !cosine.is_nan())?;
            Some([cosine, cosine])
        };
        add(text, exact(&text_cosines));
        add(header, exact(&header_cosines));
        add(
            code,
            code_cosines.as_ref().and_then(|(cosines, slack)| {
                let cosine = cosines.get(row).copied().filter(|cosine| !cosine.is_nan())?;
                Some([cosine - slack, cosine + slack])
            }),
        );
        let [least, most] = if sees { bounds } else { [FAR - 1.5, FAR + 1.5] };
        found.push(Candidate { least, most, number: *number });
    }
    Ok(found)
}

/// The cosines of the terms of a view with those of every row, NaN where it abstains; `None` if it does for the query.
fn term_cosines(
    segment: &ViewSegment,
    view: TermView,
    terms: Option<&Terms>,
    scales: &[f32],
) -> io::Result<Option<Vec<f32>>> {
    let Some(terms) = terms else { return Ok(None) };
    let mut products = vec![0; scales.len()];
    segment.add_products(view, terms, &mut products)?;
    let cosine = |(product, scale): (u32, &f32)| Terms::cosine_of(product, terms.scale(), *scale);
    Ok(Some(products.into_iter().zip(scales).map(cosine).collect()))
}

/// The cosines of the code with that of every row, within how much they are known; NaN where there is none to compare. `None` if the query
/// has none.
fn code_cosines(
    segment: &ViewSegment,
    rows: &Rows,
    views: &FileViews,
    embedding: &[f32],
) -> Option<(Vec<f32>, f32)> {
    let pairs = views.code.as_ref()?;
    let architecture = segment.architecture(views.architecture.as_deref())?;
    let of = |codes: &Codes, vector: &[f32]| {
        let queries = Queries::new(std::iter::once(vector), codes);
        let mut cosines = vec![0.0; rows.numbers.len()];
        codes.scan(0..codes.len(), &queries, 0, &[f32::NEG_INFINITY; TOGETHER], |query, row, score| {
            if let Some(cosine) = cosines.get_mut(row).filter(|_| query == 0) {
                *cosine = score;
            }
        });
        (cosines, codes.slack(&queries, 0))
    };
    let (mut cosines, slack) = of(&rows.embeddings, embedding);
    let (of_pairs, pair_slack) = of(&rows.pairs, &pairs.unit());
    for ((cosine, pair), own) in cosines.iter_mut().zip(of_pairs).zip(&rows.architecture) {
        let comparable = *own == architecture && *own != NO_CODE;
        *cosine = if comparable { f32::midpoint(*cosine, pair) } else { f32::NAN };
    }
    Some((cosines, f32::midpoint(slack, pair_slack) + ROUNDING))
}

#[cfg(test)]
mod tests {
    use super::super::combined::most_alike;
    use super::super::view_segment::{ViewSegment, write_view_segment};
    use super::*;
    use crate::search::Look;
    use crate::view::{PAIR_NUMBERS, Packed, Pairs};
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;
    use std::io::{Cursor, Seek as _, SeekFrom, Write as _};

    const TOKEN: [u8; 16] = [3; 16];
    const DIMENSION: usize = 24;

    /// Files of families, some of which a view cannot see.
    fn looks(n: usize, seed: u64) -> Looks {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut looks = Looks::new(DIMENSION);
        for i in 0..n {
            let family = rng.random_range(0..40_u32);
            let mut of_family = ChaCha8Rng::seed_from_u64(family.into());
            let row: Vec<f32> = (0..DIMENSION)
                .map(|_| of_family.random_range(-1.0..1.0_f32) + rng.random_range(-0.3..0.3))
                .collect();
            let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
            let embedding: Vec<f32> = row.iter().map(|v| v / length).collect();
            let mut terms = |bins: u32| {
                let weighted = (0..30_u32).map(|k| {
                    let bin =
                        if k % 3 == 0 { rng.random_range(0..bins) } else { (family * 131 + k * 17) % bins };
                    (bin, 0.1 + (k % 9) as f32)
                });
                let mut weighted: Vec<(u32, f32)> = weighted.collect();
                weighted.sort_by_key(|(bin, _)| *bin);
                weighted.dedup_by_key(|(bin, _)| *bin);
                Terms::heaviest(weighted, 4, 64)
            };
            let (text, header) = (terms(4000), terms(900));
            let pairs: Vec<u8> =
                (0..PAIR_NUMBERS).map(|k| (embedding[k % DIMENSION] * 120.0) as i8 as u8).collect();
            let views = FileViews {
                text: text.filter(|_| i % 5 != 1),
                header: header.filter(|_| i % 7 != 1),
                code: Pairs::from_bytes(&pairs).filter(|_| i % 3 != 1),
                architecture: (i % 4 > 0).then(|| format!("processor {}", i % 4 % 3)),
                packed: Packed::No,
                hash: None,
            };
            looks.push(&Look { embedding, views: Some(views) });
        }
        looks
    }

    fn segment(numbers: &[i64], looks: &Looks) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        write_view_segment(&mut out, TOKEN, numbers, looks).unwrap();
        out.into_inner()
    }

    fn open(bytes: &[u8], token: [u8; 16]) -> io::Result<ViewSegment> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        ViewSegment::open(file, token, DIMENSION)
    }

    fn calibration() -> Calibration {
        let view = |slope| ViewWeights { slopes: [slope; 8], abstains: -0.2 };
        let none = ViewWeights::default();
        Calibration { views: [view(3.0), view(0.8), view(1.0), none, none], bias: -2.0, unlike_below: 0.1 }
    }

    #[test]
    fn the_most_alike_are_among_few_candidates() {
        let all = looks(6000, 1);
        let numbers: Vec<i64> = (0..6000).map(|row| 10 + row * 3).collect();
        let segments: Vec<ViewSegment> = [0..2500, 2500..6000]
            .map(|rows| open(&segment(&numbers[rows.clone()], &all.range(rows)), TOKEN).unwrap())
            .into();
        let segments: Vec<&ViewSegment> = segments.iter().collect();
        let mut queries = looks(20, 2);
        queries.push(&all.get(77).unwrap());
        for query in 0..queries.len() {
            for divisor in [1, 4] {
                let allowed = |number: i64| number % divisor == 0;
                let found =
                    view_candidates(&segments, &calibration(), &queries, query, 200, &allowed).unwrap();
                let is_allowed = |row: usize| allowed(numbers[row]);
                for (_, row) in most_alike(&all, &calibration(), &queries, query, 200, &is_allowed) {
                    assert!(found.contains(&numbers[row]), "{query} {row}");
                }
                let sees = queries.views[query].code.is_some() || queries.views[query].text.is_some();
                assert!(!sees || found.len() < 2000, "{query} {}", found.len());
                assert!(found.iter().all(|number| allowed(*number)));
            }
        }
        // A file that nothing can be seen of is as far from all.
        let nothing = FileViews::default();
        queries.push(&Look { embedding: queries.get(0).unwrap().embedding, views: Some(nothing) });
        let found = view_candidates(&segments, &calibration(), &queries, 21, 200, &|_| true).unwrap();
        assert_eq!(found.len(), 6000);
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let all = looks(60, 1);
        let numbers: Vec<i64> = (0..60).collect();
        let whole = segment(&numbers, &all);
        let search = |bytes: &[u8], token| {
            let segment = open(bytes, token)?;
            let mut found = Vec::new();
            for query in 0..3 {
                found.push(view_candidates(&[&segment], &calibration(), &all, query, 3, &|_| true)?);
            }
            Ok::<_, io::Error>(found)
        };
        let right = search(&whole, TOKEN).unwrap();
        assert!(search(&whole, [4; 16]).is_err());
        // Of the tables only the entries of terms that are asked for are read.
        for at in (0..whole.len()).step_by(whole.len() / 97) {
            let mut changed = whole.clone();
            changed[at] ^= 4;
            let found = search(&changed, TOKEN);
            assert!(found.is_err() || found.is_ok_and(|found| found == right), "{at}");
        }
        for at in [1, 9, 18, 60, 300, 1500, 5000] {
            let mut changed = whole.clone();
            changed[at] ^= 4;
            assert!(search(&changed, TOKEN).is_err(), "{at}");
        }
        for length in [0, 5, 30, whole.len() / 2, whole.len() - 1] {
            let found = search(&whole[..length], TOKEN);
            assert!(found.is_err() || found.is_ok_and(|found| found == right), "{length}");
        }
    }
}
