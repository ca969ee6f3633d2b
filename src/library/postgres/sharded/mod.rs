//! A team's library on several servers. Its first database has the samples with labels and history, the models, and which samples each
//! has embedded. What is large, vectors, facts and thumbnails, is on its shards: databases of the same tables, each with the samples
//! whose hashes lead to it. What is stored there depends on a sample's hash and a model's alone, so it is never wrong: a sample is stored
//! on its shard first and in the first database last, and what an interrupted program leaves on a shard is what the next one needs.

mod add;
mod facts;
mod large;
mod library;
mod looks;
mod models;
mod nearest;
mod number;
mod prepare;
mod receive;
mod set_up;
mod shards;
mod stored;
mod stub;

pub use library::{open, open_to_send};
pub use set_up::shard;
