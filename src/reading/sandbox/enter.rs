//! Enters the sandbox, layer by layer.

use super::protection::Protection;
#[cfg(target_os = "linux")]
use super::{files_and_network, system_calls};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Restricts this process permanently. `memory`: the most bytes that it may use. Call it while the process has only one
/// thread.
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
        // The socket, the files of a request with the volumes of an archive, and the clones of one file.
        limit(Resource::Nofile, 256),
    ];
    let limits = limits.iter().all(|enforced| *enforced);
    #[cfg(target_os = "linux")]
    {
        let enforced = |layer: &str, result: Result<bool, String>| {
            result.unwrap_or_else(|error| {
                tracing::warn!("{layer} is not enforced: {error}");
                false
            })
        };
        // Landlock first: its system calls are not on seccomp's list.
        let landlock = enforced("Landlock", files_and_network::restrict().map_err(|error| error.to_string()));
        let seccomp =
            enforced("seccomp", system_calls::restrict().map(|()| true).map_err(|error| error.to_string()));
        Protection { limits, landlock, seccomp }
    }
    #[cfg(not(target_os = "linux"))]
    Protection { limits, ..Protection::default() }
}
