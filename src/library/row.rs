//! A row: one sample as a library has it, with what its model makes of it.

use super::Record;
use crate::search::Look;
use std::sync::Arc;

/// No number of an embedding is larger.
const LARGEST: f32 = 1e6;

/// One valid row, but for what the model makes of the sample.
#[derive(Debug)]
pub struct Listed {
    /// The sample.
    pub record: Record,
    /// Its label, if it has one.
    pub label: Option<Arc<str>>,
    /// Its place on the map, if it has one.
    pub place: Option<[f32; 2]>,
}

/// One valid row.
#[derive(Debug)]
pub struct Row {
    /// The sample, its label and its place.
    pub listed: Listed,
    /// What it looks like.
    pub look: Look,
}

/// Adds the numbers of an embedding to `out`; `None` if they cannot be those of one with `dimension` numbers.
pub fn parse_vector(bytes: &[u8], dimension: usize, out: &mut Vec<f32>) -> Option<()> {
    let (numbers, rest) = bytes.as_chunks();
    if numbers.len() != dimension || !rest.is_empty() {
        return None;
    }
    let first = out.len();
    out.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
    is_embedding(out.get(first..)?, dimension).then_some(())
}

/// Whether these can be the numbers of an embedding with `dimension` numbers. It has length 1: numbers far from that cannot be
/// compared. NaN is not within.
pub fn is_embedding(numbers: &[f32], dimension: usize) -> bool {
    numbers.len() == dimension && numbers.iter().all(|number| number.abs() <= LARGEST)
}
