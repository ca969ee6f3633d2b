//! Measures whether the window stays responsive: how late frames are while a job runs.
//!
//! While a job runs, a frame is due every 80 ms; more often would take CPU time from the job where the CPU also
//! draws. A frame that is much later means that something blocked the window. The largest delay is logged when
//! the last job ends (`RUST_LOG=lookalike=info`).

use std::time::{Duration, Instant};

/// A frame is due this long after the one before, while a job runs.
pub const BEAT: Duration = Duration::from_millis(80);

/// Delays since the first job started.
#[derive(Debug, Default)]
pub struct Pulse {
    last: Option<Instant>,
    latest: Duration,
    frames: u32,
}

impl Pulse {
    /// Records that a frame begins. Returns the largest delay and the number of frames once all jobs have ended.
    pub fn frame(&mut self, busy: bool, now: Instant) -> Option<(Duration, u32)> {
        if let Some(last) = self.last {
            let delay = now.saturating_duration_since(last).saturating_sub(BEAT);
            self.latest = self.latest.max(delay);
            self.frames += 1;
        }
        if busy {
            self.last = Some(now);
            return None;
        }
        let ended = self.last.take().map(|_| (self.latest, self.frames));
        *self = Self::default();
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_delay_of_a_busy_period_is_reported_once() {
        let (mut pulse, start) = (Pulse::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(pulse.frame(false, at(0)), None);
        assert_eq!(pulse.frame(true, at(9000)), None, "idle time does not count");
        assert_eq!(pulse.frame(true, at(9050)), None);
        assert_eq!(pulse.frame(true, at(9170)), None);
        assert_eq!(pulse.frame(false, at(9200)), Some((Duration::from_millis(40), 3)));
        assert_eq!(pulse.frame(false, at(9999)), None);
    }
}
