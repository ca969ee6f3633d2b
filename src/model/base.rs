//! The base models: what answers before anything was trained, one for executables and other files and one for images.
//! `assets/base/README.md` says how they were made.

use super::model_file::{Model, ModelError, views_hash};
use crate::picture::PictureKind;
use crate::sample::Sha256;
use std::sync::OnceLock;

/// Their files.
const BYTES: &[u8] = include_bytes!("../../assets/base/base.safetensors");
const IMAGES: &[u8] = include_bytes!("../../assets/base/images.safetensors");

/// Reads the base model for pictures of this kind.
pub fn base_model(kind: PictureKind) -> Result<Model, ModelError> {
    let file = match kind {
        PictureKind::Bytes => BYTES,
        PictureKind::Image => IMAGES,
    };
    Model::from_bytes(file.to_vec())
}

/// Whether this is the hash of a base model.
pub fn is_base_model(hash: Sha256) -> bool {
    static HASHES: OnceLock<[Sha256; 2]> = OnceLock::new();
    HASHES.get_or_init(|| [BYTES, IMAGES].map(Sha256::of)).contains(&hash)
}

/// The hash of the views of the base model for bytes, found without reading the model.
pub fn base_views_hash() -> Option<Sha256> {
    static HASH: OnceLock<Option<Sha256>> = OnceLock::new();
    *HASH.get_or_init(|| views_hash(BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_models_are_whole_and_have_views_and_a_calibration() {
        for (kind, file, most) in
            [(PictureKind::Bytes, BYTES, 4_000_000), (PictureKind::Image, IMAGES, 8_000_000)]
        {
            let model = base_model(kind).unwrap();
            model.usable().unwrap();
            assert_eq!(model.config.picture.kind, kind);
            assert!(model.views.is_some() && model.config.calibration.is_some());
            assert!(model.config.calibration_with_labels.is_some());
            assert!(is_base_model(model.hash));
            assert!(file.len() <= most, "{}", file.len());
        }
        let views = base_model(PictureKind::Bytes).unwrap().views.unwrap();
        assert_eq!(base_views_hash(), Some(views.hash()));
        assert!(!is_base_model(Sha256::of(b"another")));
    }

    #[test]
    fn a_base_model_that_is_written_again_has_the_same_weights() {
        let model = base_model(PictureKind::Image).unwrap();
        let again = Model::with_views(model.config, model.network, None, model.views).unwrap();
        assert_eq!(again.hash, model.hash);
    }
}
