//! The progress of a map: its two parts, finding neighbours and moving places, as one bar with one time left.
//!
//! The first part knows from its start how long the second will take about, so the time left is of both from the
//! first report on.

use crate::job::{Reporter, Stage};
use std::time::{Duration, Instant};

/// Steps of the bar.
const STEPS: usize = 1000;

/// Reports the progress of a map.
pub struct Pace<'a> {
    stage: Stage<'a>,
    begun: Instant,
    /// When the first rows were looked up.
    first: Option<Instant>,
    /// What the second part is expected to take, and when it began.
    expected: Duration,
    second: Option<Instant>,
    /// Steps reported; they never go back.
    steps: usize,
}

impl<'a> Pace<'a> {
    /// Begins the first part.
    pub fn new(reporter: &'a Reporter, expected: Duration) -> Self {
        let stage = reporter.stage(Self::FIRST, STEPS);
        Self { stage, begun: Instant::now(), first: None, expected, second: None, steps: 0 }
    }

    const FIRST: &'static str = "Finding neighbours for the map";
    /// The name of the second part.
    pub const SECOND: &'static str = "Computing the map";

    /// `done` of `all` rows have neighbours; the first call is before the first row.
    pub fn neighbours(&mut self, done: usize, all: usize) {
        let begun = *self.first.get_or_insert_with(Instant::now);
        let left = rest(begun.elapsed(), done, all).map(|left| left + self.expected);
        self.report(Self::FIRST, left);
    }

    /// `done` of `all` rounds are over; the first call begins the second part.
    pub fn rounds(&mut self, done: usize, all: usize) {
        let begun = *self.second.get_or_insert_with(Instant::now);
        let left = rest(begun.elapsed(), done, all).unwrap_or(self.expected);
        self.report(Self::SECOND, Some(left));
    }

    fn report(&mut self, name: &str, left: Option<Duration>) {
        let Some(left) = left else { return };
        let elapsed = self.begun.elapsed().as_secs_f64();
        let share = elapsed / (elapsed + left.as_secs_f64()).max(1e-9);
        self.steps = self.steps.max((share * STEPS as f64) as usize).min(STEPS);
        self.stage.estimate(self.steps, name, left);
    }
}

/// The time left if `done` of `all` took so long; `None` before the first.
fn rest(elapsed: Duration, done: usize, all: usize) -> Option<Duration> {
    (done > 0).then(|| elapsed.mul_f64(all.saturating_sub(done) as f64 / done as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Job, Outcome};
    use std::sync::Arc;

    fn ago(seconds: u64) -> Instant {
        Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn the_time_left_is_of_both_parts_and_the_bar_never_goes_back() {
        let patience = Duration::from_secs(20);
        let expected = Duration::from_secs(1000);
        let job = Job::spawn(Arc::new(|| ()), move |reporter| {
            let mut pace = Pace::new(reporter, expected);
            pace.begun = ago(110);
            pace.first = Some(ago(100));
            pace.neighbours(50, 100);
            Ok(())
        });
        assert!(matches!(job.wait(patience), Some(Outcome::Done(()))));
        let first = job.progress().unwrap();
        let left = first.left.unwrap().as_secs();
        assert!((1100..1110).contains(&left), "{left}");
        assert!((88..=92).contains(&first.done), "{}", first.done);
        let job = Job::spawn(Arc::new(|| ()), move |reporter| {
            let mut pace = Pace::new(reporter, expected);
            pace.begun = ago(500);
            pace.neighbours(100, 100);
            let before = pace.steps;
            pace.rounds(0, 200);
            // Slower than expected.
            pace.second = Some(ago(100));
            pace.rounds(1, 200);
            Ok((before, pace.steps))
        });
        let Some(Outcome::Done((before, after))) = job.wait(patience) else { panic!("no result") };
        assert_eq!(before, after);
        let second = job.progress().unwrap();
        assert_eq!(second.stage, Pace::SECOND);
        assert!(second.left.unwrap() <= expected);
        assert!(rest(Duration::from_secs(1), 0, 5).is_none());
    }
}
