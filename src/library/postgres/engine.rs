//! PostgreSQL as an engine.

use super::large::LargeLibrary;
use super::store::PostgresLibrary;
use crate::library::{Engine, LibraryError, Location, PartlyRead};

impl Engine for PostgresLibrary {
    fn location(&self) -> &Location {
        &self.location
    }

    fn read_only(&self) -> Option<&str> {
        self.read_only.as_deref()
    }

    fn larger_than(&self, least: i64) -> Result<Option<Box<dyn PartlyRead + '_>>, LibraryError> {
        Ok(LargeLibrary::new(self, least)?.map(|large| Box::new(large) as _))
    }
}
