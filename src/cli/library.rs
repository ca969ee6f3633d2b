//! `lookalike library`: checks it, backs it up, reads its samples again, changes labels, undoes changes.

use super::events::{self, Printed};
use super::output;
use crate::escape;
use crate::job::Stop;
use crate::library::{LabelChange, Library};
use crate::reading::Reader;
use crate::sample::Sha256;
use crate::workflow::read_again;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `library`.
#[derive(Debug, Args)]
pub struct LibraryArgs {
    #[command(subcommand)]
    what: What,
    /// The library
    #[arg(long, value_name = "L.lookalike", global = true, required = false)]
    library: Option<PathBuf>,
    /// Print one JSON object per line
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check whether the file is intact; fail with its faults if not
    Check,
    /// Copy it; others may use it meanwhile
    Backup {
        /// The copy; must not exist yet
        #[arg(long, alias = "to", value_name = "COPY.lookalike")]
        out: PathBuf,
    },
    /// Give samples another label, or none
    Label {
        /// The samples, by their SHA-256
        #[arg(required = true, value_name = "SHA256")]
        samples: Vec<String>,
        /// The label; without it the samples have none
        #[arg(long)]
        label: Option<String>,
    },
    /// Read the samples again with the base model, which becomes the library's; labels stay
    ReadAgain,
    /// Undo the latest change of labels
    Undo,
    /// List who gave which label, when, and from what source
    History {
        /// Only of this sample
        #[arg(value_name = "SHA256")]
        sample: Option<String>,
    },
}

/// Runs the subcommand.
pub fn run(args: LibraryArgs) -> Result<(), Stop> {
    let Some(path) = args.library else {
        return Err(Stop::failed("expected --library L.lookalike, found none. Name a library"));
    };
    let name = escape::path(&path);
    match args.what {
        What::Check => {
            let (faults, damage, samples) = events::run(args.json, &mut Printed::default(), move |_| {
                let library = Library::open(&path)?;
                let faults = library.check();
                let contents = library.contents()?;
                Ok((faults, contents.damage().map(str::to_owned), contents.len()))
            })?;
            let mut faults = match faults {
                Ok(faults) => faults,
                Err(error) => vec![error.to_string()],
            };
            faults.extend(damage);
            if args.json {
                output::json(&json!({ "event": "checked", "samples": samples, "faults": faults }))?;
            }
            match faults.first() {
                None if args.json => Ok(()),
                None => output::line(&format!("{name} is whole: {}", output::count(samples, "sample"))),
                Some(first) => Err(Stop::failed(format!(
                    "{name} is damaged: {first} ({} in all); {} can still be read. Return to a backup, or save what is left with `lookalike export` or `lookalike library backup`",
                    output::count(faults.len(), "fault"),
                    output::count(samples, "sample")
                ))),
            }
        }
        What::Backup { out } => {
            let shown = escape::path(&out);
            events::run(args.json, &mut Printed::default(), move |_| {
                Ok(Library::open(&path)?.back_up(&out)?)
            })?;
            if args.json {
                return output::json(&json!({ "event": "backed up", "path": shown }));
            }
            output::line(&format!("{name} is copied to {shown}"))
        }
        What::Label { samples, label } => {
            let samples = samples.iter().map(|text| digest(text)).collect::<Result<Vec<_>, _>>()?;
            let mut library = Library::open(&path)?;
            let changes = library.set_labels(&samples, label.as_deref(), "lookalike library label")?;
            let changed = changes.len();
            if args.json {
                return output::json(&json!({ "event": "labelled", "changed": changed }));
            }
            output::line(&format!("{} changed label", output::count(changed, "sample")))
        }
        What::ReadAgain => {
            let done = events::run(args.json, &mut Printed::default(), move |run| {
                read_again(Library::open(&path)?, &Reader::of_this_program(), run)
            })?;
            if args.json {
                return output::json(&json!({ "event": "read again", "read": done.read, "gone": done.gone }));
            }
            output::line(&done.summary())
        }
        What::Undo => {
            let undone = Library::open(&path)?.undo_labels()?;
            if undone.is_empty() && !args.json {
                return output::line("There is no change of a label to undo");
            }
            undone.iter().try_for_each(|change| print_change(change, args.json, "taken back: "))
        }
        What::History { sample } => {
            let of = sample.map(|text| digest(&text)).transpose()?;
            let history = Library::open(&path)?.label_history(of)?;
            history.iter().try_for_each(|change| print_change(change, args.json, ""))
        }
    }
}

fn digest(text: &str) -> Result<Sha256, Stop> {
    Sha256::from_hex(text).ok_or_else(|| {
        Stop::failed(format!("expected a SHA-256 of 64 hexadecimal digits, found {}", escape::text(text)))
    })
}

fn print_change(change: &LabelChange, as_json: bool, before: &str) -> Result<(), Stop> {
    let escaped = |label: &Option<String>| label.as_deref().map(escape::text);
    if as_json {
        return output::json(&json!({
            "event": "label", "sha256": change.sha256.to_string(), "before": escaped(&change.before),
            "after": escaped(&change.after), "at": change.at, "who": escape::text(&change.who),
            "source": escape::text(&change.source), "undone": change.undone,
        }));
    }
    let named = |label: &Option<String>| escape::label(label.as_deref());
    output::line(&format!(
        "{before}{}  {}  {} -> {}  {}, from {}{}",
        change.at,
        change.sha256.short(),
        named(&change.before),
        named(&change.after),
        escape::text(&change.who),
        escape::text(&change.source),
        if change.undone { " (taken back)" } else { "" }
    ))
}
