//! Lines on stdout and stderr.

use crate::escape;
use crate::job::Stop;
use crate::model::ModelConfig;
use crate::sample::Skipped;
use serde_json::Value;
use std::io::Write as _;

/// Files that were skipped are named one by one up to this many.
const NAMED: usize = 20;

/// One line on stdout.
pub fn line(text: &str) -> Result<(), Stop> {
    writeln!(std::io::stdout(), "{text}")
        .map_err(|error| Stop::Failed(format!("the output could not be written: {error}")))
}

/// One JSON object on stdout.
pub fn json(value: &Value) -> Result<(), Stop> {
    line(&value.to_string())
}

/// Tells what could not be used: on stderr for people, as objects for a program.
pub fn skipped(skipped: &[Skipped], as_json: bool) -> Result<(), Stop> {
    if as_json {
        for file in skipped {
            json(&serde_json::json!({
                "event": "skipped", "path": escape::path(&file.path), "reason": escape::text(&file.reason),
            }))?;
        }
        return Ok(());
    }
    let mut err = std::io::stderr().lock();
    for file in skipped.iter().take(NAMED) {
        let _ = writeln!(err, "skipped {}: {}", escape::path(&file.path), escape::text(&file.reason));
    }
    if skipped.len() > NAMED {
        let _ = writeln!(err, "… and {} more files were skipped; --json lists all", skipped.len() - NAMED);
    }
    Ok(())
}

/// Says on stderr that a model's eval mode is not to be trusted, where it is not.
pub fn warn_of(config: &ModelConfig) {
    if let Some(warning) = crate::batchnorm::warning(config) {
        let _ = writeln!(std::io::stderr(), "lookalike: careful: {warning} (lookalike batchnorm-repair)");
    }
}

/// "1 file", "2 files".
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
