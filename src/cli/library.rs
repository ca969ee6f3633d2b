//! `lookalike library`: checks it, backs it up, reads its samples again, changes labels, removes samples, undoes edits, and
//! lists and switches models.

use super::archives::ArchiveArgs;
use super::events::{self, Printed};
use super::{library_copy, library_models, open, output};
use crate::escape;
use crate::job::Stop;
use crate::library::{Edit, LabelChange, Library, LibraryError, Prepared};
use crate::reading::Reader;
use crate::sample::Sha256;
use crate::workflow::{
    Copied, copy_library, edit_text, open_library, prepare_library, prepared_text, read_again, reverted_text,
    shard_library, sharded_text,
};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

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
    /// Copy all samples of a library into another, with labels, facts, vectors and models: from a file to a team's database, or back.
    /// Started again, it goes on where it was interrupted
    Copy {
        /// The library that is copied: a file or postgresql://…
        from: PathBuf,
        /// The library that they are added to; it is created if it is not there
        to: PathBuf,
    },
    /// Keep a copy of a team's library on this machine, which answers while the server cannot be reached, or bring it up to what the
    /// server has. What is changed meanwhile waits in it and is sent later
    Keep {
        /// The library: postgresql://…
        url: PathBuf,
        /// Remove the copy
        #[arg(long)]
        forget: bool,
        /// Remove also what waits in it and the server lacks
        #[arg(long, requires = "forget")]
        unsent: bool,
    },
    /// Send what was changed while the server of a team's library could not be reached; the next command that reaches it does so too
    Send {
        /// The library: postgresql://…
        url: PathBuf,
        /// List what waits, and send nothing
        #[arg(long)]
        list: bool,
    },
    /// Make the index by which a query of many samples reads only what may be near. A file has it as samples are added, beside it, and
    /// answers exactly; in a team's database the role that owns the tables makes it, and answers are approximate. Others may use the
    /// library meanwhile
    Prepare,
    /// Spread a team's library over several servers: databases that keep what is large of its samples. What it has already is sent there;
    /// others can read it meanwhile, and wait to write. Started again, it goes on where it was interrupted
    Shard {
        /// A database for a shard, postgresql://HOST/DATABASE; named once for each
        #[arg(long, required = true, value_name = "URL")]
        to: Vec<PathBuf>,
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
    /// Remove samples; their files stay where they are, and undo brings the samples back with their labels
    Remove {
        /// The samples, by their SHA-256
        #[arg(required = true, value_name = "SHA256")]
        samples: Vec<String>,
    },
    /// Give all samples with one label another; samples that have it already then share it
    RenameLabel {
        /// The label
        from: String,
        /// Its new name
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        to: String,
    },
    /// Read the samples again with the base model, which becomes the library's; labels stay
    ReadAgain,
    /// List the models of the library: * marks the one in use
    Models,
    /// Use another of its models; samples that it has not embedded are read again first
    UseModel {
        /// The model, by its name or the first digits of its hash
        model: String,
        /// How archives are read.
        #[command(flatten)]
        archives: ArchiveArgs,
    },
    /// Give one of its models another name
    RenameModel {
        /// The model, by its name or the first digits of its hash
        model: String,
        /// Its new name
        name: String,
    },
    /// Undo an edit: by default the latest label, rename or removal, never an import
    Undo {
        /// The edit, by its number in `library edits`; below zero, one that waits in the copy of a team's library
        #[arg(allow_negative_numbers = true)]
        edit: Option<i64>,
    },
    /// Redo an edit: by default the one that was undone last
    Redo {
        /// The edit, by its number in `library edits`
        #[arg(allow_negative_numbers = true)]
        edit: Option<i64>,
    },
    /// List the edits, the latest first: labels, renames, removals, imports
    Edits {
        /// List at most this many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// List who gave which label, when, and from what source
    History {
        /// Only of this sample
        #[arg(value_name = "SHA256")]
        sample: Option<String>,
    },
}

/// Copies a library into another.
fn copy(from: PathBuf, to: PathBuf, as_json: bool) -> Result<(), Stop> {
    let shown = [&from, &to].map(|path| escape::path(path));
    let place = to.clone();
    let copied = events::run(as_json, &mut Printed::default(), move |run| {
        copy_library(&Library::open(&from)?, &mut Library::open_or_create(&to)?, run)
    })?;
    let Copied { added, there, verified, checksum, adopted } = copied;
    if as_json {
        return output::json(&json!({
            "event": "copied", "from": shown[0], "to": shown[1], "new": added.new, "there": there,
            "kept_their_label": added.relabelled, "verified": verified, "checksum": checksum.to_string(),
            "in_use": adopted.map(|(_, adopted)| adopted.in_use), "hidden": adopted.map(|(_, adopted)| adopted.hidden),
        }));
    }
    let kept = match added.relabelled {
        0 => String::new(),
        n => format!("; {} kept the label it had there", output::count(n, "sample")),
    };
    output::line(&format!(
        "{} copied from {} to {}, {there} there already{kept}. All {verified} were read back and are the same ({})",
        output::count(added.new, "sample"),
        shown[0],
        shown[1],
        checksum.short()
    ))?;
    match adopted {
        Some((model, adopted)) => library_models::print_if_not_in_use(adopted, model, &place),
        None => Ok(()),
    }
}

/// Makes the index of a library.
fn prepare(path: PathBuf, as_json: bool) -> Result<(), Stop> {
    let done = events::run(as_json, &mut Printed::default(), move |run| {
        prepare_library(&mut Library::open(&path)?, run)
    })?;
    if !as_json {
        return output::line(&prepared_text(done));
    }
    output::json(&match done {
        Prepared::Exact { samples } => json!({
            "event": "prepared", "index": samples > 0, "samples": samples, "exact": true,
        }),
        Prepared::Index { samples, vectors, made, used } => json!({
            "event": "prepared", "index": true, "exact": false, "samples": samples, "vectors": vectors, "made": made, "used": used,
        }),
    })
}

/// Gives a library shards.
fn shard(path: PathBuf, to: Vec<PathBuf>, as_json: bool) -> Result<(), Stop> {
    let shards = to.len();
    let sent = events::run(as_json, &mut Printed::default(), move |run| shard_library(&path, &to, run))?;
    if as_json {
        return output::json(&json!({ "event": "sharded", "shards": shards, "sent": sent }));
    }
    output::line(&sharded_text(shards, sent))
}

/// Runs the subcommand.
pub fn run(args: LibraryArgs) -> Result<(), Stop> {
    let what = match args.what {
        What::Copy { from, to } => return copy(from, to, args.json),
        What::Keep { url, forget: true, unsent } => return library_copy::forget(&url, unsent, args.json),
        What::Keep { url, .. } => return library_copy::keep(url, args.json),
        What::Send { url, list: true } => return library_copy::list(&url, args.json),
        What::Send { url, list: false } => return library_copy::send(url, args.json),
        what => what,
    };
    let Some(path) = args.library else {
        return Err(Stop::failed("expected --library L.lookalike, found none. Name a library"));
    };
    let name = escape::path(&path);
    match what {
        What::Check => {
            let (faults, damage, samples) = events::run(args.json, &mut Printed::default(), move |run| {
                let library = open_library(&path, run)?;
                let faults = match library.check() {
                    Err(unchecked @ LibraryError::Shard { .. }) => return Err(unchecked.into()),
                    checked => checked,
                };
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
        What::Copy { from, to } => copy(from, to, args.json),
        What::Keep { url, .. } => library_copy::keep(url, args.json),
        What::Send { url, .. } => library_copy::send(url, args.json),
        What::Prepare => prepare(path, args.json),
        What::Shard { to } => shard(path, to, args.json),
        What::Label { samples, label } => {
            let samples = samples.iter().map(|text| digest(text)).collect::<Result<Vec<_>, _>>()?;
            let mut library = open::open(&path)?;
            let done = library.set_labels(&samples, label.as_deref(), "lookalike library label")?;
            let changed = done.changes.len();
            let kept = done.edit.is_some() && open::is_kept(&library);
            if args.json {
                return output::json(
                    &json!({ "event": "labelled", "changed": changed, "edit": done.edit, "kept": kept }),
                );
            }
            output::line(&format!("{} changed label", output::count(changed, "sample")))
        }
        What::Remove { samples } => remove(&path, &samples, args.json),
        What::RenameLabel { from, to } => rename_label(&path, &from, &to, args.json),
        What::ReadAgain => {
            let done = events::run(args.json, &mut Printed::default(), move |run| {
                read_again(Library::open(&path)?, &Reader::of_this_program(), run)
            })?;
            if args.json {
                return output::json(&json!({ "event": "read again", "read": done.read, "gone": done.gone }));
            }
            output::line(&done.summary())
        }
        What::Models => library_models::list(&path, args.json),
        What::UseModel { model, archives } => {
            library_models::switch(path, model, archives.reader(), args.json)
        }
        What::RenameModel { model, name } => library_models::rename(&path, &model, &name, args.json),
        What::Undo { edit } => revert(&path, edit, true, args.json),
        What::Redo { edit } => revert(&path, edit, false, args.json),
        What::Edits { limit } => {
            let edits = open::open(&path)?.edits(limit)?;
            edits.iter().try_for_each(|edit| print_edit(edit, args.json))
        }
        What::History { sample } => {
            let of = sample.map(|text| digest(&text)).transpose()?;
            let history = open::open(&path)?.label_history(of)?;
            history.iter().try_for_each(|change| print_change(change, args.json))
        }
    }
}

fn digest(text: &str) -> Result<Sha256, Stop> {
    Sha256::from_hex(text).ok_or_else(|| {
        Stop::failed(format!("expected a SHA-256 of 64 hexadecimal digits, found {}", escape::text(text)))
    })
}

fn remove(path: &Path, samples: &[String], as_json: bool) -> Result<(), Stop> {
    let samples = samples.iter().map(|text| digest(text)).collect::<Result<Vec<_>, _>>()?;
    let mut library = open::open(path)?;
    let edit = library.remove(&samples, "lookalike library remove")?;
    let removed = edit.map(|id| library.edit(id)).transpose()?.map_or(0, |edit| edit.removed);
    let kept = edit.is_some() && open::is_kept(&library);
    if as_json {
        return output::json(&json!({ "event": "removed", "removed": removed, "edit": edit, "kept": kept }));
    }
    match edit {
        Some(edit) => output::line(&format!(
            "{} removed from {} (lookalike library undo {edit} brings them back)",
            output::count(removed, "sample"),
            escape::path(path)
        )),
        None => output::line("No sample was removed: they were removed before"),
    }
}

fn rename_label(path: &Path, from: &str, to: &str, as_json: bool) -> Result<(), Stop> {
    let mut library = open::open(path)?;
    let done = library.rename_label(from, to, "lookalike library rename-label")?;
    let (shown_from, shown_to) = (escape::text(from), escape::text(to));
    let Some(edit) = done.edit else {
        let found = if from == to { "twice the same name" } else { "none" };
        return Err(Stop::failed(format!(
            "expected samples with the label {shown_from} to be renamed to {shown_to}, found {found}; nothing was changed"
        )));
    };
    let kept = open::is_kept(&library);
    if as_json {
        return output::json(&json!({
            "event": "renamed", "changed": done.samples, "merged_with": done.merged_with, "edit": edit, "kept": kept,
        }));
    }
    let samples = output::count(done.samples, "sample");
    output::line(&match done.merged_with {
        0 => format!("{samples} changed label from {shown_from} to {shown_to}"),
        others => format!(
            "{samples} changed label from {shown_from} to {shown_to}, which {} had already",
            output::count(others, "other")
        ),
    })
}

/// Undoes or redoes an edit.
fn revert(path: &Path, edit: Option<i64>, undo: bool, as_json: bool) -> Result<(), Stop> {
    let mut library = open::open_for(path, edit)?;
    let usual = if undo { library.latest_by_hand()? } else { library.latest_undone()? };
    let Some(id) = edit.or(usual) else {
        if as_json {
            return Ok(());
        }
        return output::line(if undo {
            "There is no edit to undo but imports, if any: lookalike library edits lists them, and lookalike library undo EDIT undoes one"
        } else {
            "There is no edit to redo"
        });
    };
    let done = if undo { library.undo_edit(id)? } else { library.redo_edit(id)? };
    if as_json {
        let event = if undo { "undone" } else { "redone" };
        return output::json(&json!({
            "event": event, "edit": id, "kind": done.edit.kind.name(), "what": edit_text(&done.edit),
            "labels": done.labels.len(), "removed": done.removed.len(), "restored": done.restored.len(),
            "left": done.left,
        }));
    }
    output::line(&reverted_text(&done, undo))
}

fn print_edit(edit: &Edit, as_json: bool) -> Result<(), Stop> {
    if as_json {
        let labels: Vec<_> = edit
            .labels
            .iter()
            .map(
                |(label, samples)| json!({ "label": label.as_deref().map(escape::text), "samples": samples }),
            )
            .collect();
        return output::json(&json!({
            "event": "edit", "edit": edit.id, "kind": edit.kind.name(), "at": edit.at, "who": escape::text(&edit.who),
            "source": escape::text(&edit.source), "what": edit_text(edit), "from": edit.from.as_deref().map(escape::text),
            "labels": labels, "removed": edit.removed, "added": edit.added, "undone": edit.undone,
        }));
    }
    output::line(&format!(
        "{:>4}  {}  {}, from {}: {}{}",
        edit.id,
        edit.at,
        escape::text(&edit.who),
        escape::text(&edit.source),
        edit_text(edit),
        if edit.undone { " (undone)" } else { "" }
    ))
}

fn print_change(change: &LabelChange, as_json: bool) -> Result<(), Stop> {
    let escaped = |label: &Option<String>| label.as_deref().map(escape::text);
    if as_json {
        return output::json(&json!({
            "event": "label", "sha256": change.sha256.to_string(), "before": escaped(&change.before),
            "after": escaped(&change.after), "at": change.at, "who": escape::text(&change.who),
            "source": escape::text(&change.source), "undone": change.undone, "edit": change.edit,
        }));
    }
    let named = |label: &Option<String>| escape::label(label.as_deref());
    output::line(&format!(
        "{}  {}  {} -> {}  {}, from {}{}",
        change.at,
        change.sha256.short(),
        named(&change.before),
        named(&change.after),
        escape::text(&change.who),
        escape::text(&change.source),
        if change.undone { " (undone)" } else { "" }
    ))
}
