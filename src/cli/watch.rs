//! Watching a job on the command line: a progress bar on a terminal, none in a pipe; Ctrl-C cancels.

use crate::job::{Job, Outcome, Stop};
use crate::workflow::{Event, Run};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once, mpsc};
use std::time::Duration;

/// How often the bar is redrawn.
const REDRAW: Duration = Duration::from_millis(100);

/// How often Ctrl-C was pressed.
static INTERRUPTS: AtomicUsize = AtomicUsize::new(0);

/// Runs `work` as a job. `on_event` gets each event it reports, on this thread, while no bar is in the way.
pub fn watch<T: Send + 'static>(
    work: impl FnOnce(&Run<'_>) -> Result<T, Stop> + Send + 'static,
    mut on_event: impl FnMut(Event) -> Result<(), Stop>,
) -> Result<T, Stop> {
    handle_interrupts();
    let (sender, events) = mpsc::channel();
    let job = Job::spawn(Arc::new(|| ()), move |reporter| {
        // The receiver outlives this job, unless its output cannot be written.
        work(&Run::new(reporter, &|event| drop(sender.send(event))))
    });
    let bar = bar();
    let outcome = loop {
        let outcome = job.wait(REDRAW);
        for event in events.try_iter() {
            bar.suspend(|| on_event(event))?;
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
            let left = progress.left.map(|left| format!(", {} left", HumanDuration(left)));
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

/// Sets the number of threads that compute; 0 for all cores.
pub fn use_threads(threads: usize) -> Result<(), Stop> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|error| Stop::failed(format!("could not start {threads} threads: {error}")))
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
fn handle_interrupts() {
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
