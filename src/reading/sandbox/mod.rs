//! The sandbox: what a worker permanently gives up before it reads the first sample.
//!
//! On every Unix: memory beyond a limit, writing to files, core dumps, and more than a few descriptors. On Linux also
//! the file system, the network and signals to other processes (Landlock, `landlock(7)`) and all but a few system
//! calls (seccomp, `seccomp(2)`): any other call fails with EPERM. If the kernel lacks one of them, that is logged, and
//! the other is still enforced.

mod enter;
#[cfg(target_os = "linux")]
pub mod files_and_network;
mod protection;
#[cfg(target_os = "linux")]
pub mod system_calls;

pub use enter::enter;
pub use protection::Protection;
