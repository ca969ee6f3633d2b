//! Running work as a job: a progress bar on a terminal, none in a pipe; Ctrl-C cancels.

use crate::job::{Job, Outcome, Reporter, Stop, duration_text};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once, mpsc};
use std::time::Duration;

/// How often the bar is redrawn.
const REDRAW: Duration = Duration::from_millis(100);

/// Ctrl-C so far.
static INTERRUPTS: AtomicUsize = AtomicUsize::new(0);

/// Runs `work`, which may send news; `tell` gets each, on this thread, while no bar is in the way.
pub fn watch<T: Send + 'static, News: Send + 'static>(
    work: impl FnOnce(&Reporter, &mpsc::Sender<News>) -> Result<T, Stop> + Send + 'static,
    mut tell: impl FnMut(News) -> Result<(), Stop>,
) -> Result<T, Stop> {
    listen();
    let (sender, news) = mpsc::channel();
    let job = Job::spawn(Arc::new(|| ()), move |reporter| work(reporter, &sender));
    let bar = bar();
    let outcome = loop {
        let outcome = job.wait(REDRAW);
        for news in news.try_iter() {
            bar.suspend(|| tell(news))?;
        }
        if let Some(outcome) = outcome {
            break outcome;
        }
        if INTERRUPTS.load(Ordering::Relaxed) > 0 && !job.cancelled() {
            job.cancel();
        }
        if let Some(progress) = job.progress() {
            bar.set_length(progress.total as u64);
            bar.set_position(progress.done as u64);
            let left = progress.left.map(|left| format!(", {} left", duration_text(left)));
            bar.set_message(format!("{}{}", progress.stage, left.unwrap_or_default()));
        }
    };
    bar.finish_and_clear();
    match outcome {
        Outcome::Done(value) => Ok(value),
        Outcome::Cancelled => Err(Stop::Cancelled),
        Outcome::Failed(why) => Err(Stop::Failed(why)),
    }
}

/// Likewise for work without news.
pub fn run<T: Send + 'static>(
    work: impl FnOnce(&Reporter) -> Result<T, Stop> + Send + 'static,
) -> Result<T, Stop> {
    watch(move |reporter, _: &mpsc::Sender<()>| work(reporter), |()| Ok(()))
}

/// Threads for everything that computes. 0 means all cores.
pub fn use_threads(threads: usize) -> Result<(), Stop> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|error| Stop::Failed(format!("could not start {threads} threads: {error}")))
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:24.cyan/blue} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}

/// The first Ctrl-C cancels the work, which may keep what it has; the second ends the program.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let set = ctrlc::set_handler(|| {
            if INTERRUPTS.fetch_add(1, Ordering::Relaxed) > 0 {
                std::process::exit(130);
            }
        });
        if let Err(error) = set {
            tracing::warn!("Ctrl-C will end the program at once: {error}");
        }
    });
}
