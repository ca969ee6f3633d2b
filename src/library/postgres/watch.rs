//! Watching a team's library: the server says when someone has changed it (LISTEN and NOTIFY).

use super::connect::connect;
use crate::library::{ServerUrl, Watch};
use postgres::Client;
use postgres::fallible_iterator::FallibleIterator as _;

/// A watch of a team's library, with a connection of its own.
pub struct ServerWatch {
    url: ServerUrl,
    /// `None` while there is no connection.
    client: Option<Client>,
}

impl ServerWatch {
    /// Of the library in this database.
    pub fn new(url: &ServerUrl) -> Self {
        Self { url: url.clone(), client: None }
    }

    fn listen(&self) -> Option<Client> {
        let mut client = connect(&self.url).ok()?;
        client.batch_execute("LISTEN lookalike").ok()?;
        Some(client)
    }
}

impl Watch for ServerWatch {
    fn has_changed(&mut self) -> bool {
        let Some(client) = &mut self.client else {
            self.client = self.listen();
            return false;
        };
        // What it has sent so far comes with the answer.
        let answered = client.is_valid(std::time::Duration::from_secs(10)).is_ok();
        let heard = client.notifications().iter().count().unwrap_or(0);
        if !answered {
            // Much may have changed until there is a connection again.
            self.client = self.listen();
            return self.client.is_some();
        }
        heard > 0
    }

    fn renew(&mut self) {}
}
