//! `lookalike library keep` and `send`: the copy of a team's library on this machine, and what waits in it.

use super::events::{self, Printed};
use super::output;
use crate::escape;
use crate::job::Stop;
use crate::library::{KeptCopy, Waiting};
use crate::workflow::{refresh_copy, send_waiting, waiting_text};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Makes a copy, or brings it up to what the server has.
pub fn keep(place: PathBuf, as_json: bool) -> Result<(), Stop> {
    let shown = escape::path(&place);
    let done = events::run(as_json, &mut Printed::default(), move |run| refresh_copy(&place, run))?;
    if as_json {
        return output::json(&json!({ "event": "kept", "read": done.read, "samples": done.samples }));
    }
    output::line(&format!(
        "A copy of {shown} is kept on this machine: {}, {} read now",
        output::count(done.samples, "sample"),
        done.read
    ))
}

/// Removes a copy; one with changes that the server lacks only with `unsent`.
pub fn forget(place: &Path, unsent: bool, as_json: bool) -> Result<(), Stop> {
    let shown = escape::path(place);
    let Some(copy) = KeptCopy::open(place)? else {
        return Err(Stop::failed(format!("expected a copy of {shown} on this machine, found none")));
    };
    let waiting = copy.waiting()?.len();
    if waiting > 0 && !unsent {
        return Err(Stop::failed(format!(
            "expected a copy in which nothing waits, found {} that the server lacks; nothing was removed. Send them (lookalike library send URL), or lose them (--unsent)",
            output::count(waiting, "change")
        )));
    }
    copy.forget()?;
    if as_json {
        return output::json(&json!({ "event": "forgotten", "unsent": waiting }));
    }
    let lost = match waiting {
        0 => String::new(),
        n => format!(", with {} that the server lacks", output::count(n, "change")),
    };
    output::line(&format!("The copy of {shown} is removed from this machine{lost}"))
}

/// Sends what waits.
pub fn send(place: PathBuf, as_json: bool) -> Result<(), Stop> {
    let copy = place.clone();
    let sent = events::run(as_json, &mut Printed::default(), move |run| send_waiting(&place, run))?;
    let waiting = KeptCopy::open(&copy)?.map(|copy| copy.waiting()).transpose()?.unwrap_or_default();
    if as_json {
        let refused: Vec<Value> = sent.refused.iter().map(to_json).collect();
        return output::json(&json!({
            "event": "sent", "sent": sent.taken, "left": sent.left, "refused": refused, "waiting": waiting.len(),
        }));
    }
    output::line(&match (sent.taken, waiting.len()) {
        (0, 0) => "Nothing waits to be sent".to_owned(),
        (taken, 0) => format!("{} sent; nothing waits any more", output::count(taken, "change")),
        (taken, n) => format!("{} sent; {} on", output::count(taken, "change"), wait(n)),
    })
}

/// Lists what waits.
pub fn list(place: &Path, as_json: bool) -> Result<(), Stop> {
    let waiting = KeptCopy::open(place)?.map(|copy| copy.waiting()).transpose()?.unwrap_or_default();
    if as_json {
        return waiting.iter().try_for_each(|waiting| output::json(&to_json(waiting)));
    }
    if waiting.is_empty() {
        return output::line("Nothing waits to be sent");
    }
    waiting.iter().try_for_each(|waiting| {
        let edit = waiting.edit.map_or_else(String::new, |edit| edit.to_string());
        let refused = waiting.refused.as_ref().map_or_else(String::new, |why| format!("; not taken: {why}"));
        output::line(&format!("{edit:>4}  {}  {}{refused}", waiting.at, waiting_text(waiting)))
    })
}

fn wait(n: usize) -> String {
    format!("{} {}", output::count(n, "change"), if n == 1 { "waits" } else { "wait" })
}

fn to_json(waiting: &Waiting) -> Value {
    json!({
        "event": "waits", "edit": waiting.edit, "at": waiting.at, "what": waiting_text(waiting),
        "samples": waiting.samples, "refused": waiting.refused,
    })
}
