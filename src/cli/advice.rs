//! What to do next, in the words of the command line: the command or option that helps with a warning or an
//! error. The domain only reports the problem.

use crate::escape;
use crate::library::LibraryError;
use crate::model::ModelError;
use crate::sample::Skipped;
use crate::workflow::{NothingToRead, Warning};
use std::error::Error;

/// Follows the reason why an encrypted archive was skipped.
const PASSWORD: &str = " (--password WORD)";

/// Why a file was skipped, with what helps.
pub fn skipped_advice(file: &Skipped) -> String {
    file.reason.clone() + if file.needs_password() { PASSWORD } else { "" }
}

/// A warning as a line of the command line.
pub fn warning_advice(warning: &Warning) -> String {
    match warning {
        Warning::Unreliable(_) => format!(
            "{warning}: lookalike batchnorm-repair --model M.safetensors --stats recompute FOLDER --out REPAIRED.safetensors"
        ),
        Warning::MapNotStored => format!("{warning}; run lookalike map again"),
        Warning::Splits { folder, labels, deeper: true } => {
            let [train, test] = train_and_test(labels).map(|part| escape::path(&folder.join(part)));
            format!("{warning}: train on {train} and query {test}, or read all of them with --label-level 2")
        }
        Warning::Splits { deeper: false, .. } => {
            format!("{warning}: put the files of each family in a folder of their own")
        }
        Warning::Refused { .. } => {
            format!(
                "{warning} (lookalike library send URL --list; lookalike library undo EDIT takes one back)"
            )
        }
        Warning::SearchNotPrepared(_)
        | Warning::ShardsMissing(_)
        | Warning::FromCopy(_)
        | Warning::Kept(_)
        | Warning::Sent { .. }
        | Warning::NotSent(_)
        | Warning::Resumed { .. }
        | Warning::Checkpoint(_)
        | Warning::OtherLabel(_)
        | Warning::NoFiles(_)
        | Warning::PassedOver(_) => warning.to_string(),
    }
}

/// The parts of a data set to train on and to query.
fn train_and_test(labels: &[String]) -> [&str; 2] {
    let begins = |with: &str| labels.iter().find(|label| label.to_lowercase().starts_with(with));
    let train = begins("train").or(labels.first()).map_or("train", |label| label);
    let test = begins("test").or_else(|| labels.iter().find(|label| *label != train));
    [train, test.map_or("FILE", |label| label)]
}

/// An error as the last line of the command line.
pub fn error_advice(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let advice = match error.downcast_ref() {
        Some(LibraryError::Missing { .. } | LibraryError::NoModel) => {
            " (lookalike index FOLDER --model M.safetensors --library L.lookalike)"
        }
        Some(LibraryError::ReadOnly { .. }) => {
            " (lookalike library check finds damage; lookalike library backup copies what can be read)"
        }
        Some(LibraryError::NoSample { .. }) => " (lookalike export lists all samples)",
        Some(LibraryError::Model(model)) => model_advice(model),
        _ => match (error.downcast_ref(), error.downcast_ref::<NothingToRead>()) {
            (Some(model), _) => model_advice(model),
            (_, Some(nothing)) if nothing.needs_password() => PASSWORD,
            _ => "",
        },
    };
    format!("{error}{advice}")
}

fn model_advice(error: &ModelError) -> &'static str {
    match error {
        ModelError::Format { .. } | ModelError::PlaneSet { .. } => {
            " (lookalike train FOLDER --model M.safetensors)"
        }
        ModelError::Broken { .. } => {
            " (lookalike batchnorm-repair FOLDER --model M.safetensors --out REPAIRED.safetensors)"
        }
        _ => "",
    }
}
