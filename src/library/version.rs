//! The version of the tables of a library file.

/// Version of the tables, kept as SQLite's `user_version`.
pub const VERSION: i64 = 3;
