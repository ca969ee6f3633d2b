//! Reading: from files to pictures and headers.
//!
//! The program opens files, and worker processes that can do nothing else read their bytes, so that a file that
//! crashes its reader costs only itself. On systems that cannot send descriptors between processes (Windows), and in
//! tests of other things, the program reads the bytes itself.

#[cfg(unix)]
mod protocol;
mod reader;
#[cfg(unix)]
pub mod sandbox;
mod task;
mod volumes;
#[cfg(unix)]
mod worker;
#[cfg(unix)]
mod workers;

pub use reader::{ReadSet, Reader};
pub use task::ReadOptions;
#[cfg(unix)]
pub(crate) use worker::serve;
#[cfg(unix)]
pub use workers::{Limits, Workers};
