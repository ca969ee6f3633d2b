//! What to do next, in the words of the window: the button or tab that helps with a warning or an error. The domain only reports the problem.

use super::command::Command;
use crate::library::LibraryError;
use crate::model::ModelError;
use crate::sample::Skipped;
use crate::workflow::{NothingToRead, Warning};
use std::error::Error;

/// A warning as a message of the window.
pub fn warning_advice(warning: &Warning) -> String {
    let text = capitalised(&warning.to_string());
    match warning {
        Warning::Unreliable(_) => format!("{text}. The Batch-norm lab explains and repairs it"),
        Warning::MapNotStored => format!("{text}. Open the library again to see its current contents"),
        Warning::Splits { deeper: true, .. } => format!("{text}. Open one of these folders instead"),
        Warning::Splits { deeper: false, .. } => {
            format!("{text}. Put the files of each family in a folder of their own")
        }
        Warning::Resumed { .. }
        | Warning::Checkpoint(_)
        | Warning::OtherLabel(_)
        | Warning::NoFiles(_)
        | Warning::SearchNotPrepared(_)
        | Warning::ShardsMissing(_)
        | Warning::FromCopy(_)
        | Warning::Kept(_)
        | Warning::Sent { .. }
        | Warning::NotSent(_)
        | Warning::Refused { .. }
        | Warning::PassedOver(_) => text,
    }
}

/// An error as a message of the window.
pub fn error_advice(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let nothing: Option<&NothingToRead> = error.downcast_ref();
    let model: Option<&ModelError> = match error.downcast_ref() {
        Some(LibraryError::Model(model)) => Some(model),
        _ => error.downcast_ref(),
    };
    match (error.downcast_ref(), model) {
        (Some(LibraryError::ReadOnly { .. }), _) => {
            format!("{error}. Open another library in the menu of the library, at the top right")
        }
        (_, Some(ModelError::Broken { .. })) => format!("{error}. The Batch-norm lab repairs it"),
        _ if nothing.is_some_and(NothingToRead::needs_password) => format!("{error}{}", password_advice()),
        _ => error.to_string(),
    }
}

/// What helps with skipped files, after the reason of the first one.
pub fn skipped_advice(skipped: &[Skipped]) -> String {
    let locked = skipped.iter().filter(|file| file.needs_password()).count();
    match skipped.first() {
        Some(first) if first.needs_password() => password_advice(),
        _ if locked > 0 => {
            let need = if locked == 1 { "needs" } else { "need" };
            format!(". {locked} of them {need} a password{}", password_advice())
        }
        _ => String::new(),
    }
}

fn password_advice() -> String {
    format!(". Use {}", Command::EnterPassword.about().text)
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
