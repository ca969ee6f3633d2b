//! `lookalike library`: check it, back it up, change labels, take changes back.

use super::{output, watch};
use crate::escape;
use crate::job::Stop;
use crate::library::{LabelChange, Library};
use crate::sample::Sha256;
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
    /// One JSON object a line
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Is the file whole? Fails, and says what is wrong, if not
    Check,
    /// Copy it, while it is open elsewhere too
    Backup {
        /// The copy; must not be there yet
        #[arg(long, value_name = "COPY.lookalike")]
        to: PathBuf,
    },
    /// Give samples another label, or none
    Label {
        /// The samples, by their SHA-256
        #[arg(required = true, value_name = "SHA256")]
        samples: Vec<String>,
        /// The label; without it they have none
        #[arg(long)]
        label: Option<String>,
    },
    /// Take the latest change of labels back
    Undo,
    /// Who gave which label, when, and from what
    History {
        /// Of this sample alone
        #[arg(value_name = "SHA256")]
        sample: Option<String>,
    },
}

/// Does what was asked.
pub fn run(args: LibraryArgs) -> Result<(), Stop> {
    let Some(path) = args.library else {
        return Err(Stop::Failed("expected --library L.lookalike, found no library named. Name one".into()));
    };
    let name = escape::path(&path);
    match args.what {
        What::Check => {
            let (faults, damage, samples) = watch::run(move |_| {
                let library = Library::open(&path)?;
                let faults = library.check();
                let contents = library.contents()?;
                Ok((faults, contents.damage, contents.entries.len()))
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
                Some(first) => Err(Stop::Failed(format!(
                    "{name} is damaged: {first} ({} in all); {} can still be read. Go back to a backup, or save what is left with `lookalike export` or `lookalike library backup`",
                    output::count(faults.len(), "fault"),
                    output::count(samples, "sample")
                ))),
            }
        }
        What::Backup { to } => {
            let shown = escape::path(&to);
            watch::run(move |_| Ok(Library::open(&path)?.back_up(&to)?))?;
            if args.json {
                return output::json(&json!({ "event": "backed up", "path": shown }));
            }
            output::line(&format!("{name} is copied to {shown}"))
        }
        What::Label { samples, label } => {
            let samples = samples.iter().map(|text| digest(text)).collect::<Result<Vec<_>, _>>()?;
            let mut library = Library::open(&path)?;
            let changed = library.set_labels(&samples, label.as_deref(), "lookalike library label")?;
            if args.json {
                return output::json(&json!({ "event": "labelled", "changed": changed }));
            }
            output::line(&format!("{} have another label now", output::count(changed, "sample")))
        }
        What::Undo => {
            let undone = Library::open(&path)?.undo_labels()?;
            if undone.is_empty() && !args.json {
                return output::line("No change of a label is left to take back");
            }
            undone.iter().try_for_each(|change| tell(change, args.json, "taken back: "))
        }
        What::History { sample } => {
            let of = sample.map(|text| digest(&text)).transpose()?;
            let history = Library::open(&path)?.label_history(of)?;
            history.iter().try_for_each(|change| tell(change, args.json, ""))
        }
    }
}

fn digest(text: &str) -> Result<Sha256, Stop> {
    Sha256::from_hex(text).ok_or_else(|| {
        Stop::Failed(format!("expected a SHA-256 of 64 hexadecimal digits, found {}", escape::text(text)))
    })
}

fn tell(change: &LabelChange, as_json: bool, before: &str) -> Result<(), Stop> {
    let escaped = |label: &Option<String>| label.as_deref().map(escape::text);
    if as_json {
        return output::json(&json!({
            "event": "label", "sha256": change.sha256.to_string(), "before": escaped(&change.before),
            "after": escaped(&change.after), "at": change.at, "who": escape::text(&change.who),
            "source": escape::text(&change.source), "undone": change.undone,
        }));
    }
    let named = |label: &Option<String>| escaped(label).unwrap_or_else(|| "(no label)".into());
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
