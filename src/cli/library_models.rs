//! `lookalike library models`, `use-model` and `rename-model`: the models of a library.

use super::events::{self, Printed};
use super::{open, output};
use crate::escape;
use crate::job::Stop;
use crate::library::{Adopted, Library, StoredModel};
use crate::reading::Reader;
use crate::sample::Sha256;
use crate::workflow::{find_model, trained_on, use_model};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Lists the models.
pub fn list(path: &Path, as_json: bool) -> Result<(), Stop> {
    let library = open::open(path)?;
    let samples = library.sample_count()?;
    library.models()?.iter().try_for_each(|model| print(model, samples, as_json))
}

/// Makes another model the current one.
pub fn switch(path: PathBuf, model: String, reader: Reader, as_json: bool) -> Result<(), Stop> {
    let done = events::run(as_json, &mut Printed::default(), move |run| {
        let library = Library::open(&path)?;
        let hash = find_model(&library, &model)?.hash;
        use_model(library, hash, &reader, run)
    })?;
    if as_json {
        return output::json(&json!({
            "event": "uses model", "name": escape::text(&done.name),
            "sha256": done.contents.model_hash().map(|hash| hash.to_string()),
            "embedded": done.embedded, "left_out": done.left_out,
        }));
    }
    output::line(&done.summary())
}

/// Gives a model another name.
pub fn rename(path: &Path, model: &str, name: &str, as_json: bool) -> Result<(), Stop> {
    let mut library = Library::open(path)?;
    let model = find_model(&library, model)?;
    library.rename_model(model.hash, name)?;
    let (from, to) = (escape::text(&model.name), escape::text(name.trim()));
    if as_json {
        return output::json(&json!({
            "event": "renamed model", "sha256": model.hash.to_string(), "from": from, "name": to,
        }));
    }
    output::line(&format!("{from} is called {to} now"))
}

/// Says that a library keeps its model, and how to use the one that samples were added with; nothing if it uses that.
pub fn print_if_not_in_use(adopted: Adopted, model: Sha256, library: &Path) -> Result<(), Stop> {
    if adopted.in_use {
        return Ok(());
    }
    let hidden = match adopted.hidden {
        0 => String::new(),
        hidden => format!("; {} are not compared until then", output::count(hidden, "sample")),
    };
    output::line(&format!(
        "The library keeps its model: this one has not embedded {} of it (lookalike library use-model {} --library {} reads them again and uses it{hidden})",
        output::count(adopted.lacking, "sample"),
        model.short(),
        escape::path(library)
    ))
}

fn print(model: &StoredModel, samples: usize, as_json: bool) -> Result<(), Stop> {
    if as_json {
        let config = model.config.as_ref().ok();
        let training = config.map(|config| &config.training);
        return output::json(&json!({
            "event": "model", "name": escape::text(&model.name), "sha256": model.hash.to_string(), "added": model.added,
            "current": model.current, "base": model.base, "embedded": model.embedded, "samples": samples,
            "labels": config.map(|config| config.labels.iter().map(|label| escape::text(label)).collect::<Vec<_>>()),
            "files": training.map(|training| training.files),
            "held_back": training.map(|training| training.held_out),
            "result": training.map(|training| training.result),
            "repairs": config.map(|config| config.repairs.iter().map(|repair| escape::text(&repair.what)).collect::<Vec<_>>()),
            "problem": model.config.as_ref().err(),
        }));
    }
    output::line(&format!(
        "{} {}  {}  {}  has embedded {} of {}  {}",
        if model.current { "*" } else { " " },
        model.hash.short(),
        escape::text(&model.name),
        model.added,
        model.embedded,
        output::count(samples, "sample"),
        trained_on(model)
    ))
}
