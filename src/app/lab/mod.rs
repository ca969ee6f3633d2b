//! The batch-norm lab: the difference between train mode and eval mode on the analyst's own model and files,
//! measured, explained and repaired, in the order in which a newcomer asks.

mod batch_dependence_ui;
mod experiment_ui;
pub mod guard_ui;
pub mod lab_ui;
mod layers_ui;
mod modes_ui;
mod parts;
mod repair_ui;
pub mod scene;
pub mod state;
mod try_ui;
