//! The tests that every engine passes unchanged.

mod damaged_file;
mod edits;
pub mod excerpt;
mod facts;
pub mod fixture;
mod labels;
mod models;
#[cfg(target_os = "linux")]
mod near_index;
mod removal;
#[cfg(target_os = "linux")]
#[path = "../../../tests/common/postgres.rs"]
mod server;
#[cfg(target_os = "linux")]
mod shards;
mod sharing;

/// Makes a test of each function for each engine.
macro_rules! on_every_engine {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                super::$name(super::Kept::Sqlite);
            })*
        }
        #[cfg(target_os = "linux")]
        mod postgres {
            $(#[test]
            fn $name() {
                super::$name(super::Kept::Postgres);
            })*
        }
        #[cfg(target_os = "linux")]
        mod sharded {
            $(#[test]
            fn $name() {
                super::$name(super::Kept::Sharded);
            })*
        }
    };
}
use on_every_engine;
