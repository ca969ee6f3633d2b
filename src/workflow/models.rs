//! The models of a library: finding one by its name or hash, and using another one.

use super::embed_again::{EmbeddedAgain, embed_again};
use super::index::warn_about;
use super::map::with_first_map;
use super::names::{count, some_of};
use super::run::Run;
use crate::escape;
use crate::job::Stop;
use crate::library::{Contents, Library, StoredModel};
use crate::reading::Reader;
use crate::sample::Sha256;

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
    warn_about(&model, run);
    let lacking = library.lacking(hash)?;
    let EmbeddedAgain { embedded, gone } = embed_again(lacking, &model, &mut library, reader, run)?;
    let samples = library.samples()?.len();
    if samples > 0 && library.lacking(hash)?.len() == samples {
        return Err(Stop::failed(
            "expected files of the samples that this model can read, found none where they were read. The library keeps its model; add the folder of the samples again",
        ));
    }
    library.set_current_model(hash)?;
    let contents = with_first_map(library.contents()?);
    let name = library.models()?.into_iter().find(|model| model.hash == hash).map(|model| model.name);
    Ok(UsedModel { library, contents, name: name.unwrap_or_default(), embedded, left_out: gone })
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
    let (training, percent) = (&config.training, |share: f64| format!("{:.1} %", share * 100.0));
    let files = count(training.files, "file");
    let mut text = format!("trained on {files} of {}", count(config.labels.len(), "label"));
    if let Some(recall) = training.result.recall_at_1 {
        text += &format!("; recall@1 {} of {} held out", percent(recall), training.held_out);
    }
    let (eval, train) = (training.result.eval_mode_accuracy, training.result.train_mode_accuracy);
    text += &format!("; eval mode {}, train mode {}", percent(eval), percent(train));
    // The figures are those before the repair.
    config
        .repairs
        .last()
        .map_or(text.clone(), |repair| format!("{text}; then {}", escape::text(&repair.what)))
}

/// The model of a library with this name, whatever its case, or with a hash that begins with these six or more digits.
pub fn find_model(library: &Library, text: &str) -> Result<StoredModel, Stop> {
    let text = text.trim();
    let mut models = library.models()?;
    let named = models.iter().position(|model| model.name.eq_ignore_ascii_case(text));
    let hashed = || {
        let digits = text.to_ascii_lowercase();
        let mut found = models.iter().enumerate().filter(|(_, model)| {
            digits.len() >= FEWEST_DIGITS && model.hash.to_string().starts_with(&digits)
        });
        found.next().filter(|_| found.next().is_none()).map(|(at, _)| at)
    };
    if let Some(at) = named.or_else(hashed) {
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
