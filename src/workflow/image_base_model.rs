//! Makes the base model for images from a published network: a projection of what it sees, and a calibration, both from labelled
//! images of public packages. `assets/base/images.py` fetches network and images.

use super::base_model::calibrate_with_labels;
use super::run::Run;
use crate::job::Stop;
use crate::model::{
    BatchNormPolicy, Embeddings, Head, Layer, Model, ModelConfig, Network, Published, RunningVariance,
    StatisticsPolicy, StoredWeights, TrainingSummary, embed,
};
use crate::numeric::{dot, principal_axes};
use crate::picture::{Encoded, PictureSpec};
use crate::reading::Reader;
use crate::sample::Found;
use crate::training::{Compared, calibrate, cosines};
use crate::view::Views;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The length of an embedding.
const EMBEDDING: usize = 256;
/// Images of one set from which the projection is learned, and labels of one set on which it is calibrated, at most.
const PROJECTED: usize = 1000;
const CALIBRATED: usize = 130;
/// Images that the lab normalises together.
const BATCH: usize = 32;

/// One row of the list of images.
#[derive(Debug, Deserialize)]
struct Row {
    split: String,
    set: String,
    label: String,
    path: PathBuf,
}

/// The images of one split, with what was read of them.
struct Images {
    rows: Vec<Row>,
    /// Set and label of each, by which labels of different sets differ.
    families: Vec<String>,
    pictures: Vec<Encoded>,
}

/// Makes the base model for images from a folder with `network.safetensors`, and `manifest.csv`, whose rows name split, set, label
/// and path of each image. Only the split `validation` is read. With `hash`, the perceptual hash counts for the
/// probability too.
pub fn make_image_base_model(
    corpus: &Path,
    hash: bool,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<Model, Stop> {
    let bytes = std::fs::read(corpus.join("network.safetensors")).map_err(|error| {
        Stop::failed(format!("expected the published network, found: {error}. Run assets/base/images.py"))
    })?;
    let published = Published::read(&bytes)?;
    let find = |name: &str, shape: &[usize]| published.find(name, shape);
    let views = Arc::new(Views::of_images());
    let images = read(corpus, &reader.with_views(Some(Arc::clone(&views))), run)?;
    // What the projection starts from is what the network gives once its weights are stored in few bits.
    let config = config(published.layers.clone());
    let width = config.embedding;
    let mut identity = vec![0.0; width * width];
    identity.iter_mut().step_by(width + 1).for_each(|value| *value = 1.0);
    let network = Network::with_projection(&config, find, identity, vec![0.0; width])?;
    let model = Model::from_bytes(Model::new(config, network, None)?.bytes)?;
    let seen = embed_all(&model, &images, run)?;
    let (matrix, bias) = projection(&images, &seen);
    let config = ModelConfig { embedding: bias.len(), ..model.config };
    let network = Network::with_projection(&config, find, matrix, bias)?;
    let model = Model::with_views(config, network, None, Some(Arc::clone(&views)))?;
    let model = Model::from_bytes(model.bytes)?;
    let embeddings = embed_all(&model, &images, run)?;
    let mut config = model.config;
    let (chosen, files) = calibrated_on(&images, &embeddings);
    let sets: Vec<&str> = chosen.iter().map(|row| images.rows[*row].set.as_str()).collect();
    let of_one_set = |i: usize, j: usize| (sets[i] == sets[j]).then(|| cosines(&files[i], &files[j]));
    let counted = |mut cosines: crate::model::Cosines| {
        cosines.hash = cosines.hash.filter(|_| hash);
        cosines
    };
    config.calibration = Some(calibrate(&files, |i, j| of_one_set(i, j).map(counted), 0));
    let data = chosen.iter().flat_map(|row| embeddings.row(*row)).copied().collect();
    let chosen = Embeddings { dimension: embeddings.dimension, data };
    let whitened = calibrate_with_labels(&files, &chosen, 0, |i, j, cosines| {
        (sets[i] == sets[j]).then(|| counted(cosines))
    });
    config.calibration_with_labels = Some(whitened);
    Ok(Model::with_views(config, model.network, None, Some(views))?)
}

fn config(layers: Vec<Layer>) -> ModelConfig {
    let features = layers.last().map_or(0, |layer| layer.filters) * 4;
    ModelConfig {
        convolutions: Vec::new(),
        layers,
        stored_weights: StoredWeights::Int8,
        embedding: features,
        head: Head::Grid,
        // As TensorFlow trained it.
        batch_norm: BatchNormPolicy {
            statistics: StatisticsPolicy::Moving,
            momentum: 0.01,
            epsilon: 1e-3,
            running_variance: RunningVariance::Biased,
        },
        training: TrainingSummary { batch_size: BATCH, ..TrainingSummary::default() },
        ..ModelConfig::new(PictureSpec::BASE_IMAGE, Vec::new())
    }
}

fn read(corpus: &Path, reader: &Reader, run: &Run<'_>) -> Result<Images, Stop> {
    let path = corpus.join("manifest.csv");
    let failed = |error: &dyn std::fmt::Display| {
        Stop::failed(format!(
            "expected a list of images, found {error} ({}). Run assets/base/images.py",
            crate::escape::path(&path)
        ))
    };
    let mut by_path = BTreeMap::new();
    let mut list = csv::Reader::from_path(&path).map_err(|error| failed(&error))?;
    for row in list.deserialize::<Row>() {
        let row = row.map_err(|error| failed(&error))?;
        if row.split == "validation" {
            by_path.insert(corpus.join(&row.path), row);
        }
    }
    let files: Vec<Found> = by_path.keys().map(|path| Found { path: path.clone(), label: None }).collect();
    let read = reader.pictures(&files, PictureSpec::BASE_IMAGE, run.reporter());
    run.check()?;
    run.skipped(read.skipped);
    let mut images = Images { rows: Vec::new(), families: Vec::new(), pictures: Vec::new() };
    for (sample, picture) in read.set.samples.into_iter().zip(read.set.pictures) {
        if let Some(row) = by_path.remove(&sample.path) {
            images.families.push(format!("{}/{}", row.set, row.label));
            images.rows.push(row);
            images.pictures.push(picture);
        }
    }
    Ok(images)
}

fn embed_all(model: &Model, images: &Images, run: &Run<'_>) -> Result<Embeddings, Stop> {
    let pictures: Vec<&Encoded> = images.pictures.iter().collect();
    let config = &model.config;
    embed(&model.network, config.embedding, config.picture, &pictures, run.reporter())
}

/// Rows of each set, in their order.
fn by_set(images: &Images) -> Vec<Vec<usize>> {
    let mut sets: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, row) in images.rows.iter().enumerate() {
        sets.entry(&row.set).or_default().push(i);
    }
    sets.into_values().collect()
}

/// The matrix and the bias that take vectors to their leading principal components about their mean, each divided by the
/// fourth root of its variance: half of a whitening. Labels have no part in it.
fn projection(images: &Images, seen: &Embeddings) -> (Vec<f32>, Vec<f32>) {
    let rows: Vec<usize> = by_set(images)
        .into_iter()
        .flat_map(|rows| {
            let every = rows.len().div_ceil(PROJECTED).max(1);
            rows.into_iter().step_by(every)
        })
        .collect();
    let width = seen.dimension;
    let mut mean = vec![0.0; width];
    for row in &rows {
        mean.iter_mut().zip(seen.row(*row)).for_each(|(mean, value)| *mean += value / rows.len() as f32);
    }
    let centred: Vec<Vec<f32>> =
        rows.iter().map(|row| seen.row(*row).iter().zip(&mean).map(|(x, mean)| x - mean).collect()).collect();
    let centred: Vec<&[f32]> = centred.iter().map(Vec::as_slice).collect();
    let axes = principal_axes(&centred, EMBEDDING.min(width));
    let scaled: Vec<Vec<f32>> = axes
        .iter()
        .map(|axis| {
            let variance = centred.iter().map(|row| dot(axis, row).powi(2)).sum::<f32>() / rows.len() as f32;
            let scale = variance.max(1e-12).sqrt().sqrt().recip();
            axis.iter().map(|value| value * scale).collect()
        })
        .collect();
    let matrix = (0..width).flat_map(|i| scaled.iter().map(move |axis| axis[i])).collect();
    (matrix, scaled.iter().map(|axis| -dot(axis, &mean)).collect())
}

/// The rows of some labels of each set, evenly spread, and those files.
fn calibrated_on<'a>(images: &'a Images, embeddings: &'a Embeddings) -> (Vec<usize>, Vec<Compared<'a>>) {
    let mut chosen = Vec::new();
    for rows in by_set(images) {
        let labels: BTreeSet<&str> = rows.iter().map(|row| images.rows[*row].label.as_str()).collect();
        let every = labels.len().div_ceil(CALIBRATED).max(1);
        let labels: BTreeSet<&str> = labels.into_iter().step_by(every).collect();
        chosen.extend(rows.into_iter().filter(|row| labels.contains(images.rows[*row].label.as_str())));
    }
    let (rows, files) = chosen
        .into_iter()
        .filter_map(|row| {
            let (family, views) = (images.families.get(row)?, images.pictures.get(row)?.views()?);
            let module = images.rows[row].path.to_str()?;
            Some((row, Compared { family, group: family, module, code: embeddings.row(row), views }))
        })
        .unzip();
    (rows, files)
}
