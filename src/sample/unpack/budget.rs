//! What unpacking one program may cost.

use std::time::{Duration, Instant};

/// The largest unpacked program, in bytes.
pub const MAX_UNPACKED: usize = 256 << 20;
/// Bytes of all attempts together.
const MAX_WORK: usize = 768 << 20;
/// The longest time.
const MAX_TIME: Duration = Duration::from_secs(30);

/// What is left of the limits.
#[derive(Debug)]
pub struct Budget {
    work: usize,
    until: Instant,
}

impl Default for Budget {
    fn default() -> Self {
        Self { work: MAX_WORK, until: Instant::now() + MAX_TIME }
    }
}

impl Budget {
    /// Counts bytes that are decompressed. Fails if that is too many for one program or for all attempts, or if the time
    /// is over.
    pub fn take(&mut self, bytes: usize) -> Result<(), String> {
        if bytes > MAX_UNPACKED {
            return Err(format!(
                "{bytes} bytes are more than the {} MiB that are unpacked",
                MAX_UNPACKED >> 20
            ));
        }
        self.work =
            self.work.checked_sub(bytes).ok_or("the most bytes that all attempts may unpack are reached")?;
        if Instant::now() > self.until {
            return Err(format!("it takes more than {} seconds", MAX_TIME.as_secs()));
        }
        Ok(())
    }

    /// Bytes that one attempt may still decompress.
    pub fn left(&self) -> usize {
        self.work.min(MAX_UNPACKED)
    }
}
