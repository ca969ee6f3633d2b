//! What to do next, in the words of the command line: which command or option helps with a warning. The domain
//! only says what is the case.

use crate::workflow::Warning;

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
