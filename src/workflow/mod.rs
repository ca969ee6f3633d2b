//! What a user does, as functions: the window and the command line call the same ones.

mod add;
mod base_model;
mod batch_norm;
mod copy_library;
mod edits;
mod embed_again;
mod find_near;
mod image_base_model;
mod index;
mod inspect;
mod inspected;
mod keep_copy;
mod known;
mod map;
mod map_method;
mod map_outline;
mod missing;
mod models;
mod names;
mod near;
mod nothing_to_read;
#[cfg(test)]
mod outline_tests;
mod prepare_library;
mod query;
mod query_library;
mod read;
mod read_again;
mod read_contents;
mod run;
mod send_waiting;
mod shard_library;
mod shared_rare;
mod tables;
mod test_library;
mod train;
mod verdict;

pub use add::add_queried;
pub use base_model::make_base_model;
pub use batch_norm::{
    SEED, experiment, knows_labels, measure, read_for, recompute_statistics, repair_model, train_longer,
    train_without_norm,
};
pub use copy_library::{Copied, copy_library};
pub use edits::{edit_text, reverted_text};
pub use embed_again::file_of;
pub use find_near::{find_near, looks_of};
pub use image_base_model::make_image_base_model;
pub use index::{
    ChangedLibrary, Indexed, add_samples, add_to_library, index, index_into, training_base, usual_model,
};
pub use inspect::inspect;
pub use inspected::Inspected;
pub use keep_copy::{Refreshed, refresh_copy};
pub use known::{KnownSample, Sought, digest_of, find_sample, is_digest, query_known, samples_with};
pub use map::{map_library, trust_of_map};
pub use map_method::{MapMethod, MapStart};
pub use missing::warn_if_missing;
pub use models::{UsedModel, figures, find_model, keep_model, trained_on, use_model};
pub use names::count;
pub use near::{AskedAs, Near, WantedNear};
pub use nothing_to_read::NothingToRead;
pub use prepare_library::{prepare_added, prepare_library, prepared_text};
pub use query::{OutOfRange, Queried, QueryResult, query};
pub use query_library::{Answers, Question, query_library};
pub use read::{LabelledFolder, Pictures, kind_of, read_folder};
pub use read_again::{can_gain, read_again};
pub use read_contents::read_contents;
pub use run::{Event, Run, Warning};
pub use send_waiting::{open_library, open_or_create_library, send_waiting, waiting_text};
pub use shard_library::{shard_library, sharded_text};
pub use shared_rare::{SharedTrait, facts_of, shared_rare};
pub use tables::{QueriedFile, map_table, neighbour_rows, neighbour_table, neighbour_table_of, sample_table};
pub use test_library::{SHARED, test_library};
pub use train::{Outputs, TrainedFolder, checkpoint_of, train_folder, training_summary};
pub use verdict::{Verdict, calibration_text, is_calibrated, model_name, packed_text, percent};
