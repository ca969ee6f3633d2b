//! What the search finds for a text.

use crate::app::command::Command;
use crate::app::pasted_paths::paths_in;
use crate::app::session::Session;
use crate::sample::Sha256;
use std::path::PathBuf;

/// Samples listed, at most. Their number is given too.
const SAMPLES: usize = 50;
/// Labels listed, at most.
const LABELS: usize = 8;
/// Hexadecimal digits from which on a text may be the start of a hash.
const HASH: usize = 6;

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

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The entries, best first.
    pub entries: Vec<Found>,
    /// The samples of the library that match, listed or not.
    pub samples: Vec<Sha256>,
}

/// The value of a hexadecimal digit.
fn digit(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).map(|digit| digit as u8)
}

/// Whether a hash begins with these digits.
fn begins_with(sha256: &Sha256, digits: &[u8]) -> bool {
    let own = sha256.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.len() <= 64 && digits.iter().zip(own).all(|(wanted, own)| *wanted == own)
}

/// Searches for `text`. Empty, it finds the commands.
pub fn search(session: &Session, text: &str) -> Results {
    let wanted = text.trim().to_lowercase();
    let mut results = Results::default();
    if wanted.is_empty() {
        results.entries = Command::all().into_iter().map(Found::Command).collect();
        return results;
    }
    if wanted.contains(['/', '\\']) || wanted.starts_with("file:") {
        results.entries.extend(paths_in(text).into_iter().map(Found::Path));
    }
    let hash = wanted.len() >= HASH && wanted.chars().all(|c| c.is_ascii_hexdigit());
    let digits: Vec<u8> = wanted.bytes().filter_map(digit).collect();
    let is = |sha256: Sha256| hash && begins_with(&sha256, &digits);
    let name = |path: &std::path::Path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().to_lowercase().contains(&wanted))
    };
    let dropped = session.queried.iter().map(|queried| &queried.sample);
    let dropped = dropped.filter(|sample| name(&sample.path) || is(sample.sha256));
    results.entries.extend(dropped.map(|sample| Found::Dropped(sample.sha256)));
    let labels = session.contents.labels().counts().iter();
    let labels = labels
        .filter(|(label, _)| label.as_ref().is_some_and(|label| label.to_lowercase().contains(&wanted)));
    results.entries.extend(labels.take(LABELS).map(|(label, n)| Found::Label(label.clone(), *n)));
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let commands = Command::all().into_iter().filter(|command| {
        let text = command.about().text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    });
    results.entries.extend(commands.map(Found::Command));
    results.samples = session
        .contents
        .iter()
        .filter(|entry| name(entry.path) || is(entry.sha256))
        .map(|entry| entry.sha256)
        .collect();
    results.entries.extend(results.samples.iter().take(SAMPLES).map(|sha256| Found::Sample(*sha256)));
    results
}
