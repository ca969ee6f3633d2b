//! Tables that leave the program, for a spreadsheet or a script.

mod facts;
mod table;

pub use facts::{access, facts_csv, facts_json, known, linked, symbol};
pub use table::{
    MadeBy, MapRow, NeighbourRow, SampleRow, for_excel, map_csv, neighbours_csv, samples_csv, table,
};
