//! Making the indexes of a library with shards: each shard has one of its own, so one can be made while the others answer.

use super::library::ShardedLibrary;
use crate::job::{Reporter, Stop};
use crate::library::engine::LARGE;
use crate::library::postgres::models::put_model;
use crate::library::{LibraryError, Prepare, Prepared};

impl Prepare for ShardedLibrary {
    fn prepare(&mut self, reporter: &Reporter) -> Result<Prepared, Stop> {
        self.first.check_owner()?;
        let (_, model) = self.first.current_model()?.ok_or(LibraryError::NoModel)?;
        let (mut of_all, mut made_for_all, mut any_made) = (0, 0, false);
        for shard in self.shards.open_each(&[]) {
            let mut shard = shard?;
            shard.check_owner()?;
            let id = shard.changing(|transaction| put_model(transaction, &model, ""))?;
            if let Prepared::Index { samples, vectors, made, .. } =
                shard.prepare_model(id, &model, reporter)?
            {
                of_all += samples;
                made_for_all += vectors;
                any_made |= made;
            }
        }
        if any_made {
            // What counts and lists samples then reads the indexes alone.
            self.first.reading(|client| {
                client.batch_execute("VACUUM (ANALYZE) lookalike.samples, lookalike.looks")
            })?;
        }
        let used = of_all as i64 > LARGE;
        Ok(Prepared::Index { samples: of_all, vectors: made_for_all, made: any_made, used })
    }

    /// The indexes are the curator's, and the servers keep them.
    fn after_adding(&mut self, _: &Reporter) -> Result<(), Stop> {
        Ok(())
    }
}
