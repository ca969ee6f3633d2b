//! What a user does, as functions: the window and the command line call the same ones.

mod ask;
mod index;
mod lab;
mod map;
mod read;
mod tables;
mod train;

pub use ask::{Answer, Answers, answer, ask};
pub use index::{Indexed, index, index_set, known};
pub use lab::{SEED, read_for, repair_set, report_folder};
pub use map::{MapMethod, lay_out, map_library};
pub use read::{Pictures, Read, read};
pub use tables::{map_rows, neighbour_rows, sample_rows};
pub use train::{TrainedFolder, train_folder};
