//! `lookalike index`: adds folders to a library.

use super::archives::ArchiveArgs;
use super::events::{self, Printed};
use super::labels::LabelArgs;
use super::library_models::print_if_not_in_use;
use super::output;
use crate::escape;
use crate::job::Stop;
use crate::library::{Adopt, Adopted};
use crate::model::Model;
use crate::workflow::{Indexed, Warning, index, kind_of, open_or_create_library, use_model, usual_model};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `index`.
#[derive(Debug, Args)]
pub struct IndexArgs {
    /// FOLDER/<label>/<files…>
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// The model that embeds the files [default: that of the library, or a base model]
    #[arg(long, value_name = "M.safetensors")]
    model: Option<PathBuf>,
    /// The library; created if it does not exist
    #[arg(long, value_name = "L.lookalike")]
    library: PathBuf,
    /// Use the model for the library, also if it has other samples: they are read again
    #[arg(long, requires = "model")]
    use_model: bool,
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
    let (mut printed, again) = (Printed::default(), args.use_model.then(|| reader.clone()));
    let added = events::run(args.json, &mut printed, move |run| {
        // A model that cannot be read creates no library.
        let given = model.map(|path| Model::load(&path)).transpose()?;
        let mut library = open_or_create_library(&library, run)?;
        let model =
            given.map_or_else(|| usual_model(&library, || kind_of(&folders, labelling, &reader)), Ok)?;
        let mut done = index(&folders, labelling, &model, &mut library, Adopt::IfComplete, &reader, run)?;
        if let Some(from) = library.as_copy().filter(|_| done.edit.is_some()) {
            run.warn(Warning::Kept(from.host.clone()));
        }
        let kept = library.as_copy().is_some();
        let mut used = None;
        if let Some(reader) = again.filter(|_| !done.adopted.in_use) {
            let again = use_model(library, model.hash, &reader, run)?;
            done.adopted = Adopted { in_use: true, lacking: again.left_out, hidden: again.left_out };
            used = Some(again.summary());
        }
        Ok((done, model.hash, used, kept))
    });
    let (Indexed { added, adopted, .. }, model, used, kept) = match added {
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
            "restored": added.restored, "kept": kept, "in_use": adopted.in_use, "lacking": adopted.lacking,
        }));
    }
    let restored = match added.restored {
        0 => String::new(),
        restored => format!(" ({restored} of them had been removed, and have their labels again)"),
    };
    output::line(&format!(
        "{} added to {}{restored}, {} already there",
        output::count(added.new, "sample"),
        escape::path(&args.library),
        added.known
    ))?;
    if let Some(used) = used {
        output::line(&used)?;
    }
    print_if_not_in_use(adopted, model, &args.library)
}
