//! The engine for a team: a library in a PostgreSQL database with pgvector. All of it is in the schema `lookalike`. Of a sample it
//! has the hash, the name of its file, facts, vectors and a thumbnail: its bytes and its folders stay with the analyst. What is
//! large of it can be on other servers (`sharded`).

mod add;
mod candidates;
mod connect;
mod edits;
mod engine;
mod facts;
mod identity;
mod label_history;
mod large;
mod maintenance;
mod models;
mod near_index;
mod nearest;
mod password;
mod patience;
mod prepare;
mod receive;
mod removal;
mod schema;
mod sharded;
mod store;
mod vector;
mod watch;
mod whole;

pub use sharded::{open, open_to_send, shard};
pub use watch::ServerWatch;
