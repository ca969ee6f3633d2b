//! Tables that leave the program, for a spreadsheet or a script.

mod table;

pub use table::{MapRow, NeighbourRow, SampleRow, map_csv, neighbours_csv, samples_csv, table};
