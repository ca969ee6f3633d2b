//! The base model: what answers before anything was trained. `assets/base/README.md` says how it was made.

use super::model_file::{Model, ModelError, views_hash};
use crate::sample::Sha256;
use std::sync::OnceLock;

/// Its file.
const FILE: &[u8] = include_bytes!("../../assets/base/base.safetensors");

/// Reads the base model.
pub fn base_model() -> Result<Model, ModelError> {
    Model::from_bytes(FILE.to_vec())
}

/// Whether this is the hash of the base model.
pub fn is_base_model(hash: Sha256) -> bool {
    static HASH: OnceLock<Sha256> = OnceLock::new();
    *HASH.get_or_init(|| Sha256::of(FILE)) == hash
}

/// The hash of the base model's views, found without reading the model.
pub fn base_views_hash() -> Option<Sha256> {
    static HASH: OnceLock<Option<Sha256>> = OnceLock::new();
    *HASH.get_or_init(|| views_hash(FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_model_is_whole_and_has_views_and_a_calibration() {
        let model = base_model().unwrap();
        model.usable().unwrap();
        assert!(model.views.is_some() && model.config.calibration.is_some());
        assert_eq!(base_views_hash(), model.views.as_ref().map(|views| views.hash()));
        assert!(is_base_model(model.hash) && !is_base_model(Sha256::of(b"another")));
        assert!(FILE.len() <= 4_000_000, "{}", FILE.len());
    }
}
