//! Printing the events of a task: for people, or as one JSON object a line.

use super::advice::warning_advice;
use super::{facts, output};
use crate::experiment::Row;
use crate::job::Stop;
use crate::model::Epoch;
use crate::sample::{Sha256, Skipped};
use crate::workflow::{Event, Inspected, Run};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

/// An inspected file, or one that was skipped.
pub type InspectedOrSkipped = Result<Inspected, Skipped>;

/// Counts of what was printed.
#[derive(Debug, Default)]
pub struct Printed {
    /// Skipped files, without duplicates.
    pub skipped: usize,
    /// Files with the content of another one.
    pub duplicates: usize,
    /// Samples added to the library.
    pub added: usize,
    /// Keeps the facts of inspected files, and skipped ones, in place of printing the facts.
    pub inspected: Option<Arc<Mutex<Vec<InspectedOrSkipped>>>>,
    /// Whether the command is `inspect`, whose JSON has its own form of skipped files.
    pub inspect: bool,
    /// Points of a training's curves.
    pub epochs: usize,
}

/// Runs `work` as a job and prints its events as they come.
pub fn run<T: Send + 'static>(
    as_json: bool,
    printed: &mut Printed,
    work: impl FnOnce(&Run<'_>) -> Result<T, Stop> + Send + 'static,
) -> Result<T, Stop> {
    let mut closed = false;
    super::watch::watch(work, |event| {
        if closed {
            return Ok(());
        }
        match print(event, as_json, printed) {
            // The work goes on without an audience: a training is not lost to `| head`.
            Err(Stop::Failed(error)) if error.is::<output::OutputClosed>() => {
                closed = true;
                Ok(())
            }
            printed => printed,
        }
    })
}

fn print(event: Event, as_json: bool, printed: &mut Printed) -> Result<(), Stop> {
    match event {
        Event::Skipped(files) => {
            let duplicates = files.iter().filter(|file| file.is_duplicate()).count();
            printed.duplicates += duplicates;
            printed.skipped += files.len() - duplicates;
            if let Some(kept) = &printed.inspected {
                let files = files.iter().cloned().map(Err);
                kept.lock().unwrap_or_else(PoisonError::into_inner).extend(files);
            }
            if printed.inspect && as_json {
                return files.iter().try_for_each(facts::print_skipped);
            }
            output::skipped(&files, as_json)
        }
        Event::Warning(warning) => {
            output::warn(&warning_advice(&warning));
            Ok(())
        }
        Event::Epoch(epoch) => {
            if printed.epochs == 0 && !as_json {
                output::line("  epoch    loss   train mode   eval mode   recall@1   time")?;
            }
            printed.epochs += 1;
            print_epoch(&epoch, as_json)
        }
        Event::Added(samples) => {
            printed.added += samples.len();
            if !as_json {
                return Ok(());
            }
            let samples: Vec<String> = samples.iter().map(Sha256::to_string).collect();
            output::json(&json!({ "event": "added", "sha256": samples }))
        }
        Event::Inspected(file) => match &printed.inspected {
            Some(kept) => {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(Ok(*file));
                Ok(())
            }
            None if as_json => facts::print_json(&file),
            None => facts::print(&file),
        },
        Event::Row(row, seed) if as_json => print_row(&row, seed),
        Event::Row(..) => Ok(()),
    }
}

/// Prints a measured point of a training.
pub fn print_epoch(epoch: &Epoch, as_json: bool) -> Result<(), Stop> {
    if as_json {
        return output::json(&json!({ "event": "epoch", "measured": epoch }));
    }
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    output::line(&format!(
        "{:7.1} {:7.3} {:>12} {:>11} {:>10} {:>5.0} s",
        epoch.epoch,
        epoch.loss,
        percent(epoch.train_mode_accuracy),
        percent(epoch.eval_mode_accuracy),
        epoch.recall_at_1.map_or_else(|| "–".into(), percent),
        epoch.seconds
    ))
}

fn print_row(row: &Row, seed: u64) -> Result<(), Stop> {
    let [train, eval, recomputed] =
        row.modes.map(|f| json!({ "accuracy": f.accuracy, "loss": f.loss, "recall_at_1": f.recall_at_1 }));
    output::json(&json!({
        "event": "row", "policy": row.policy.text(), "seed": seed, "step": row.step, "train_mode": train,
        "eval_mode": eval, "recomputed_eval": recomputed, "layer_distances": row.layer_distances,
    }))
}
