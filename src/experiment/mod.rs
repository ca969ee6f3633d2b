//! The experiment: train mode against eval mode, with and without batch normalisation, by training step, on
//! the user's own files.
//!
//! A plain classifier is trained as in most tutorials ([`Setup`]). Train mode never reads running statistics,
//! so one training with batch normalisation gives the results for every momentum and for the plain average:
//! they are replayed from its trace.

mod chart;
mod row;
mod run;
mod setup;
mod table;

pub(crate) use chart::{Chart, Format, render};
pub(crate) use row::Row;
pub(crate) use run::run;
pub(crate) use setup::{Policy, Setup};
pub(crate) use table::{experiment_csv, mean_over_seeds};
