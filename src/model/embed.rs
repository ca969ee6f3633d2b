//! From pictures to embeddings, a batch at a time.

use super::embedder::Embedder;
use super::embeddings::Embeddings;
use super::network::Network;
use super::processor::Processor;
use crate::job::{Reporter, Stop};
use crate::picture::{Encoded, PictureSpec, View, fill};
use candle_core::{Result, Tensor};
use rayon::prelude::*;

/// Pictures embedded together.
const BATCH: usize = 64;

/// A batch for the network, `[n][side][side][channels]`, computed on all cores and copied to the processor in
/// use.
pub fn picture_batch(pictures: &[(&Encoded, View)], spec: PictureSpec) -> Result<Tensor> {
    let shape = (pictures.len(), spec.side, spec.side, spec.kind.channels());
    Tensor::from_vec(picture_numbers(pictures, spec), shape, &Processor::get().device)
}

/// The numbers of a batch.
fn picture_numbers(pictures: &[(&Encoded, View)], spec: PictureSpec) -> Vec<f32> {
    let mut data = vec![0.0; pictures.len() * spec.len()];
    data.par_chunks_mut(spec.len())
        .zip(pictures)
        .for_each(|(out, (picture, view))| fill(picture, spec, *view, out));
    data
}

/// The same with the layer shift of each picture; `None` without batch norm. For files that are asked about: it is always computed
/// on the CPU.
pub fn embed_with_shifts(
    network: &Network,
    dimension: usize,
    spec: PictureSpec,
    pictures: &[&Encoded],
    reporter: &Reporter,
) -> std::result::Result<(Embeddings, Vec<Option<f32>>), Stop> {
    let stage = reporter.stage("Embedding", pictures.len());
    let embedder = Embedder::new(network)?;
    let (mut out, mut all) = (Embeddings::new(dimension), Vec::with_capacity(pictures.len()));
    for batch in pictures.chunks(BATCH) {
        reporter.check()?;
        let views: Vec<_> = batch.iter().map(|picture| (*picture, View::Whole)).collect();
        let (embeddings, shifts) = embedder.embed_with_shifts(&picture_numbers(&views, spec), spec);
        out.data.extend(embeddings);
        all.extend(shifts);
        stage.advance(batch.len());
    }
    Ok((out, all))
}

/// Embeds pictures in eval mode, in the order given.
pub fn embed(
    network: &Network,
    dimension: usize,
    spec: PictureSpec,
    pictures: &[&Encoded],
    reporter: &Reporter,
) -> std::result::Result<Embeddings, Stop> {
    let stage = reporter.stage("Embedding", pictures.len());
    let embedder = Embedder::new(network)?;
    let mut out = Embeddings::new(dimension);
    for batch in pictures.chunks(BATCH) {
        reporter.check()?;
        let views: Vec<_> = batch.iter().map(|picture| (*picture, View::Whole)).collect();
        out.data.extend(embedder.embed(&picture_numbers(&views, spec), spec)?);
        stage.advance(batch.len());
    }
    Ok(out)
}
