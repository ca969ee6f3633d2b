//! What to do next, in the words of the command line: the command or option that helps with a warning or an
//! error. The domain only reports the problem.

use crate::library::LibraryError;
use crate::model::ModelError;
use crate::workflow::{NothingToRead, Warning};
use std::error::Error;

/// Follows the reason why an encrypted archive was skipped.
pub const PASSWORD: &str = " (--password WORD)";

/// A warning as a line of the command line.
pub fn warning_advice(warning: &Warning) -> String {
    match warning {
        Warning::Unreliable(_) => format!(
            "{warning}: lookalike batchnorm-repair --model M.safetensors --stats recompute FOLDER --out REPAIRED.safetensors"
        ),
        Warning::MapNotStored => format!("{warning}; run lookalike map again"),
        Warning::Resumed { .. } | Warning::Checkpoint(_) | Warning::OtherLabel(_) => warning.to_string(),
    }
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
