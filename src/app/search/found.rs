//! What the search finds for a text.

use crate::app::command::Command;
use crate::app::pasted_paths::paths_in;
use crate::app::session::Session;
use crate::sample::Sha256;
use crate::workflow::{Sought, is_digest, samples_with};
use std::path::PathBuf;

/// Samples listed, at most. Their number is given too.
const SAMPLES: usize = 50;
/// Labels listed, at most.
const LABELS: usize = 8;

/// An entry of the search.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// A path to open.
    Path(PathBuf),
    /// A dropped file.
    Dropped(Sha256),
    /// A sample of the library.
    Sample(Sha256),
    /// A label, with the number of its samples.
    Label(Option<String>, usize),
    /// A command.
    Command(Command),
}

/// Samples that are searched between two frames; more are searched by a job.
const MANY: usize = 10_000;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The entries, best first.
    pub entries: Vec<Found>,
    /// The samples of the library that match, listed or not.
    pub samples: Vec<Sha256>,
    /// A job finds the samples.
    pub waits: bool,
}

impl Results {
    /// Adds the samples that match.
    pub fn take(&mut self, samples: Vec<Sha256>) {
        self.waits = false;
        self.entries.extend(samples.iter().take(SAMPLES).map(|sha256| Found::Sample(*sha256)));
        self.samples = samples;
    }
}

/// Searches for `text`. Empty, it finds the commands. The samples of a large library have to be found by a job.
pub fn search(session: &Session, text: &str) -> Results {
    let sought = Sought::new(text);
    let wanted = sought.text();
    let mut results = Results::default();
    if wanted.is_empty() {
        results.entries = Command::all().into_iter().map(Found::Command).collect();
        return results;
    }
    if wanted.contains(['/', '\\']) || wanted.starts_with("file:") {
        results.entries.extend(paths_in(text).into_iter().map(Found::Path));
    }
    let dropped = session.queried.iter().map(|queried| &queried.sample);
    let dropped = dropped.filter(|sample| sought.is_in_name(&sample.path) || sought.begins(sample.sha256));
    results.entries.extend(dropped.map(|sample| Found::Dropped(sample.sha256)));
    let labels = session.contents.labels().counts().iter();
    let labels = labels.filter(|(label, _)| label.as_ref().is_some_and(|label| sought.is_in(label)));
    results.entries.extend(labels.take(LABELS).map(|(label, n)| Found::Label(label.clone(), *n)));
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let commands = Command::all().into_iter().filter(|command| {
        let text = command.about().text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    });
    results.entries.extend(commands.map(Found::Command));
    // An MD5 or a SHA-1 is in the library's file alone.
    if session.contents.len() > MANY || is_digest(wanted) && wanted.len() < 64 {
        results.waits = true;
    } else {
        results.take(samples_with(&session.contents, &sought));
    }
    results
}
