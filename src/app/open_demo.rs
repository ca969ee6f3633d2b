//! Opening the bundled samples: trains on them, then queries samples that were held out.

use super::demo::prepare_demo;
use super::jobs::Task;
use super::window::App;

impl App {
    /// Opens the bundled executables, or the digits, with their own library.
    pub(super) fn open_demo(&mut self, digits: bool) {
        let folder = self.demo_folder.clone();
        self.start(
            Task::new("Unpacking the bundled samples"),
            move |run| prepare_demo(&folder, digits, run.reporter()),
            |app, demo| {
                app.close_library(demo.library.clone());
                let folder = demo.folder.clone();
                app.demo = Some(demo);
                app.open(vec![folder]);
            },
        );
    }
}
