//! What is missing of a library that is on several servers, one of which does not answer.

/// The shards of a library that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Why each of them could not be read.
    pub why: Vec<String>,
    /// The number of all shards.
    pub of: usize,
}

impl Missing {
    /// The share of the samples that they keep, in percent.
    pub fn percent(&self) -> usize {
        (self.why.len() * 200 + self.of) / (self.of * 2).max(1)
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} of {} shards of the library cannot be read, so about {} % of its samples were not compared: {}",
            self.why.len(),
            self.of,
            self.percent(),
            self.why.join("; ")
        )
    }
}
