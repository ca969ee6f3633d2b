//! Labels for a network that was not trained on any: the base model for images. Each label of a folder gets the mean embedding of its
//! files as its prototype, in eval mode, so that both modes can be compared by what they classify.

use crate::job::{Reporter, Stop};
use crate::model::{Model, embed};
use crate::picture::{Encoded, PictureSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The same model, by its hash too, with the labels of these files; `None` if it has labels of its own, or the files have none or
/// are of other pictures.
pub(super) fn place_labels(
    model: &Model,
    set: &PictureSet,
    reporter: &Reporter,
) -> Result<Option<Model>, Stop> {
    let mut by_label: BTreeMap<&str, Vec<&Encoded>> = BTreeMap::new();
    for (sample, picture) in set.samples.iter().zip(&set.pictures) {
        if let Some(label) = sample.label.as_deref() {
            by_label.entry(label).or_default().push(picture);
        }
    }
    let config = &model.config;
    if !config.labels.is_empty() || by_label.is_empty() || !set.spec.same_pictures(config.picture) {
        return Ok(None);
    }
    let mut prototypes = Vec::new();
    for pictures in by_label.values() {
        let embeddings = embed(&model.network, config.embedding, config.picture, pictures, reporter)?;
        let mut sum = vec![0.0; config.embedding];
        for row in embeddings.rows() {
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        prototypes.push(sum);
    }
    let mut config = config.clone();
    config.labels = by_label.into_keys().map(str::to_owned).collect();
    Ok(Some(Model {
        config,
        network: model.network.with_prototypes(prototypes)?,
        trace: model.trace.clone(),
        views: model.views.as_ref().map(Arc::clone),
        hash: model.hash,
        bytes: model.bytes.clone(),
    }))
}
