//! Adding samples to a library with shards: what is large first, on the shards, all at once; the samples themselves last, in the first
//! database. So what is acknowledged is complete, and of what is interrupted nothing is seen.

use super::library::ShardedLibrary;
use super::number::{by_shard, number};
use super::shards::Shards;
use super::stub::{parts, stub};
use crate::library::postgres::add::{known_of, put_all, put_lacking, put_parts};
use crate::library::postgres::models::put_model;
use crate::library::{
    AddSamples, Added, Batch, Engine as _, Import, LibraryError, Wanted, WholeLook, WholeSample, WholeSamples,
};
use crate::model::{Embeddings, Model};
use crate::picture::Encoded;
use crate::sample::{Sample, Sha256};
use std::collections::HashMap;

impl AddSamples for ShardedLibrary {
    fn add(&mut self, model: &Model, batch: Batch<'_>, import: &mut Import) -> Result<Added, LibraryError> {
        self.check_writable()?;
        let (samples, makers) = (batch.whole(model), self.first.makers.clone());
        put_on_shards(&self.shards, &samples, Some((model, &import.source)))?;
        let stubs: Vec<WholeSample> = samples.iter().map(stub).collect();
        import.all_or_nothing(|import| {
            self.first.changing(|transaction| {
                put_model(transaction, model, &import.source)?;
                put_all(transaction, &stubs, import, &makers)
            })
        })
    }

    fn add_embeddings(
        &mut self,
        model: &Model,
        samples: &[&Sample],
        pictures: &[&Encoded],
        embeddings: &Embeddings,
    ) -> Result<usize, LibraryError> {
        self.check_writable()?;
        let makers = self.first.makers.clone();
        let known =
            self.first.changing(|transaction| known_of(transaction, model, samples, pictures, embeddings))?;
        let (ids, known): (Vec<i64>, Vec<WholeSample>) = known.into_iter().unzip();
        put_on_shards(&self.shards, &known, Some((model, "")))?;
        let stubs: Vec<WholeSample> = known.iter().map(stub).collect();
        let stubs: Vec<(i64, &WholeSample)> = ids.into_iter().zip(&stubs).collect();
        self.first.changing(|transaction| {
            put_model(transaction, model, "")?;
            put_lacking(transaction, &stubs, &makers)
        })?;
        Ok(known.len())
    }
}

impl WholeSamples for ShardedLibrary {
    fn whole_samples(&self, wanted: Wanted<'_>) -> Result<Vec<(i64, WholeSample)>, LibraryError> {
        let mut samples = self.first.whole_samples(wanted)?;
        let hashes = samples.iter().map(|(_, sample)| sample.sha256);
        let asked: Vec<_> = by_shard(hashes, self.shards.len(), |sha256| *sha256)
            .into_iter()
            .map(|hashes| (!hashes.is_empty()).then_some(hashes))
            .collect();
        let found = self.shards.with(&asked, |shard, hashes| shard.whole_samples(Wanted::Of(hashes)))?;
        let mut found: HashMap<Sha256, WholeSample> =
            found.into_iter().flatten().map(|(_, sample)| (sample.sha256, sample)).collect();
        for (_, sample) in &mut samples {
            let large = found.remove(&sample.sha256).filter(|large| has_all(large, sample));
            let large = large.ok_or_else(|| self.lost(sample.sha256))?;
            // What the first database does not have was not acknowledged.
            let stubs = std::mem::take(&mut sample.looks);
            let acknowledged = |look: &WholeLook| stubs.iter().any(|stub| stub.model == look.model);
            sample.looks = large.looks.into_iter().filter(acknowledged).collect();
            sample.facts = sample.facts.take().and(large.facts);
            sample.thumbnail = large.thumbnail;
        }
        Ok(samples)
    }

    fn put_whole(&mut self, samples: &[WholeSample], import: &mut Import) -> Result<Added, LibraryError> {
        self.check_writable()?;
        put_on_shards(&self.shards, samples, None)?;
        let (stubs, makers): (Vec<WholeSample>, _) =
            (samples.iter().map(stub).collect(), self.first.makers.clone());
        import.all_or_nothing(|import| {
            self.first.changing(|transaction| put_all(transaction, &stubs, import, &makers))
        })
    }
}

/// Whether a shard has all looks that the first database says there are.
fn has_all(large: &WholeSample, stub: &WholeSample) -> bool {
    stub.looks.iter().all(|stub| large.looks.iter().any(|look| look.model == stub.model))
}

impl ShardedLibrary {
    fn lost(&self, sha256: Sha256) -> LibraryError {
        let of = self.shards.len();
        LibraryError::Server {
            expected: format!(
                "the vectors of the sample {sha256} on shard {} of {of}",
                number(sha256, of) + 1
            ),
            found: "none".to_owned(),
            location: self.location().clone(),
            advice: "Adding its file again stores them; a check of the library counts what is lost"
                .to_owned(),
        }
    }
}

/// Stores what is large of samples on their shards, each of which has the model too, if there is one.
pub fn put_on_shards(
    shards: &Shards,
    samples: &[WholeSample],
    model: Option<(&Model, &str)>,
) -> Result<(), LibraryError> {
    let samples: Vec<Option<Vec<WholeSample>>> = by_shard(samples, shards.len(), |sample| sample.sha256)
        .into_iter()
        // A model goes to all.
        .map(|of_shard| {
            (model.is_some() || !of_shard.is_empty()).then(|| of_shard.into_iter().map(parts).collect())
        })
        .collect();
    shards.with(&samples, |shard, samples| {
        let makers = shard.makers.clone();
        shard.changing(|transaction| {
            if let Some((model, from)) = model {
                put_model(transaction, model, from)?;
            }
            put_parts(transaction, samples, &makers)
        })
    })?;
    Ok(())
}
