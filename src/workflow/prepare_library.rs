//! Preparing a library for searches that do not read all of it. Whatever adds samples to a library, or makes another model its own, does
//! it last.

use super::names::count;
use super::run::{Run, Warning};
use crate::job::Stop;
use crate::library::{Library, Prepared};

/// Makes what a search needs so that it compares only what may be near. Others may use the library meanwhile.
///
/// # Errors
/// The role does not own the library's tables; the library has no model.
pub fn prepare_library(library: &mut Library, run: &Run<'_>) -> Result<Prepared, Stop> {
    library.prepare(run.reporter())
}

/// Prepares what was just added. That saves time and is not what was asked for, so a failure is a warning, and what is left when the work
/// is cancelled is prepared another time.
pub fn prepare_added(library: &mut Library, run: &Run<'_>) {
    match library.after_adding(run.reporter()) {
        Ok(()) | Err(Stop::Cancelled) => {}
        Err(Stop::Failed(why)) => run.warn(Warning::SearchNotPrepared(why.to_string())),
    }
}

/// What was done, in a sentence or two without the last full stop.
pub fn prepared_text(prepared: Prepared) -> String {
    match prepared {
        Prepared::Exact { samples: 0 } => {
            "Nothing to prepare: the library is so small that queries read all of it".to_owned()
        }
        Prepared::Exact { samples } => {
            format!("The index has {}. Answers are those of comparing every sample", count(samples, "sample"))
        }
        Prepared::Index { samples, vectors, made, used } => {
            let index = if made { "The index was made" } else { "The index was there already" };
            let vectors = match vectors {
                0 => String::new(),
                n => format!("; {} made for it", count(n, "vector")),
            };
            let used = if used {
                "Queries use it, and say that their answers are approximate"
            } else {
                "Queries compare all samples until the library is larger"
            };
            format!("{index}, of {}{vectors}. {used}", count(samples, "sample"))
        }
    }
}
