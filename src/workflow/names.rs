//! Names and numbers of files in messages.

use crate::escape;

/// Names of files and folders, each once; of many, the first.
pub fn some_of(names: &[String]) -> String {
    const NAMED: usize = 4;
    let mut unique: Vec<_> = names.iter().map(|name| escape::text(name)).collect();
    unique.sort_unstable();
    unique.dedup();
    let more = if unique.len() > NAMED { ", …" } else { "" };
    unique.truncate(NAMED);
    unique.join(", ") + more
}

/// "1 file", "2 files".
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
