//! Whether the window stays awake: the longest pause between two frames while a job runs.
//!
//! While anything runs the window draws at least twenty times a second, so a longer pause means that
//! something held it up. The pause is told in the log when the work ends
//! (`RUST_LOG=lookalike=info`).

use std::time::{Duration, Instant};

/// Frames are asked for this often while a job runs.
pub const BEAT: Duration = Duration::from_millis(50);

/// Pauses since work began.
#[derive(Debug, Default)]
pub struct Pulse {
    last: Option<Instant>,
    longest: Duration,
    frames: u32,
}

impl Pulse {
    /// A frame begins. Returns the longest pause and the number of frames once the work has ended.
    pub fn frame(&mut self, busy: bool, now: Instant) -> Option<(Duration, u32)> {
        if let Some(last) = self.last {
            self.longest = self.longest.max(now.saturating_duration_since(last));
            self.frames += 1;
        }
        if busy {
            self.last = Some(now);
            return None;
        }
        let ended = self.last.take().map(|_| (self.longest, self.frames));
        *self = Self::default();
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pause_of_a_busy_time_is_told_once() {
        let (mut pulse, start) = (Pulse::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(pulse.frame(false, at(0)), None);
        assert_eq!(pulse.frame(true, at(9000)), None, "a pause at rest does not count");
        assert_eq!(pulse.frame(true, at(9050)), None);
        assert_eq!(pulse.frame(true, at(9170)), None);
        assert_eq!(pulse.frame(false, at(9200)), Some((Duration::from_millis(120), 3)));
        assert_eq!(pulse.frame(false, at(9999)), None);
    }
}
