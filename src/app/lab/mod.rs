//! The batch-norm lab: measures, explains and repairs the difference between train mode and eval mode on the
//! user's own model and files.

mod act;
mod batch_dependence_ui;
pub mod command;
mod experiment_ui;
pub mod facts;
pub mod guard_ui;
pub mod kinds;
pub mod lab_ui;
mod layers_ui;
mod modes_ui;
mod parts;
mod repair_ui;
pub mod scene;
pub mod state;
mod try_ui;
pub mod view;
