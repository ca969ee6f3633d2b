//! The models of a library with shards. Each shard has them too, since what is stored there belongs to one; which is in use, and how they
//! are called, the first database says.

use super::library::ShardedLibrary;
use crate::library::postgres::models::put_model;
use crate::library::{Adopt, Adopted, Engine as _, LibraryError, Models, StoredModel};
use crate::model::Model;
use crate::sample::Sha256;
use std::path::PathBuf;

impl Models for ShardedLibrary {
    fn add_model(&mut self, model: &Model, from: &str) -> Result<(), LibraryError> {
        self.check_writable()?;
        let all = vec![Some(()); self.shards.len()];
        self.shards.with(&all, |shard, ()| {
            shard.changing(|transaction| put_model(transaction, model, from)).map(drop)
        })?;
        self.first.add_model(model, from)
    }

    fn models(&self) -> Result<Vec<StoredModel>, LibraryError> {
        self.first.models()
    }

    fn model(&self) -> Result<Option<Model>, LibraryError> {
        self.first.model()
    }

    fn stored_model(&self, hash: Sha256) -> Result<Model, LibraryError> {
        self.first.stored_model(hash)
    }

    fn is_current_model(&self, hash: Sha256) -> Result<bool, LibraryError> {
        self.first.is_current_model(hash)
    }

    fn adopt(&mut self, hash: Sha256, when: Adopt) -> Result<Adopted, LibraryError> {
        self.first.adopt(hash, when)
    }

    fn rename_model(&mut self, hash: Sha256, name: &str) -> Result<(), LibraryError> {
        self.first.rename_model(hash, name)
    }

    fn lacking(&self, hash: Sha256) -> Result<Vec<(Sha256, PathBuf)>, LibraryError> {
        self.first.lacking(hash)
    }

    fn lacks(&self, hash: Sha256, samples: &[Sha256]) -> Result<Vec<bool>, LibraryError> {
        self.first.lacks(hash, samples)
    }
}
