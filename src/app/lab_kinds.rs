//! The kinds of job of the batch-norm lab.

use super::jobs::Kind;

/// Measuring both modes of a model.
pub const MEASURE: Kind = Kind("measure");
/// Embedding a file in other batches.
pub const EMBED: Kind = Kind("embed in other batches");
/// Making a repaired model, or taking one into use.
pub const REPAIR: Kind = Kind("repair");
/// Training a model as in the article, for the lab only.
pub const TRIAL: Kind = Kind("trial");
/// Running the experiment.
pub const EXPERIMENT: Kind = Kind("experiment");
