//! From pictures to embeddings, a batch at a time.

use super::network::Network;
use super::processor::Processor;
use crate::job::{Reporter, Stop};
use crate::picture::{Encoded, PictureSpec, View, fill};
use candle_core::{Result, Tensor};
use rayon::prelude::*;

/// Pictures embedded together.
const BATCH: usize = 64;

/// A row-major matrix of embeddings, each of length 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embeddings {
    /// Length of one embedding.
    pub dimension: usize,
    /// `len · dimension` numbers.
    pub data: Vec<f32>,
}

impl Embeddings {
    /// No embeddings yet, of this length.
    pub fn new(dimension: usize) -> Self {
        Self { dimension, data: Vec::new() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.data.len().checked_div(self.dimension).unwrap_or(0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// One of them; empty if there is no such.
    pub fn row(&self, i: usize) -> &[f32] {
        self.data.get(i * self.dimension..(i + 1) * self.dimension).unwrap_or(&[])
    }

    /// All of them in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.data.chunks_exact(self.dimension.max(1))
    }
}

/// A batch for the network, `[n][side][side][channels]`, made on all cores, where the network is computed.
pub fn picture_batch(pictures: &[(&Encoded, View)], spec: PictureSpec) -> Result<Tensor> {
    let shape = (pictures.len(), spec.side, spec.side, spec.kind.channels());
    Tensor::from_vec(picture_numbers(pictures, spec), shape, &Processor::get().device)
}

/// The same as plain numbers.
fn picture_numbers(pictures: &[(&Encoded, View)], spec: PictureSpec) -> Vec<f32> {
    let mut data = vec![0.0; pictures.len() * spec.len()];
    data.par_chunks_mut(spec.len())
        .zip(pictures)
        .for_each(|(out, (picture, view))| fill(picture, spec, *view, out));
    data
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
    let embedder = network.embedder()?;
    let mut out = Embeddings::new(dimension);
    for batch in pictures.chunks(BATCH) {
        reporter.check()?;
        let views: Vec<_> = batch.iter().map(|picture| (*picture, View::Whole)).collect();
        out.data.extend(embedder.embed(&picture_numbers(&views, spec), spec)?);
        stage.advance(batch.len());
    }
    Ok(out)
}
