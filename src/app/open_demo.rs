//! Opens the bundled samples: trains on them, then queries the samples that were held out.

use super::demo::prepare_demo;
use super::jobs::Task;
use super::window::App;

impl App {
    /// Opens the bundled executables, or the digits, with a library of their own.
    pub(super) fn open_demo(&mut self, digits: bool) {
        let folder = self.demo_folder.clone();
        self.start(
            Task::new("Unpacking the bundled samples"),
            move |run| prepare_demo(&folder, digits, run.reporter()),
            |app, demo| {
                app.close_library(demo.library);
                app.held_out = demo.held_out;
                app.open(vec![demo.folder]);
            },
        );
    }
}
