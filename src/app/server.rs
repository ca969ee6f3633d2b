//! Tests the connection to a team's library for the open question.

use super::jobs::{Kind, Task};
use super::question::Question;
use super::window::App;
use crate::job::Stop;
use crate::workflow::test_library;
use std::path::Path;

const TEST: Kind = Kind("test the connection");

impl App {
    /// Tests the connection to the library with this URL, and shows what is found in the question.
    pub(super) fn test_server(&mut self, url: String) {
        self.start(
            Task::new("Connecting").of_kind(TEST),
            move |_| match test_library(Path::new(&url)) {
                Ok(found) => Ok((url, Ok(found))),
                Err(Stop::Failed(error)) => Ok((url, Err(error.to_string()))),
                Err(cancelled) => Err(cancelled),
            },
            |app, found| {
                if let Some(Question::Server { tested, .. }) = &mut app.view.question {
                    *tested = Some(found);
                }
            },
        );
    }
}
