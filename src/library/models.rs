//! The models of a library: it keeps every model that embedded samples of it, and one of them is current.

use super::LibraryError;
use crate::model::{Model, ModelConfig, is_base_model, read_config};
use crate::sample::Sha256;
use std::path::PathBuf;

/// A model that a library holds.
#[derive(Clone, Debug)]
pub struct StoredModel {
    /// The SHA-256 of its file.
    pub hash: Sha256,
    /// Its name: "Base model", "Model 1" and so on, unless it was given another.
    pub name: String,
    /// When it was added, as RFC 3339 in UTC.
    pub added: String,
    /// Everything but its weights: labels and files of its training, the measured figures, repairs. Why it cannot be read
    /// otherwise, such as a model for pictures that this program computes differently.
    pub config: Result<Box<ModelConfig>, String>,
    /// The number of samples of the library that it has embedded.
    pub embedded: usize,
    /// Whether it is the current one.
    pub current: bool,
    /// Whether it is the base model of this program.
    pub base: bool,
}

/// The configuration of a model file of `length` bytes from its front, as [`StoredModel::config`] has it.
pub(super) fn stored_config(front: &[u8], length: usize) -> Result<Box<ModelConfig>, String> {
    read_config(front, length).map(Box::new).map_err(|error| error.to_string())
}

/// When a model that is new to a library becomes its current one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adopt {
    /// If it has embedded all samples of the library, or if there is no current model. Otherwise samples would drop out of
    /// lists, map and search.
    #[default]
    IfComplete,
    /// In any case.
    Always,
}

/// Whether a model is current.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Whether it is the library's current model now.
    pub in_use: bool,
    /// The number of samples of the library that it has not embedded.
    pub lacking: usize,
    /// The number of samples of the library that its current model, this one or another, has not embedded: they are in no
    /// list, map or search.
    pub hidden: usize,
}

/// The models that a library keeps.
pub trait Models {
    /// Stores `model`, which becomes the current one only if there is none yet. Its name says that it came `from` there, a path
    /// for people, if it is not empty.
    fn add_model(&mut self, model: &Model, from: &str) -> Result<(), LibraryError>;

    /// The models, in the order in which they were added.
    fn models(&self) -> Result<Vec<StoredModel>, LibraryError>;

    /// The current model; `None` in a library without one.
    fn model(&self) -> Result<Option<Model>, LibraryError>;

    /// The model with this hash. Fails if the library does not hold it.
    fn stored_model(&self, hash: Sha256) -> Result<Model, LibraryError>;

    /// Whether the model with this hash is the current one.
    fn is_current_model(&self, hash: Sha256) -> Result<bool, LibraryError>;

    /// Makes a model that the library holds the current one, if `when` says so. It is counted and decided in one transaction.
    fn adopt(&mut self, hash: Sha256, when: Adopt) -> Result<Adopted, LibraryError>;

    /// Makes a model that the library holds the current one. Samples that it has not embedded drop out of lists, map and
    /// search, and stay in the library.
    fn set_current_model(&mut self, hash: Sha256) -> Result<(), LibraryError> {
        self.adopt(hash, Adopt::Always).map(drop)
    }

    /// Gives a model another name. Fails if it is empty or another model has it, whatever its case.
    fn rename_model(&mut self, hash: Sha256, name: &str) -> Result<(), LibraryError>;

    /// The samples that the model with this hash has not embedded, and where they were read from.
    fn lacking(&self, hash: Sha256) -> Result<Vec<(Sha256, PathBuf)>, LibraryError>;

    /// For each of these samples, whether the model with this hash has not embedded it.
    fn lacks(&self, hash: Sha256, samples: &[Sha256]) -> Result<Vec<bool>, LibraryError>;
}

/// The name of the base model.
const BASE: &str = "Base model";

/// A name for the model with this hash, which none of the models with the names `taken` has: "Base model", or
/// "Model 1", "Model 2, FOLDER" and so on: `from` is where its samples came from, if that is known.
pub fn model_name(hash: Sha256, from: &str, taken: &[String]) -> String {
    let is_taken = |name: &str| taken.iter().any(|taken| taken.to_lowercase() == name.to_lowercase());
    if is_base_model(hash) && !is_taken(BASE) {
        return BASE.to_owned();
    }
    // Several folders have no name in common.
    let last = from.rsplit(['/', '\\']).next().filter(|last| !last.is_empty() && !from.contains(", "));
    let folder = last.map(|last| format!(", {last}")).unwrap_or_default();
    let mut number = 1 + taken.iter().filter(|name| *name != BASE).count();
    loop {
        let name = format!("Model {number}{folder}");
        if !is_taken(&name) {
            return name;
        }
        number += 1;
    }
}
