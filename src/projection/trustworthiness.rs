//! Trustworthiness (Venna and Kaski, 2001): how far neighbours on a map are neighbours among the embeddings.

use crate::model::Embeddings;
use crate::search::distance;
use rayon::prelude::*;

/// Nearest first; ties by row.
fn order(a: &(f32, usize), b: &(f32, usize)) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// Rows measured, at most: more do not change the result noticeably.
const MEASURED: usize = 2000;

/// The trustworthiness of a map, 0 to 1; 1 means that each of the `k` nearest places on the map is among the
/// `k` nearest embeddings. On a large map an even sample of rows is measured. 1 if there are too few rows for
/// the measure, which needs `k` below half of them.
pub fn trustworthiness(rows: &Embeddings, places: &[[f32; 2]], k: usize) -> f64 {
    let n = rows.len();
    if k == 0 || 2 * k >= n || places.len() != n {
        return 1.0;
    }
    let measured: Vec<usize> = (0..n).step_by(n.div_ceil(MEASURED)).collect();
    let penalty: u64 = measured
        .par_iter()
        .map(|&i| {
            let at = places[i];
            let mut near: Vec<(f32, usize)> = places
                .iter()
                .enumerate()
                .filter(|(j, _)| *j != i)
                .map(|(j, p)| ((p[0] - at[0]).powi(2) + (p[1] - at[1]).powi(2), j))
                .collect();
            near.select_nth_unstable_by(k - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let own = rows.row(i);
            let mut near: Vec<(f32, usize)> =
                near.iter().take(k).map(|(_, j)| (distance(rows.row(*j), own), *j)).collect();
            near.sort_unstable_by(order);
            // For each of them, the rows that come after the one before it and up to it.
            let mut up_to = vec![0_u64; k + 1];
            for (j, row) in rows.rows().enumerate().filter(|(j, _)| *j != i) {
                let found = (distance(row, own), j);
                up_to[near.partition_point(|near| order(near, &found).is_lt())] += 1;
            }
            let ranks = up_to.iter().take(k).scan(0, |rank, rows| {
                *rank += rows;
                Some(*rank)
            });
            ranks.map(|rank| rank.saturating_sub(k as u64)).sum::<u64>()
        })
        .sum();
    let (n, k, m) = (n as f64, k as f64, measured.len() as f64);
    1.0 - 2.0 / (m * k * (2.0 * n - 3.0 * k - 1.0)) * penalty as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows on a quarter circle, in order.
    fn arc(n: usize) -> Embeddings {
        let mut out = Embeddings::new(2);
        for i in 0..n {
            let (sin, cos) = (i as f32 / n as f32 * 1.5).sin_cos();
            out.data.extend([cos, sin]);
        }
        out
    }

    #[test]
    fn an_exact_map_scores_one_and_a_shuffled_one_much_less() {
        let rows = arc(101);
        let line: Vec<[f32; 2]> = (0..101).map(|i| [i as f32 * 1.001, 0.0]).collect();
        assert!(trustworthiness(&rows, &line, 5) > 0.99);
        let shuffled: Vec<[f32; 2]> = (0..101).map(|i| [(i * 37 % 101) as f32, 0.0]).collect();
        assert!(trustworthiness(&rows, &shuffled, 5) < 0.7);
    }

    #[test]
    fn equals_a_case_computed_by_hand() {
        // Six rows at growing distances; the map swaps the first and the last. k = 1.
        let angles = [0.0_f32, 1.0, 2.1, 3.3, 4.6, 6.0];
        let mut rows = Embeddings::new(2);
        angles.iter().for_each(|a| rows.data.extend([(a * 0.2).cos(), (a * 0.2).sin()]));
        let x = [5.0, 1.1, 2.3, 3.6, 4.95, 0.0];
        let places: Vec<[f32; 2]> = x.iter().map(|x| [*x, 0.0]).collect();
        // Nearest on the map and its rank among the embeddings: 0→4 (4), 1→5 (5), 2→1 (1), 3→2 (1), 4→0 (5),
        // 5→1 (4). The penalty is the rank minus one: 14 in total.
        let want = 1.0 - 2.0 / (6.0 * (12.0 - 3.0 - 1.0)) * 14.0;
        assert!((trustworthiness(&rows, &places, 1) - want).abs() < 1e-9);
    }
}
