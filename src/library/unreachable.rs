//! Servers that could not be reached a moment ago. Each try may take seconds, and a window opens a library often, so the next ones read
//! the copy at once.

use super::ServerUrl;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long that is.
const LATELY: Duration = Duration::from_secs(15);

/// When each was tried in vain, and what the network said.
type Tried = HashMap<ServerUrl, (Instant, String)>;

fn tried() -> MutexGuard<'static, Tried> {
    static TRIED: OnceLock<Mutex<Tried>> = OnceLock::new();
    TRIED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a server could not be reached lately, if so.
pub fn lately(url: &ServerUrl) -> Option<String> {
    tried().get(url).filter(|(when, _)| when.elapsed() < LATELY).map(|(_, why)| why.clone())
}

/// Notes that it could not be reached now.
pub fn note(url: &ServerUrl, why: String) {
    tried().insert(url.clone(), (Instant::now(), why));
}

/// Forgets that: it was reached.
pub fn reached(url: &ServerUrl) {
    tried().remove(url);
}
