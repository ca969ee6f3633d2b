//! The batch-norm lab: measures, explains and repairs the difference between train mode and eval mode on the
//! user's own model and files.

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
