//! The table of an experiment: one row per policy and step, averaged over the seeds.

use super::row::{Figures, Row};
use crate::export::table;

/// The mean over the seeds for each policy and step, in the order in which policies and steps first occur.
pub fn mean_over_seeds(rows: &[Row]) -> Vec<Row> {
    let mut groups: Vec<(Row, f64)> = Vec::new();
    for row in rows {
        match groups.iter_mut().find(|(sum, _)| sum.policy == row.policy && sum.step == row.step) {
            None => groups.push((row.clone(), 1.0)),
            Some((sum, n)) => {
                *n += 1.0;
                for (sum, figures) in sum.modes.iter_mut().zip(row.modes) {
                    sum.accuracy += figures.accuracy;
                    sum.loss += figures.loss;
                    sum.recall_at_1 += figures.recall_at_1;
                }
                for (sum, distance) in sum.layer_distances.iter_mut().zip(&row.layer_distances) {
                    *sum += distance;
                }
            }
        }
    }
    let mean = |(sum, n): (Row, f64)| Row {
        modes: sum.modes.map(|figures| Figures {
            accuracy: figures.accuracy / n,
            loss: figures.loss / n,
            recall_at_1: figures.recall_at_1 / n,
        }),
        layer_distances: sum.layer_distances.iter().map(|sum| sum / n).collect(),
        ..sum
    };
    let mut rows: Vec<Row> = groups.into_iter().map(mean).collect();
    // Group by policy, for easy comparison.
    let order: Vec<String> = rows.iter().map(|row| row.policy.text()).collect();
    rows.sort_by_key(|row| order.iter().position(|name| *name == row.policy.text()));
    rows
}

/// The rows as CSV: policy, step, accuracy and loss in train mode, in eval mode and with recomputed
/// statistics, then recall at 1 in each, then the distance of each layer.
pub fn experiment_csv(rows: &[Row]) -> Vec<u8> {
    let layers = rows.iter().map(|row| row.layer_distances.len()).max().unwrap_or(0);
    let modes = ["train_mode", "eval_mode", "recomputed_eval"];
    let mut header: Vec<String> = vec!["policy".into(), "step".into()];
    for mode in modes {
        header.extend([format!("{mode}_accuracy"), format!("{mode}_loss")]);
    }
    header.extend(modes.map(|mode| format!("{mode}_recall_at_1")));
    header.extend((1..=layers).map(|layer| format!("layer{layer}_distance")));
    let cells = |row: &Row| {
        let mut cells = vec![row.policy.text(), row.step.to_string()];
        let number = |v: f64| format!("{v:.4}");
        cells.extend(row.modes.iter().flat_map(|f| [number(f.accuracy), number(f.loss)]));
        cells.extend(row.modes.iter().map(|f| number(f.recall_at_1)));
        cells.extend(
            (0..layers).map(|i| row.layer_distances.get(i).copied().map_or_else(String::new, number)),
        );
        cells
    };
    table(header, rows.iter().map(cells))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Policy;
    use crate::model::Init;

    #[test]
    fn seeds_are_averaged_and_columns_are_those_of_the_reference() {
        let row = |policy, step, accuracy: f64, distances: &[f64]| Row {
            policy,
            step,
            modes: [Figures { accuracy, loss: 1.0, recall_at_1: accuracy }; 3],
            layer_distances: distances.to_vec(),
        };
        let rows = [
            row(Policy::Moving(0.1), 5, 0.2, &[1.0, 2.0]),
            row(Policy::NoBatchNorm(Init::Default), 5, 0.1, &[]),
            row(Policy::Moving(0.1), 9, 0.9, &[0.0, 0.0]),
            row(Policy::Moving(0.1), 5, 0.4, &[3.0, 2.0]),
        ];
        let text = String::from_utf8(experiment_csv(&mean_over_seeds(&rows))).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with(
            "policy,step,train_mode_accuracy,train_mode_loss,eval_mode_accuracy,eval_mode_loss,recomputed_eval_accuracy,recomputed_eval_loss,"
        ));
        assert!(lines[1].starts_with("moving average m=0.1,5,0.3000,1.0000,"), "{}", lines[1]);
        assert!(lines[1].ends_with(",2.0000,2.0000"));
        assert!(lines[2].starts_with("moving average m=0.1,9,0.9000"));
        assert!(lines[3].starts_with("no batch norm,5,0.1000") && lines[3].ends_with(",,"));
    }
}
