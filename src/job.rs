//! Work in the background: a thread that reports its progress, can be cancelled, and ends with a
//! result.
//!
//! The work is given a [`Reporter`]; whoever started it holds a [`Job`] and polls it. Neither side
//! ever waits for the other, so a window stays awake and a command line can draw a bar. Dropping a
//! [`Job`] cancels it. A panic in the work ends that job alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// Progress is told at most this often: more would flood a window without showing more.
const TELL_EVERY: Duration = Duration::from_millis(80);

/// How far the work has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What is being done, for people.
    pub stage: String,
    /// Steps done of this stage.
    pub done: usize,
    /// Steps in this stage; 0 if that is not known.
    pub total: usize,
    /// An estimate of what is left of this stage.
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
    /// With its result.
    Done(T),
    /// It was cancelled and has nothing to show.
    Cancelled,
    /// One sentence for the user.
    Failed(String),
}

/// Why work stops early, as the work itself says it.
#[derive(Debug)]
pub enum Stop {
    /// It saw that it was cancelled.
    Cancelled,
    /// One sentence for the user.
    Failed(String),
}

impl<E: std::error::Error> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

type Wake = dyn Fn() + Send + Sync;

#[derive(Default)]
struct Shared {
    cancelled: AtomicBool,
    progress: Mutex<Option<Progress>>,
}

/// The worker's side: tells progress, hears of cancelling.
#[derive(Clone)]
pub struct Reporter {
    shared: Arc<Shared>,
    wake: Arc<Wake>,
    /// Tells nothing.
    quiet: bool,
}

impl Reporter {
    /// For work that nobody watches.
    pub fn silent() -> Self {
        Self { shared: Arc::default(), wake: Arc::new(|| ()), quiet: true }
    }

    /// For a part of the work whose progress another stage tells: hears of cancelling, and tells nothing.
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
            told: Mutex::new(None),
        };
        stage.tell(0);
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

    /// Makes whoever watches look again, after news sent by another way.
    pub fn wake(&self) {
        (self.wake)();
    }
}

/// One stage of the work. Can be advanced from several threads.
pub struct Stage<'a> {
    reporter: &'a Reporter,
    name: Mutex<String>,
    total: usize,
    done: AtomicUsize,
    /// Steps that were done already when it began.
    before: AtomicUsize,
    begun: Instant,
    told: Mutex<Option<Instant>>,
}

impl Stage<'_> {
    /// `steps` more are done.
    pub fn advance(&self, steps: usize) {
        let done = self.done.fetch_add(steps, Ordering::Relaxed) + steps;
        let Ok(mut told) = self.told.try_lock() else {
            return;
        };
        let due = told.is_none_or(|at| at.elapsed() >= TELL_EVERY);
        if due || done == self.total {
            *told = Some(Instant::now());
            drop(told);
            self.tell(done);
        }
    }

    /// `steps` were done before it began: they say nothing of how long the others take.
    pub fn resume(&self, steps: usize) {
        self.before.fetch_add(steps, Ordering::Relaxed);
        self.advance(steps);
    }

    /// Like [`Stage::advance`], with another name for what is being done; made only when it is told.
    pub fn advance_as(&self, steps: usize, name: impl FnOnce() -> String) {
        let due = self.told.try_lock().is_ok_and(|told| told.is_none_or(|at| at.elapsed() >= TELL_EVERY));
        if due {
            *lock(&self.name) = name();
        }
        self.advance(steps);
    }

    /// Whether the work should stop.
    pub fn cancelled(&self) -> bool {
        self.reporter.cancelled()
    }

    fn tell(&self, done: usize) {
        if self.reporter.quiet {
            return;
        }
        let own = done.saturating_sub(self.before.load(Ordering::Relaxed));
        let left = (own > 0 && self.total >= done).then(|| {
            let each = self.begun.elapsed().as_secs_f64() / own as f64;
            Duration::from_secs_f64(each * (self.total - done) as f64)
        });
        *lock(&self.reporter.shared.progress) =
            Some(Progress { stage: lock(&self.name).clone(), done, total: self.total, left });
        self.reporter.wake();
    }
}

/// The watcher's side.
pub struct Job<T> {
    shared: Arc<Shared>,
    result: mpsc::Receiver<Outcome<T>>,
}

impl<T: Send + 'static> Job<T> {
    /// Starts `work` on a thread of its own. `wake` is called when there is something to see.
    pub fn spawn(wake: Arc<Wake>, work: impl FnOnce(&Reporter) -> Result<T, Stop> + Send + 'static) -> Self {
        let shared = Arc::<Shared>::default();
        let (sender, result) = mpsc::channel();
        let reporter = Reporter { shared: Arc::clone(&shared), wake, quiet: false };
        let spawned = std::thread::Builder::new()
            .name("lookalike-job".into())
            .spawn({
                let sender = sender.clone();
                move || {
                    let outcome = match catch_unwind(AssertUnwindSafe(|| work(&reporter))) {
                        Ok(Ok(value)) => Outcome::Done(value),
                        Ok(Err(Stop::Cancelled)) => Outcome::Cancelled,
                        Ok(Err(Stop::Failed(why))) => Outcome::Failed(why),
                        Err(panic) => Outcome::Failed(format!(
                            "stopped at a fault in the program: {}. Please report it; your library was not touched",
                            panic_text(panic.as_ref())
                        )),
                    };
                    // Nobody may be listening any more.
                    let _ = sender.send(outcome);
                    reporter.wake();
                }
            });
        if let Err(error) = spawned {
            let _ = sender.send(Outcome::Failed(format!("could not start a thread: {error}")));
        }
        Self { shared, result }
    }

    /// Asks the work to stop; it may still end with what it has.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether [`Self::cancel`] was called.
    pub fn cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::Relaxed)
    }

    /// The latest progress.
    pub fn progress(&self) -> Option<Progress> {
        lock(&self.shared.progress).clone()
    }

    /// The outcome, once; `None` while the work goes on and after the outcome was taken.
    pub fn poll(&self) -> Option<Outcome<T>> {
        self.result.try_recv().ok()
    }

    /// Like [`Self::poll`], waiting up to `patience`.
    pub fn wait(&self, patience: Duration) -> Option<Outcome<T>> {
        self.result.recv_timeout(patience).ok()
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.shared.cancelled.store(true, Ordering::Relaxed);
    }
}

/// A poisoned lock only means that another job panicked; the progress in it is still a progress.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a panic said.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// "1 min 20 s": a duration as people say it.
pub fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1.0 {
        "under 1 s".to_owned()
    } else if seconds < 90.0 {
        format!("{seconds:.0} s")
    } else if seconds < 5400.0 {
        let whole = seconds.round() as u64;
        format!("{} min {} s", whole / 60, whole % 60)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
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
        let job: Job<()> = Job::spawn(wake(), |_| Err(Stop::Failed("no".into())));
        assert!(matches!(job.wait(PATIENCE), Some(Outcome::Failed(why)) if why == "no"));
    }

    #[test]
    fn a_panic_ends_that_job_alone() {
        let job: Job<()> = Job::spawn(wake(), |_| panic!("oh"));
        assert!(matches!(job.wait(PATIENCE), Some(Outcome::Failed(why)) if why.contains("oh")));
    }

    #[test]
    fn durations_read_well() {
        let text = |s| duration_text(Duration::from_secs_f64(s));
        assert_eq!(text(0.2), "under 1 s");
        assert_eq!(text(12.3), "12 s");
        assert_eq!(text(100.0), "1 min 40 s");
        assert_eq!(text(7200.0), "2.0 h");
    }
}
