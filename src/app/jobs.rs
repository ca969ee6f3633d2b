//! The jobs behind the window. Each carries a closure that applies its result to the app, so a new kind of job
//! is written in one place.

use crate::job::{Job, Outcome, Progress, Reporter, Stop};
use crate::workflow::{Event, Run};
use std::sync::{Arc, mpsc};

/// Applies the result of a job, on the window's thread.
pub type Apply<A> = Box<dyn FnOnce(&mut A) + Send>;

/// A kind of job of which only one runs at a time: a new one cancels the old one, whose result is never
/// applied. Each feature defines its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(pub &'static str);

/// Training a model.
pub const TRAIN: Kind = Kind("train");

/// Identifies a job while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobId(u64);

/// The description of a job.
#[derive(Clone, Debug)]
pub struct Task {
    title: String,
    kind: Option<Kind>,
    quiet: bool,
    finishes: bool,
    reported: bool,
}

impl Task {
    /// A job that is shown under this title and runs in parallel with others.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), kind: None, quiet: false, finishes: false, reported: true }
    }

    /// The same job, but it replaces a running one of this kind.
    pub fn of_kind(self, kind: Kind) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// The same job, but stopped it ends with what it has.
    pub fn finishing(self) -> Self {
        Self { finishes: true, ..self }
    }

    /// The same job, but its failure is reported, shown or not.
    pub fn reported(self) -> Self {
        Self { reported: true, ..self }
    }

    /// The same job, but it is not shown and its failure is not reported.
    pub fn quiet(self) -> Self {
        Self { quiet: true, reported: false, ..self }
    }
}

/// A running job.
struct Running<A> {
    id: JobId,
    task: Task,
    job: Job<Apply<A>>,
    events: mpsc::Receiver<Event>,
}

/// A running job as it is shown.
pub struct JobView<'a> {
    /// Its identity.
    pub id: JobId,
    /// What it does.
    pub title: &'a str,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// Its latest progress.
    pub progress: Option<Progress>,
}

/// What a job reports to the window.
pub enum News<A> {
    /// An event while it runs.
    Event(Event),
    /// It has ended.
    Ended {
        /// What it did.
        title: String,
        /// Its kind, if it has one.
        kind: Option<Kind>,
        /// Whether it was shown.
        shown: bool,
        /// Whether its failure is reported.
        reported: bool,
        /// How it ended.
        outcome: Outcome<Apply<A>>,
    },
}

type Wake = Arc<dyn Fn() + Send + Sync>;

/// All running jobs.
pub struct Jobs<A> {
    running: Vec<Running<A>>,
    next: u64,
    wake: Wake,
}

impl<A: 'static> Jobs<A> {
    /// No jobs. `wake` makes the window poll them.
    pub fn new(wake: Wake) -> Self {
        Self { running: Vec::new(), next: 0, wake }
    }

    /// Starts a job: `work` on its own thread, then `apply` with its result on the window's thread.
    pub fn start<T: Send + 'static>(
        &mut self,
        task: Task,
        work: impl FnOnce(&Run<'_>) -> Result<T, Stop> + Send + 'static,
        apply: impl FnOnce(&mut A, T) + Send + 'static,
    ) {
        if let Some(kind) = task.kind {
            // Dropping a job cancels it.
            self.running.retain(|running| running.task.kind != Some(kind));
        }
        let (sender, events) = mpsc::channel();
        let job = Job::spawn(Arc::clone(&self.wake), move |reporter: &Reporter| {
            super::priority::lower();
            // The window may have dropped the job.
            let on_event = |event| drop(sender.send(event));
            let result = work(&Run::new(reporter, &on_event))?;
            Ok(Box::new(move |app: &mut A| apply(app, result)) as Apply<A>)
        });
        self.next += 1;
        self.running.push(Running { id: JobId(self.next), task, job, events });
    }

    /// What happened since the last call, job by job.
    pub fn poll(&mut self) -> Vec<News<A>> {
        let mut news = Vec::new();
        self.running.retain(|running| {
            // The outcome first, so that all events sent before it are received.
            let outcome = running.job.poll();
            news.extend(running.events.try_iter().map(News::Event));
            let Some(outcome) = outcome else { return true };
            let Task { title, quiet, kind, reported, .. } = running.task.clone();
            news.push(News::Ended { title, kind, shown: !quiet, reported, outcome });
            false
        });
        news
    }

    /// Cancels a job, if it is still running; one that can end with what it has is asked to.
    pub fn cancel(&self, id: JobId) {
        if let Some(running) = self.running.iter().find(|running| running.id == id) {
            if running.task.finishes {
                running.job.finish_early();
            } else {
                running.job.cancel();
            }
        }
    }

    /// The jobs that are shown, in order of their start.
    pub fn shown(&self) -> impl Iterator<Item = JobView<'_>> {
        self.running.iter().filter(|running| !running.task.quiet).map(|running| JobView {
            id: running.id,
            title: &running.task.title,
            cancelled: running.job.cancelled(),
            progress: running.job.progress(),
        })
    }

    /// Stops the job of this kind; its result is never applied. Returns whether there was one.
    pub fn stop(&mut self, kind: Kind) -> bool {
        let before = self.running.len();
        self.running.retain(|running| running.task.kind != Some(kind));
        self.running.len() < before
    }

    /// Whether a job of this kind is running.
    pub fn runs(&self, kind: Kind) -> bool {
        self.running.iter().any(|running| running.task.kind == Some(kind))
    }

    /// Whether a job that is shown is running.
    pub fn busy(&self) -> bool {
        self.running.iter().any(|running| !running.task.quiet)
    }

    /// Whether any job is running, shown or not.
    pub fn any(&self) -> bool {
        !self.running.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// Applies all results until no job is running.
    fn settle(jobs: &mut Jobs<Vec<u32>>, app: &mut Vec<u32>) {
        let begun = Instant::now();
        while jobs.any() {
            assert!(begun.elapsed() < Duration::from_secs(60), "a job hangs");
            for news in jobs.poll() {
                if let News::Ended { outcome: Outcome::Done(apply), .. } = news {
                    apply(app);
                }
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_result_is_applied_once_and_a_replaced_job_is_never_applied() {
        let (mut jobs, mut app) = (Jobs::new(Arc::new(|| ())), Vec::new());
        let kind = Kind("test");
        let first = |run: &Run<'_>| loop {
            run.check()?;
            std::thread::yield_now();
        };
        jobs.start(Task::new("first").of_kind(kind), first, |app: &mut Vec<u32>, n: u32| app.push(n));
        jobs.start(Task::new("second").of_kind(kind), |_| Ok(2), |app, n| app.push(n));
        jobs.start(Task::new("beside it"), |_| Ok(3), |app, n| app.push(n));
        settle(&mut jobs, &mut app);
        app.sort_unstable();
        assert_eq!(app, [2, 3]);
    }
}
