//! What to do next, in the words of the window: which button or tab helps with a warning or an error. The
//! domain only says what is the case.

use crate::workflow::Warning;

/// A warning as a message of the window.
pub fn warning_advice(warning: &Warning) -> String {
    let text = capitalised(&warning.to_string());
    match warning {
        Warning::Unreliable(_) => format!("{text}. The Batch norm tab explains and repairs it"),
        Warning::MapNotStored => format!("{text}. Open the library again to see its current contents"),
        Warning::Resumed { .. } | Warning::Checkpoint(_) | Warning::OtherLabel(_) => text,
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
