//! The version of the tables of a library file.

/// Version of the tables, kept as SQLite's `user_version`.
pub const VERSION: i64 = 7;
/// The version from which on a library keeps what the views of a model see.
pub const WITH_VIEWS: i64 = 3;
/// The version from which on it has edits, removed samples, and names of models.
pub const WITH_EDITS: i64 = 4;
/// The version from which on it keeps facts of samples.
pub const WITH_FACTS: i64 = 5;
/// The version from which on what the views see is in the table `seen`, samples are found by label, and there are segments.
pub const WITH_SEGMENTS: i64 = 6;
