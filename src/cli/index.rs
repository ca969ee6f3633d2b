//! `lookalike index`: folders into a library.

use super::passwords::PasswordArgs;
use super::{output, watch};
use crate::escape;
use crate::job::Stop;
use crate::library::Library;
use crate::model::Model;
use crate::sample::Sha256;
use crate::workflow::index;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `index`.
#[derive(Debug, Args)]
pub struct IndexArgs {
    /// FOLDER/<label>/<files…>
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// The model that embeds the files
    #[arg(long, value_name = "M.safetensors")]
    model: PathBuf,
    /// The library; made if it does not exist
    #[arg(long, value_name = "L.lookalike")]
    library: PathBuf,
    /// Of encrypted archives.
    #[command(flatten)]
    passwords: PasswordArgs,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Adds the files to the library.
pub fn run(args: IndexArgs) -> Result<(), Stop> {
    let (folders, model, library) = (args.folders, args.model, args.library.clone());
    let reader = args.passwords.reader();
    let as_json = args.json;
    let mut there = 0;
    let done = watch::watch(
        move |reporter, news| {
            let model = Model::load(&model)?;
            output::warn_of(&model.config);
            let mut library = Library::open_or_create(&library)?;
            index(&folders, &model, &mut library, &reader, reporter, |samples| {
                // The receiver lives as long as this job.
                let _ = news.send(samples.iter().map(|sample| sample.sha256).collect::<Vec<_>>());
            })
        },
        |added: Vec<Sha256>| {
            there += added.len();
            if !as_json {
                return Ok(());
            }
            let added: Vec<String> = added.iter().map(Sha256::to_string).collect();
            output::json(&json!({ "event": "added", "sha256": added }))
        },
    );
    let done = match done {
        Err(Stop::Cancelled) if there > 0 => {
            return Err(Stop::Failed(format!(
                "cancelled; {} of the folder are in the library and stay there",
                output::count(there, "sample")
            )));
        }
        done => done?,
    };
    output::skipped(&done.skipped, args.json)?;
    let added = done.added;
    if args.json {
        return output::json(&json!({
            "event": "done", "library": escape::path(&args.library), "new": added.new, "known": added.known,
            "relabelled": added.relabelled, "skipped": done.skipped.len(),
        }));
    }
    output::line(&format!(
        "{} added to {}, {} already there",
        output::count(added.new, "sample"),
        escape::path(&args.library),
        added.known
    ))?;
    if added.relabelled > 0 {
        output::line(&format!(
            "{} came with another label than the library has; the library's was kept",
            added.relabelled
        ))?;
    }
    Ok(())
}
