//! The sandbox: what a worker gives up before it sees the first sample, for good.
//!
//! Everywhere on Unix: memory beyond a limit, writing to files, core dumps, descriptors. On Linux also the
//! file system, the network and signals to others (Landlock, `landlock(7)`) and all system calls but a
//! few (seccomp, `seccomp(2)`): a call that is not on the list fails with EPERM. A kernel that lacks one of
//! them is told, and the other still holds.

#[cfg(target_os = "linux")]
pub mod files_and_network;
#[cfg(target_os = "linux")]
pub mod system_calls;

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// No memory beyond the limit.
    pub limits: bool,
    /// No file system and no network.
    pub landlock: bool,
    /// No system calls but those that reading takes.
    pub seccomp: bool,
}

/// One sentence for people.
impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held: Vec<&str> = [
            (self.limits, "limits of memory"),
            (self.landlock, "no file system and no network (Landlock)"),
            (self.seccomp, "few system calls (seccomp)"),
        ]
        .into_iter()
        .filter_map(|(held, name)| held.then_some(name))
        .collect();
        let held =
            if held.is_empty() { "no restrictions on this system".to_owned() } else { held.join(", ") };
        write!(f, "Samples are read by processes of their own with {held}")
    }
}

/// Gives everything up. `memory`: bytes that may be used. Call it while there is one thread.
pub fn enter(memory: u64) -> Protection {
    let limit = |what, most| {
        setrlimit(what, Rlimit { current: Some(most), maximum: Some(most) })
            .inspect_err(|error| tracing::warn!("{what:?} is not limited: {error}"))
            .is_ok()
    };
    let limits = [
        limit(Resource::Data, memory),
        limit(Resource::Fsize, 0),
        limit(Resource::Core, 0),
        // The socket, files of a request, and clones of them.
        limit(Resource::Nofile, 64),
    ];
    let limits = limits.iter().all(|held| *held);
    #[cfg(target_os = "linux")]
    {
        let held = |what: &str, result: Result<bool, String>| {
            result.unwrap_or_else(|error| {
                tracing::warn!("{what} does not hold: {error}");
                false
            })
        };
        // In this order: seccomp's list has no calls for Landlock.
        let landlock = held("Landlock", files_and_network::give_up().map_err(|error| error.to_string()));
        let seccomp =
            held("seccomp", system_calls::give_up().map(|()| true).map_err(|error| error.to_string()));
        Protection { limits, landlock, seccomp }
    }
    #[cfg(not(target_os = "linux"))]
    Protection { limits, ..Protection::default() }
}
