//! A job: work on its own thread that reports its progress, can be cancelled, and has a result.
//!
//! The work gets a [`Reporter`]; the caller holds a [`Job`] and polls it. Neither waits for the other, so a
//! window stays responsive and a command line can draw a bar. Dropping a [`Job`] cancels it. A panic ends
//! only the job it happens in.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// Progress is reported at most this often: more would wake a window without showing more.
const REPORT_EVERY: Duration = Duration::from_millis(80);

/// The progress of a stage of the work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The name of the stage, for people.
    pub stage: String,
    /// Steps done.
    pub done: usize,
    /// Steps in all; 0 if unknown.
    pub total: usize,
    /// Estimated time left.
    pub left: Option<Duration>,
}

impl Progress {
    /// 0 to 1, if the number of steps is known.
    pub fn fraction(&self) -> Option<f32> {
        (self.total > 0).then(|| self.done as f32 / self.total as f32)
    }
}

/// How a job ended.
#[derive(Debug)]
pub enum Outcome<T> {
    /// It has a result.
    Done(T),
    /// It was cancelled and has no result.
    Cancelled,
    /// It failed.
    Failed(Failure),
}

/// Why work failed. Callers add what to do next by downcasting it to the errors they know.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Why the work stops early.
#[derive(Debug)]
pub enum Stop {
    /// It was cancelled.
    Cancelled,
    /// It failed.
    Failed(Failure),
}

impl Stop {
    /// A failure that is only a sentence: what was expected, what was found, and what to do.
    pub fn failed(why: impl Into<String>) -> Self {
        Self::Failed(why.into().into())
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error))
    }
}

type Wake = dyn Fn() + Send + Sync;

#[derive(Default)]
struct Shared {
    cancelled: AtomicBool,
    /// Whether to stop and use what there is.
    finish_early: AtomicBool,
    progress: Mutex<Option<Progress>>,
}

/// The side of the work: reports progress and sees whether it was cancelled.
#[derive(Clone)]
pub struct Reporter {
    shared: Arc<Shared>,
    wake: Arc<Wake>,
    /// Reports nothing.
    quiet: bool,
}

impl Reporter {
    /// For work whose progress is discarded.
    pub fn silent() -> Self {
        Self { shared: Arc::default(), wake: Arc::new(|| ()), quiet: true }
    }

    /// For a part of the work whose progress another stage reports: it reports nothing, and sees
    /// cancelling as before.
    pub fn quietly(&self) -> Self {
        Self { quiet: true, ..self.clone() }
    }

    /// Begins a stage of `total` steps (0 if unknown).
    pub fn stage(&self, name: &str, total: usize) -> Stage<'_> {
        let stage = Stage {
            reporter: self,
            name: Mutex::new(name.to_owned()),
            total,
            done: AtomicUsize::new(0),
            before: AtomicUsize::new(0),
            begun: Instant::now(),
            reported: Mutex::new(None),
        };
        stage.report(0);
        stage
    }

    /// Whether the work should stop.
    pub fn cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::Relaxed)
    }

    /// `Err` once cancelled, for `?`.
    pub fn check(&self) -> Result<(), Stop> {
        if self.cancelled() { Err(Stop::Cancelled) } else { Ok(()) }
    }

    /// Whether the work should end soon with what it has, as a result. Work that has nothing to show before it
    /// is done need not ask.
    pub fn should_finish(&self) -> bool {
        self.shared.finish_early.load(Ordering::Relaxed)
    }

    /// Makes the watcher look again, after something was sent by another channel.
    pub fn wake(&self) {
        (self.wake)();
    }
}

/// One stage of the work. Several threads may advance it.
pub struct Stage<'a> {
    reporter: &'a Reporter,
    name: Mutex<String>,
    total: usize,
    done: AtomicUsize,
    /// Steps that were done before it began.
    before: AtomicUsize,
    begun: Instant,
    reported: Mutex<Option<Instant>>,
}

impl Stage<'_> {
    /// Counts `steps` more as done.
    pub fn advance(&self, steps: usize) {
        let done = self.done.fetch_add(steps, Ordering::Relaxed) + steps;
        let Ok(mut reported) = self.reported.try_lock() else {
            return;
        };
        let due = reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY);
        if due || done == self.total {
            *reported = Some(Instant::now());
            drop(reported);
            self.report(done);
        }
    }

    /// Counts `steps` as done before it began: the time left is not estimated from them.
    pub fn resume(&self, steps: usize) {
        self.before.fetch_add(steps, Ordering::Relaxed);
        self.advance(steps);
    }

    /// Sets the number of steps done, the name and the time left, for work that knows better than that each
    /// step takes as long.
    pub fn estimate(&self, done: usize, name: &str, left: Duration) {
        self.done.store(done, Ordering::Relaxed);
        let Ok(mut reported) = self.reported.try_lock() else {
            return;
        };
        let renamed = *lock(&self.name) != name;
        if renamed || reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY) {
            *reported = Some(Instant::now());
            drop(reported);
            if renamed {
                name.clone_into(&mut lock(&self.name));
            }
            self.send(done, Some(left));
        }
    }

    /// Same as [`Stage::advance`], with a new name, which is computed only when it is reported.
    pub fn advance_as(&self, steps: usize, name: impl FnOnce() -> String) {
        let due = self.reported.try_lock().is_ok_and(|at| at.is_none_or(|at| at.elapsed() >= REPORT_EVERY));
        if due {
            *lock(&self.name) = name();
        }
        self.advance(steps);
    }

    /// Whether the work should stop.
    pub fn cancelled(&self) -> bool {
        self.reporter.cancelled()
    }

    fn report(&self, done: usize) {
        let own = done.saturating_sub(self.before.load(Ordering::Relaxed));
        let left = (own > 0 && self.total >= done).then(|| {
            let each = self.begun.elapsed().as_secs_f64() / own as f64;
            Duration::from_secs_f64(each * (self.total - done) as f64)
        });
        self.send(done, left);
    }

    fn send(&self, done: usize, left: Option<Duration>) {
        if self.reporter.quiet {
            return;
        }
        *lock(&self.reporter.shared.progress) =
            Some(Progress { stage: lock(&self.name).clone(), done, total: self.total, left });
        self.reporter.wake();
    }
}

/// The side of the caller.
pub struct Job<T> {
    shared: Arc<Shared>,
    result: mpsc::Receiver<Outcome<T>>,
}

impl<T: Send + 'static> Job<T> {
    /// Starts `work` on a new thread. `wake` is called when there is something to see.
    pub fn spawn(wake: Arc<Wake>, work: impl FnOnce(&Reporter) -> Result<T, Stop> + Send + 'static) -> Self {
        let shared = Arc::<Shared>::default();
        let (sender, result) = mpsc::channel();
        let reporter = Reporter { shared: Arc::clone(&shared), wake, quiet: false };
        let spawned = std::thread::Builder::new().name("lookalike-job".into()).spawn({
            let sender = sender.clone();
            move || {
                let outcome = match catch_unwind(AssertUnwindSafe(|| work(&reporter))) {
                    Ok(Ok(value)) => Outcome::Done(value),
                    Ok(Err(Stop::Cancelled)) => Outcome::Cancelled,
                    Ok(Err(Stop::Failed(why))) => Outcome::Failed(why),
                    Err(panic) => Outcome::Failed(bug_report(panic.as_ref()).into()),
                };
                // The caller may have dropped the job.
                let _ = sender.send(outcome);
                reporter.wake();
            }
        });
        if let Err(error) = spawned {
            let _ = sender.send(Outcome::Failed(format!("could not start a thread: {error}").into()));
        }
        Self { shared, result }
    }

    /// Asks the work to stop. It may still return what it has.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }

    /// Asks the work to end soon with what it has, as a result.
    pub fn finish_early(&self) {
        self.shared.finish_early.store(true, Ordering::Relaxed);
    }

    /// Whether [`Self::cancel`] was called.
    pub fn cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::Relaxed)
    }

    /// The latest progress.
    pub fn progress(&self) -> Option<Progress> {
        lock(&self.shared.progress).clone()
    }

    /// The outcome, once; `None` while the work runs and after the outcome was taken.
    pub fn poll(&self) -> Option<Outcome<T>> {
        self.result.try_recv().ok()
    }

    /// Same as [`Self::poll`], waiting up to `patience`.
    pub fn wait(&self, patience: Duration) -> Option<Outcome<T>> {
        self.result.recv_timeout(patience).ok()
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }
}

/// What the user reads when the work panics.
fn bug_report(panic: &(dyn std::any::Any + Send)) -> String {
    let why = panic_text(panic);
    format!("stopped by a bug in Lookalike: {why}. Please report it; what was stored before stays")
}

/// A poisoned lock only means that another job panicked; the progress behind it is still valid.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The message of a panic.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn wake() -> Arc<Wake> {
        Arc::new(|| ())
    }

    #[test]
    fn a_job_reports_and_ends() {
        let job = Job::spawn(wake(), |reporter| {
            let stage = reporter.stage("Counting", 3);
            (0..3).for_each(|_| stage.advance(1));
            Ok(7)
        });
        assert!(matches!(job.wait(PATIENCE), Some(Outcome::Done(7))));
        let progress = job.progress().unwrap();
        assert_eq!((progress.done, progress.total), (3, 3));
        assert_eq!(progress.fraction(), Some(1.0));
    }

    #[test]
    fn a_job_can_be_cancelled_and_may_fail() {
        let job: Job<()> = Job::spawn(wake(), |reporter| {
            loop {
                reporter.check()?;
                std::thread::yield_now();
            }
        });
        job.cancel();
        assert!(matches!(job.wait(PATIENCE), Some(Outcome::Cancelled)));
        let job: Job<()> = Job::spawn(wake(), |_| Err(Stop::failed("no")));
        assert!(matches!(job.wait(PATIENCE), Some(Outcome::Failed(why)) if why.to_string() == "no"));
    }

    #[test]
    fn a_job_can_end_early_with_what_it_has() {
        let job = Job::spawn(wake(), |reporter| {
            let mut steps = 0;
            while !reporter.quietly().should_finish() {
                reporter.check()?;
                steps += 1;
                std::thread::yield_now();
            }
            Ok(steps)
        });
        job.finish_early();
        assert!(matches!(job.wait(PATIENCE), Some(Outcome::Done(_))));
        assert!(!job.cancelled());
    }

    #[test]
    fn a_stage_can_have_an_estimate_of_its_own() {
        let job = Job::spawn(wake(), |reporter| {
            let stage = reporter.stage("One part", 10);
            stage.estimate(4, "The other part", Duration::from_secs(60));
            Ok(())
        });
        assert!(matches!(job.wait(PATIENCE), Some(Outcome::Done(()))));
        let left = Some(Duration::from_secs(60));
        assert_eq!(
            job.progress(),
            Some(Progress { stage: "The other part".into(), done: 4, total: 10, left })
        );
    }

    #[test]
    fn a_panic_ends_only_that_job() {
        let job: Job<()> = Job::spawn(wake(), |_| panic!("oh"));
        assert!(matches!(job.wait(PATIENCE), Some(Outcome::Failed(why)) if why.to_string().contains("oh")));
    }
}
