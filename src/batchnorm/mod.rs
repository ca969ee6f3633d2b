//! Batch normalisation's two modes: their difference measured ([`compare`], [`compare_layer`],
//! [`batch_dependence`]), explained ([`moving_average`], [`mod@cause`], [`verdict`]) and repaired ([`repair()`],
//! [`recompute`]).

mod batch_dependence;
mod batches;
mod cause;
mod channel;
mod modes;
pub(crate) mod moving_average;
mod place_labels;
mod pooled;
mod recompute;
mod repair;
mod report;
#[cfg(test)]
pub(crate) mod testing;
mod verdict;

pub use verdict::Severity;

pub(crate) use batch_dependence::{BatchDependence, batch_dependence};
pub(crate) use cause::{Cause, Reason, Statistic, cause};
pub(crate) use channel::{Channel, Condition, Layer, compare_layer};
pub(crate) use modes::{ModeFigures, compare, measure_mode};
pub(crate) use moving_average::initial_weight_in;
pub(crate) use recompute::recompute;
pub(crate) use repair::{Repair, Repaired, recompute_over, repair};
pub(crate) use report::{ModeSummary, Report, report};
pub(crate) use verdict::{thousands, warning};
