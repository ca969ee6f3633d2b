//! The candidate vectors of a team's library, which its index is of: stored with the looks of a sample that a model with views has seen.

use super::vector::HalfVector;
use crate::library::WholeLook;
use crate::model::read_config;
use crate::search::{CANDIDATE, Candidates, Look};
use crate::view::FileViews;
use postgres::Transaction;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::Type;
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Makes candidate vectors by the models of a library. What a model needs for that is read once.
#[derive(Clone, Default)]
pub struct Makers(Arc<Mutex<HashMap<i64, Option<Arc<Candidates>>>>>);

impl Makers {
    /// What makes those of the model with this row id; `None` if it compares embeddings.
    fn of(
        &self,
        transaction: &mut Transaction<'_>,
        model: i64,
    ) -> Result<Option<Arc<Candidates>>, postgres::Error> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(maker) = known.get(&model) {
            return Ok(maker.clone());
        }
        let row = transaction.query_opt("SELECT bytes FROM lookalike.models WHERE id = $1", &[&model])?;
        let bytes: &[u8] = row.as_ref().map_or(&[], |row| row.get(0));
        let config = read_config(bytes, bytes.len()).ok();
        let maker = config.and_then(|config| Candidates::of(&config)).map(Arc::new);
        known.insert(model, maker.clone());
        Ok(maker)
    }

    /// Stores the vectors of looks that are new, each with the row ids of its sample and its model.
    pub fn add(
        &self,
        transaction: &mut Transaction<'_>,
        looks: &[(i64, i64, &WholeLook)],
    ) -> Result<(), postgres::Error> {
        let mut makers = HashMap::new();
        for (_, model, look) in looks {
            if look.seen.is_some() && !makers.contains_key(model) {
                makers.insert(*model, self.of(transaction, *model)?);
            }
        }
        let made: Vec<(i64, i64, Vec<f32>)> = looks
            .par_iter()
            .filter_map(|(sample, model, look)| {
                let maker = makers.get(model)?.as_ref()?;
                Some((*sample, *model, stored(maker, &look.embedding, look.seen.as_deref())?))
            })
            .collect();
        copy(transaction, made)
    }
}

/// The vector of a sample from what is stored of it; `None` if this program would not have written that.
pub fn stored(maker: &Candidates, embedding: &[f32], seen: Option<&[u8]>) -> Option<Vec<f32>> {
    maker.stored(&Look { embedding: embedding.to_vec(), views: Some(FileViews::from_bytes(seen?)?) })
}

/// Sends vectors, each with the row ids of its sample and its model, by COPY.
pub fn copy(
    transaction: &mut Transaction<'_>,
    vectors: Vec<(i64, i64, Vec<f32>)>,
) -> Result<(), postgres::Error> {
    if vectors.is_empty() {
        return Ok(());
    }
    let statement = transaction.prepare("SELECT vector FROM lookalike.candidates LIMIT 0")?;
    let halfvec = statement.columns().first().map_or(Type::UNKNOWN, |column| column.type_().clone());
    let sink = transaction
        .copy_in("COPY lookalike.candidates (model, sample, version, vector) FROM STDIN (FORMAT binary)")?;
    let mut writer = BinaryCopyInWriter::new(sink, &[Type::INT8, Type::INT8, Type::INT4, halfvec]);
    for (sample, model, vector) in vectors {
        writer.write(&[&model, &sample, &CANDIDATE, &HalfVector(vector)])?;
    }
    writer.finish().map(drop)
}
