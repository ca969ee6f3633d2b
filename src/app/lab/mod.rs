//! The batch-norm lab, a lesson: measures, explains and repairs the difference between train mode and eval mode on the
//! user's own model and files, or on the bundled digits.

mod arrows_ui;
mod batch_dependence_ui;
mod begin_ui;
mod cause_picture;
mod cause_ui;
mod columns;
mod experiment_ui;
pub mod guard_ui;
pub mod lab_ui;
mod layers_ui;
pub mod legend;
mod modes_ui;
mod parts;
mod repair_ui;
pub mod scene;
pub mod state;
mod training_of_channel_ui;
mod try_ui;
mod why;
