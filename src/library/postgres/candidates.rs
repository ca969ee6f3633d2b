//! The candidate vectors of a team's library, which its index is of: stored with the looks of a sample. Samples that look alike share
//! one.

use super::vector::HalfVector;
use crate::library::WholeLook;
use crate::model::{read_config, views_hash};
use crate::search::{CANDIDATE, Candidates, Look};
use crate::view::FileViews;
use postgres::Transaction;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// Makes candidate vectors by the models of a library. What a model needs for that is read once.
#[derive(Clone, Default)]
pub struct Makers {
    known: Arc<Mutex<HashMap<i64, Option<Arc<Candidates>>>>>,
    /// Whether the vectors are somewhere else.
    none: bool,
}

impl Makers {
    /// Makes none: the shards of a library have them.
    pub fn none() -> Self {
        Self { none: true, ..Self::default() }
    }

    /// What makes those of the model with this row id; `None` if this program cannot read the model.
    fn of(
        &self,
        transaction: &mut Transaction<'_>,
        model: i64,
    ) -> Result<Option<Arc<Candidates>>, postgres::Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(maker) = known.get(&model) {
            return Ok(maker.clone());
        }
        let row = transaction.query_opt("SELECT bytes FROM lookalike.models WHERE id = $1", &[&model])?;
        let bytes: &[u8] = row.as_ref().map_or(&[], |row| row.get(0));
        let config = read_config(bytes, bytes.len()).ok();
        let maker = config.map(|config| Arc::new(Candidates::of(&config, views_hash(bytes).is_some())));
        known.insert(model, maker.clone());
        Ok(maker)
    }

    /// Stores the vectors of looks that are new, each with the row ids of its sample and its model.
    pub fn add(
        &self,
        transaction: &mut Transaction<'_>,
        looks: &[(i64, i64, &WholeLook)],
    ) -> Result<(), postgres::Error> {
        if self.none {
            return Ok(());
        }
        let mut makers = HashMap::new();
        for (_, model, _) in looks {
            if !makers.contains_key(model) {
                makers.insert(*model, self.of(transaction, *model)?);
            }
        }
        let vector = |(sample, model, look): &(i64, i64, &WholeLook)| {
            let maker = makers.get(model)?.as_ref()?;
            Some((*model, NewVector::of(maker, *sample, &look.embedding, look.seen.as_deref())?))
        };
        let made: Vec<(i64, NewVector)> = looks.par_iter().filter_map(vector).collect();
        let mut by_model: BTreeMap<i64, Vec<NewVector>> = BTreeMap::new();
        for (model, vector) in made {
            by_model.entry(model).or_default().push(vector);
        }
        by_model.into_iter().try_for_each(|(model, vectors)| store(transaction, model, vectors))
    }
}

/// A vector that is not stored yet.
pub struct NewVector {
    /// The row id of its sample.
    pub sample: i64,
    digest: [u8; 16],
    vector: HalfVector,
}

impl NewVector {
    /// That of a sample by what is stored of it; `None` if this program would not have written that.
    pub fn of(maker: &Candidates, sample: i64, embedding: &[f32], seen: Option<&[u8]>) -> Option<Self> {
        let views = match seen {
            Some(seen) => Some(FileViews::from_bytes(seen)?),
            None => None,
        };
        let vector = HalfVector::new(&maker.stored(&Look { embedding: embedding.to_vec(), views })?);
        let hash = Sha256::digest(vector.to_bytes());
        Some(Self { sample, digest: *hash.first_chunk()?, vector })
    }
}

/// Stores vectors of samples that have none. Digests come in their order, so that programs which add the same at once wait for each
/// other and never for a circle.
pub fn store(
    transaction: &mut Transaction<'_>,
    model: i64,
    mut vectors: Vec<NewVector>,
) -> Result<(), postgres::Error> {
    if vectors.is_empty() {
        return Ok(());
    }
    vectors.sort_by_key(|vector| (vector.digest, vector.sample));
    let samples: Vec<(i64, [u8; 16])> = vectors.iter().map(|new| (new.sample, new.digest)).collect();
    vectors.dedup_by_key(|vector| vector.digest);
    let digests: Vec<&[u8]> = vectors.iter().map(|new| &new.digest[..]).collect();
    let numbers: Vec<&HalfVector> = vectors.iter().map(|new| &new.vector).collect();
    transaction.execute(
        "INSERT INTO lookalike.candidates (model, version, digest, vector)
         SELECT $1, $2, new.digest, new.vector FROM unnest($3::bytea[], $4::halfvec[]) AS new (digest, vector)
         ON CONFLICT DO NOTHING",
        &[&model, &CANDIDATE, &digests, &numbers],
    )?;
    let (samples, digests): (Vec<i64>, Vec<&[u8]>) =
        samples.iter().map(|(sample, digest)| (*sample, &digest[..])).unzip();
    transaction
        .execute(
            "INSERT INTO lookalike.candidate_of (model, sample, candidate)
             SELECT $1, new.sample, c.id FROM unnest($3::bigint[], $4::bytea[]) AS new (sample, digest)
             JOIN lookalike.candidates c ON c.model = $1 AND c.version = $2 AND c.digest = new.digest
             ON CONFLICT DO NOTHING",
            &[&model, &CANDIDATE, &samples, &digests],
        )
        .map(drop)
}
