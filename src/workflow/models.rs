//! The models of a library: finding one by its name or hash, and using another one.

use super::embed_again::{EmbeddedAgain, embed_again};
use super::index::ChangedLibrary;
use super::names::{count, some_of};
use super::prepare_library::prepare_added;
use super::read_contents::read_contents;
use super::run::Run;
use crate::escape;
use crate::job::Stop;
use crate::library::{Added, Adopt, Contents, Library, StoredModel};
use crate::model::{Model, ModelConfig};
use crate::reading::Reader;
use crate::sample::Sha256;
use std::path::Path;

/// Hexadecimal digits of a hash that are enough to name what has it.
pub(super) const FEWEST_DIGITS: usize = 6;

/// A library that uses another model.
pub struct UsedModel {
    /// The library file.
    pub library: Library,
    /// Its samples, by that model, with a first map if they had none.
    pub contents: Contents,
    /// The name of the model.
    pub name: String,
    /// Samples that were read again, because the model had not embedded them.
    pub embedded: usize,
    /// Samples whose files are gone, have changed, or cannot be read for this model. They stay in the library, and are not
    /// compared.
    pub left_out: usize,
}

impl UsedModel {
    /// What was done, in a sentence without its full stop.
    pub fn summary(&self) -> String {
        let mut text = format!("The library uses {}", escape::text(&self.name));
        if self.embedded > 0 {
            text += &format!("; {} read again for it", count(self.embedded, "sample"));
        }
        if self.left_out > 0 {
            let left = count(self.left_out, "sample");
            text += &format!(
                "; {left} whose files are gone or have changed stay in the library, and are not compared"
            );
        }
        text
    }
}

/// Makes a model that the library holds its current one. The files of the samples that it has not embedded are read again first.
/// Labels stay. If it could embed no sample at all, it fails and the library keeps its model; so it does if it is cancelled.
pub fn use_model(
    mut library: Library,
    hash: Sha256,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<UsedModel, Stop> {
    library.check_writable()?;
    let model = library.stored_model(hash)?;
    model.usable()?;
    run.warn_about(&model);
    let lacking = library.lacking(hash)?;
    let EmbeddedAgain { embedded, gone } = embed_again(lacking, &model, &mut library, reader, run)?;
    let samples = library.samples()?.len();
    if samples > 0 && library.lacking(hash)?.len() == samples {
        return Err(Stop::failed(
            "expected files of the samples that this model can read, found none where they were read. The library keeps its model; add the folder of the samples again",
        ));
    }
    library.set_current_model(hash)?;
    prepare_added(&mut library, run);
    let contents = read_contents(&mut library)?;
    let name = library.models()?.into_iter().find(|model| model.hash == hash).map(|model| model.name);
    Ok(UsedModel { library, contents, name: name.unwrap_or_default(), embedded, left_out: gone })
}

/// Keeps `model`, of the file at `path`, in the library. It becomes the current model if it has embedded all samples.
pub fn keep_model(model: &Model, mut library: Library, path: &Path) -> Result<ChangedLibrary, Stop> {
    model.usable()?;
    library.add_model(model, &escape::path(path))?;
    let adopted = library.adopt(model.hash, Adopt::IfComplete)?;
    let contents = read_contents(&mut library)?;
    Ok(ChangedLibrary { library, contents, added: Added::default(), adopted, edit: None })
}

/// What a model was trained on and its measured figures, in a line: "trained on 36 files of 3 labels; recall@1 95.0 % of 7 held
/// out; eval mode 100.0 %, train mode 100.0 %".
pub fn trained_on(model: &StoredModel) -> String {
    let config = match &model.config {
        Ok(config) => config,
        Err(problem) => return format!("cannot be used: {problem}"),
    };
    if model.base {
        return "part of the program".to_owned();
    }
    let files = count(config.training.files, "file");
    let labels = count(config.labels.len(), "label");
    let text = format!("trained on {files} of {labels}; {}", figures(config));
    // The figures are those before the repair.
    config
        .repairs
        .last()
        .map_or(text.clone(), |repair| format!("{text}; then {}", escape::text(&repair.what)))
}

/// The measured figures of a training, in words.
pub fn figures(config: &ModelConfig) -> String {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let result = &config.training.result;
    let recall = result.recall_at_1.map_or_else(String::new, |recall| {
        format!("recall@1 {} of {} held out; ", percent(recall), config.training.held_out)
    });
    let (eval, train) = (percent(result.eval_mode_accuracy), percent(result.train_mode_accuracy));
    format!("{recall}eval mode {eval}, train mode {train}")
}

/// The model of a library with this name, whatever its case and with or without the folder in it, or with a hash that begins with these six or more digits.
pub fn find_model(library: &Library, text: &str) -> Result<StoredModel, Stop> {
    let text = text.trim();
    let mut models = library.models()?;
    let named = models.iter().position(|model| model.name.eq_ignore_ascii_case(text));
    // Without the folder, as "Model 2" of "Model 2, families".
    let numbered = || {
        let starts =
            |name: &str| name.split_once(',').is_some_and(|(start, _)| start.eq_ignore_ascii_case(text));
        models.iter().position(|model| starts(&model.name))
    };
    let hashed = || {
        let digits = text.to_ascii_lowercase();
        let mut found = models.iter().enumerate().filter(|(_, model)| {
            digits.len() >= FEWEST_DIGITS && model.hash.to_string().starts_with(&digits)
        });
        found.next().filter(|_| found.next().is_none()).map(|(at, _)| at)
    };
    if let Some(at) = named.or_else(numbered).or_else(hashed) {
        return Ok(models.swap_remove(at));
    }
    let names: Vec<String> = models.into_iter().map(|model| model.name).collect();
    let held = if names.is_empty() {
        "which holds none".to_owned()
    } else {
        format!("which holds {}", some_of(&names))
    };
    Err(Stop::failed(format!(
        "expected a model of the library, {held}, found {}. Name one of them, or give the first digits of its hash",
        escape::text(text)
    )))
}
