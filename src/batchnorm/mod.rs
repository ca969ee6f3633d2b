//! The difference between train mode and eval mode: measured ([`compare`], [`layer`], [`company`]),
//! explained ([`moving_average`], [`verdict()`]) and mended ([`repair()`], [`recompute`]).

mod channel;
mod company;
mod modes;
pub mod moving_average;
mod recompute;
mod repair;
mod report;
#[cfg(test)]
pub(crate) mod testing;
mod verdict;

pub use channel::{Channel, Condition, Layer, layer};
pub use company::{Company, InCompany, SIZES, company};
pub use modes::{Compared, ModeFigures, compare, in_batches, in_mode};
pub use recompute::{PooledStatistics, recompute};
pub use repair::{Repair, Repaired, repair};
pub use report::{Known, MEASURED, Numbers, Report, known_files, report, weight_of_start};
pub use verdict::{Severity, Verdict, provenance, verdict, warning};

/// What is said where there is no company to be normalised in.
const ALONE: &str = "expected at least two files, found one: in train mode a file is normalised together with others. Open a folder with more files";
