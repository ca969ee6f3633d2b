//! `lookalike index`: adds folders to a library.

use super::archives::ArchiveArgs;
use super::events::{self, Printed};
use super::labels::LabelArgs;
use super::output;
use crate::escape;
use crate::job::Stop;
use crate::library::Library;
use crate::model::Model;
use crate::workflow::{index, usual_model};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `index`.
#[derive(Debug, Args)]
pub struct IndexArgs {
    /// FOLDER/<label>/<files…>
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// The model that embeds the files [default: that of the library, or the base model]
    #[arg(long, value_name = "M.safetensors")]
    model: Option<PathBuf>,
    /// The library; created if it does not exist
    #[arg(long, value_name = "L.lookalike")]
    library: PathBuf,
    /// Where the labels come from.
    #[command(flatten)]
    labels: LabelArgs,
    /// How archives are read.
    #[command(flatten)]
    archives: ArchiveArgs,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// Adds the files to the library.
pub fn run(args: IndexArgs) -> Result<(), Stop> {
    let (folders, model, library) = (args.folders, args.model, args.library.clone());
    let labelling = args.labels.labelling();
    let reader = args.archives.reader();
    let mut printed = Printed::default();
    let added = events::run(args.json, &mut printed, move |run| {
        // A model that cannot be read creates no library.
        let given = model.map(|path| Model::load(&path)).transpose()?;
        let mut library = Library::open_or_create(&library)?;
        let model = given.map_or_else(|| usual_model(&library), Ok)?;
        index(&folders, labelling, &model, &mut library, &reader, run)
    });
    let added = match added {
        Err(Stop::Cancelled) if printed.added > 0 => {
            return Err(Stop::failed(format!(
                "cancelled; {} of the folder are in the library and stay there",
                output::count(printed.added, "sample")
            )));
        }
        added => added?,
    };
    if args.json {
        return output::json(&json!({
            "event": "done", "library": args.library.to_string_lossy(), "new": added.new, "known": added.known,
            "relabelled": added.relabelled, "skipped": printed.skipped, "duplicates": printed.duplicates,
        }));
    }
    output::line(&format!(
        "{} added to {}, {} already there",
        output::count(added.new, "sample"),
        escape::path(&args.library),
        added.known
    ))
}
