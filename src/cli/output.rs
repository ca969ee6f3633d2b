//! Lines on stdout and stderr.

use super::advice::skipped_advice;
use crate::escape;
use crate::export::for_excel;
use crate::job::Stop;
use crate::library::FromCopy;
use crate::sample::Skipped;
pub use crate::workflow::count;
use serde_json::Value;
use std::io::{self, Write as _};

/// Skipped files named one by one, at most.
const NAMED: usize = 20;

/// The reader of stdout has seen enough, as in `lookalike export … | head`. That is not a failure.
#[derive(Debug, thiserror::Error)]
#[error("the reader of the output is gone")]
pub struct OutputClosed;

/// The command failed, and stderr already says why.
#[derive(Debug, thiserror::Error)]
#[error("the reasons were printed")]
pub struct Reported;

/// Prints one line on stdout.
pub fn line(text: &str) -> Result<(), Stop> {
    bytes(format!("{text}\n").as_bytes())
}

/// That answers are from the copy of a team's library, as JSON.
pub fn from_copy_json(from: &FromCopy) -> Value {
    serde_json::json!({
        "host": from.host, "refreshed": from.refreshed, "minutes": from.minutes, "text": from.to_string(),
    })
}

/// Prints one JSON object on stdout.
pub fn json(value: &Value) -> Result<(), Stop> {
    line(&escape::json(&value.to_string()))
}

/// Writes bytes to stdout.
pub fn bytes(bytes: &[u8]) -> Result<(), Stop> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return OutputClosed.into();
        }
        Stop::failed(format!("the output could not be written: {error}"))
    })
}

/// A table as it is written: with a byte-order mark for Excel, if that is asked for.
pub fn table(table: Vec<u8>, excel: bool) -> Vec<u8> {
    if excel { for_excel(&table) } else { table }
}

/// Prints skipped files: on stderr for people, as objects on stdout for a program.
pub fn skipped(skipped: &[Skipped], as_json: bool) -> Result<(), Stop> {
    if as_json {
        for file in skipped {
            json(&serde_json::json!({
                "event": file.word(), "path": file.path.to_string_lossy(), "reason": file.reason,
            }))?;
        }
        return Ok(());
    }
    let mut err = io::stderr().lock();
    for file in skipped.iter().take(NAMED) {
        let _ = writeln!(err, "{}", skipped_line(file));
    }
    if skipped.len() > NAMED {
        let _ = writeln!(err, "… and {} more files were skipped; --json lists all", skipped.len() - NAMED);
    }
    Ok(())
}

/// A skipped file in a line for people.
fn skipped_line(file: &Skipped) -> String {
    let reason = escape::text(&skipped_advice(file));
    format!("{} {}: {reason}", file.word(), escape::path(&file.path))
}

/// Prints a file that was named and could not be read on stderr.
pub fn unread(file: &Skipped) {
    let _ = writeln!(io::stderr(), "{}", skipped_line(file));
}

/// Prints one line on stderr.
pub fn warn(text: &str) {
    // There is nowhere left to report to if stderr is closed.
    let _ = writeln!(io::stderr(), "lookalike: {}", escape::text(text));
}
