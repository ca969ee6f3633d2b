//! The window: the only module that uses egui.
//!
//! [`Session`] holds what is open, [`View`] the user's choices, [`Lab`] the results of the batch-norm lab, and
//! `jobs` the running jobs. Panels draw from these and push commands, which `act` executes after the frame.

mod about;
mod act;
mod advice;
mod command;
mod command_ui;
mod demo;
mod drop_target_ui;
mod empty_ui;
mod facts;
mod file;
mod focus;
mod input;
mod jobs;
mod jobs_ui;
mod lab;
mod lab_act;
mod lab_command;
mod lab_facts;
mod lab_kinds;
mod lab_view;
mod label;
mod label_edit;
mod map;
mod map_act;
mod message;
mod open;
mod open_demo;
mod options;
mod pasted_paths;
mod picker;
mod priority;
mod pulse;
mod question;
mod question_ui;
mod results;
mod samples_ui;
mod save;
mod select;
mod selection;
mod session;
mod start;
mod symbol;
mod theme;
mod toolbar_ui;
mod train;
mod training_ui;
mod view;
mod window;

pub use command::Command;
pub use focus::Focus;
pub use lab::state::Lab;
pub use message::{Message, Tone};
pub use options::Options;
pub use picker::{Pick, Picker, Reply, SharedPicker, SystemPicker};
pub use question::{Purpose, Question};
pub use selection::Selection;
pub use session::Session;
pub use start::{Renderer, run};
pub use view::{Remembered, Tab, View};
pub use window::App;
