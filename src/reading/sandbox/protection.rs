//! Protection: which layers of the sandbox are enforced.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The layers that are enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// Limits of memory, file size and descriptors.
    pub limits: bool,
    /// No file system and no network.
    pub landlock: bool,
    /// Only the system calls that reading needs.
    pub seccomp: bool,
}

/// One sentence for people.
impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let enforced: Vec<&str> = [
            (self.limits, "limited memory"),
            (self.landlock, "no file system and no network (Landlock)"),
            (self.seccomp, "few system calls (seccomp)"),
        ]
        .into_iter()
        .filter_map(|(enforced, name)| enforced.then_some(name))
        .collect();
        let enforced = if enforced.is_empty() {
            "no restrictions on this system".to_owned()
        } else {
            enforced.join(", ")
        };
        write!(f, "Samples are read by worker processes with {enforced}")
    }
}
