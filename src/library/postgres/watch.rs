//! Watching a team's library: the server says when someone has changed it (LISTEN and NOTIFY).

use super::connect::connect;
use super::patience::Patience;
use crate::library::{ServerUrl, Watch, unreachable};
use postgres::Client;
use postgres::fallible_iterator::FallibleIterator as _;

/// A watch of a team's library, with a connection of its own.
pub struct ServerWatch {
    url: ServerUrl,
    /// `None` while there is no connection.
    client: Option<Client>,
    /// Nothing was heard for a while: there was a connection that ended, or none from the start.
    deaf: bool,
}

impl ServerWatch {
    /// Of the library in this database.
    pub fn new(url: &ServerUrl) -> Self {
        Self { url: url.clone(), client: None, deaf: false }
    }

    fn listen(&self) -> Option<Client> {
        let mut client = connect(&self.url, &Patience::default()).ok()?;
        client.batch_execute("LISTEN lookalike").ok()?;
        unreachable::reached(&self.url);
        Some(client)
    }
}

impl Watch for ServerWatch {
    fn has_changed(&mut self) -> bool {
        // What it has sent so far comes with the answer.
        if let Some(client) = &mut self.client
            && client.is_valid(std::time::Duration::from_secs(10)).is_ok()
        {
            return client.notifications().iter().count().unwrap_or(0) > 0;
        }
        self.deaf |= self.client.is_some();
        self.client = self.listen();
        // Much may have changed until there is a connection again.
        let heard_again = self.deaf && self.client.is_some();
        self.deaf = self.client.is_none();
        heard_again
    }

    fn renew(&mut self) {}
}
