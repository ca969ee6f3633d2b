//! The copy of a team's library on this machine: it is made and forgotten when the user says so, and refreshed after the library was opened.

use super::advice::warning_advice;
use super::jobs::{Kind, Task};
use super::message::Tone;
use super::window::App;
use crate::job::Stop;
use crate::library::{KeptCopy, Library};
use crate::workflow::{Warning, count, refresh_copy};
use std::path::Path;

const KEEP: Kind = Kind("keep a copy");
const FORGET: Kind = Kind("forget the copy");

impl App {
    /// Makes a copy of the open library, which is refreshed from now on.
    pub(super) fn keep_copy(&mut self) {
        let place = self.session.library_path.clone();
        self.start(
            Task::new("Copying the library to this machine").of_kind(KEEP),
            move |run| refresh_copy(&place, run),
            |app, done| {
                let text = format!(
                    "A copy is kept on this machine ({}): it answers while the server cannot be reached",
                    count(done.samples, "sample")
                );
                app.session.say(Tone::Good, text);
            },
        );
    }

    /// Brings the copy of the open library up to what the server has, if one is kept.
    pub(super) fn refresh_kept_copy(&mut self) {
        let place = self.session.library_path.clone();
        let answers = self.session.library.as_ref().is_some_and(|library| library.as_copy().is_none());
        if answers && KeptCopy::is_kept(&place) {
            self.start(
                Task::new("Refreshing the copy").of_kind(KEEP).quiet(),
                move |run| refresh_copy(&place, run).map(drop),
                |_, ()| {},
            );
        }
    }

    /// Removes the copy of the open library, unless something waits in it that the server lacks.
    pub(super) fn forget_copy(&mut self) {
        let place = self.session.library_path.clone();
        self.start(
            Task::new("Removing the copy").of_kind(FORGET),
            move |_| forget(&place),
            |app, ()| app.session.say(Tone::Good, "The copy of the library is removed from this machine"),
        );
    }

    /// Says that what was changed waits in the copy of the library, if it does.
    pub(super) fn say_if_kept(&mut self, library: &Library) {
        if let Some(from) = library.as_copy() {
            self.session.say(Tone::Note, warning_advice(&Warning::Kept(from.host.clone())));
        }
    }
}

fn forget(place: &Path) -> Result<(), Stop> {
    let Some(copy) = KeptCopy::open(place)? else {
        return Err(Stop::failed("expected a copy of the library on this machine, found none"));
    };
    match copy.waiting()?.len() {
        0 => Ok(copy.forget()?),
        n => Err(Stop::failed(format!(
            "expected a copy in which nothing waits, found {} that the server lacks; nothing was removed. Open the library when the server can be reached, which sends them, or undo them",
            count(n, "change")
        ))),
    }
}
