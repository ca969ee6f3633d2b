//! Training on a labelled folder: the model is saved, put into a library, or both.

use super::index::{ChangedLibrary, Indexed, add_read};
use super::names::count;
use super::read_contents::read_contents;
use super::run::{Event, Run, Warning};
use crate::job::Stop;
use crate::library::{Adopt, Library, Location};
use crate::model::{Model, ModelConfig};
use crate::picture::PictureSet;
use crate::sample::{Sha256, Skipped};
use crate::training::{Start, TrainConfig, train_resumable};
use std::path::{Path, PathBuf};

/// Where the result of a training goes.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// The model file.
    pub model: Option<PathBuf>,
    /// The library that the trained samples are added to, with the model.
    pub library: Option<PathBuf>,
    /// When the library uses the trained model from then on.
    pub adopt: Adopt,
}

impl Outputs {
    /// The checkpoint: beside the library or the model that the training is for. A training that is killed
    /// continues from it when it is started again.
    fn checkpoint(&self) -> Option<PathBuf> {
        let checkpoint = checkpoint_of(self.model.as_ref().or(self.library.as_ref())?);
        if let Some(folder) = checkpoint.parent().filter(|folder| folder.starts_with(data_folder())) {
            // What keeps it from being written is said at the end of the training.
            drop(std::fs::create_dir_all(folder));
        }
        Some(checkpoint)
    }
}

/// The checkpoint of a training for the library or the model at `path`: a file beside it, which is there while the training runs or
/// after it was interrupted. For a team's library it is in the user's data folder.
pub fn checkpoint_of(path: &Path) -> PathBuf {
    let mut name = match Location::parse(path) {
        Ok(Location::Server(url)) => {
            data_folder().join(Sha256::of(url.as_str().as_bytes()).short()).into_os_string()
        }
        _ => path.as_os_str().to_owned(),
    };
    name.push(".checkpoint");
    PathBuf::from(name)
}

/// Where this program keeps what belongs to no file; the folder for temporary files if the user has no home.
fn data_folder() -> PathBuf {
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || std::env::home_dir().map(|home| home.join(".local/share"));
    let data = folder("LOCALAPPDATA").or_else(|| folder("XDG_DATA_HOME")).or_else(home);
    data.unwrap_or_else(std::env::temp_dir).join("lookalike")
}

/// A trained model, and what was done with it.
pub struct TrainedFolder {
    /// The model.
    pub model: Model,
    /// The library, if the samples were added to one.
    pub changed: Option<ChangedLibrary>,
    /// The batch from which an interrupted training continued, if it did.
    pub resumed_at: Option<usize>,
    /// Why the checkpoint could not be written, if it could not.
    pub checkpoint_warning: Option<String>,
}

/// Trains on the labelled samples of `set`, from the network of `base` if it is given and made for such pictures; `set` was read
/// with the views of `base`. Samples without a label are reported as skipped, each measured point as [`Event::Epoch`]. A cancelled
/// training keeps its best model so far, if there is one. The library keeps the model in any case; whether it uses it is in the
/// result. If not, its current model embeds the samples too, where it can, so that they are shown.
pub fn train_folder(
    set: &PictureSet,
    config: &TrainConfig,
    base: Option<&Model>,
    outputs: &Outputs,
    run: &Run<'_>,
) -> Result<TrainedFolder, Stop> {
    // Before hours of training: whether there is a place for its result.
    let library = outputs.library.as_deref().map(Library::open_or_create).transpose()?;
    if let Some(library) = &library {
        library.check_writable()?;
    }
    if let Some(folder) = outputs.model.as_deref().and_then(Path::parent) {
        check_folder(folder)?;
    }
    let unlabelled = set.samples.iter().filter(|sample| sample.label.is_none()).map(|sample| {
        let reason =
            "has no label: it is not in one of the folders that name the labels. It was not trained on";
        Skipped::new(sample.path.clone(), reason)
    });
    run.skipped(unlabelled.collect());
    let checkpoint = outputs.checkpoint();
    let fits = |base: &&Model| {
        let (wanted, found) = (base.config.picture, set.spec);
        found.same_pictures(wanted) && base.config.head == config.head && most_can_be_seen(set)
    };
    let start = base.filter(fits).map_or(Start::Random, Start::Base);
    let mut trained = train_resumable(set, config, start, checkpoint.as_deref(), run.reporter(), |epoch| {
        run.event(Event::Epoch(*epoch));
    })?;
    let steps = trained.model.config.training.steps;
    if let Some(done) = trained.resumed_at {
        run.warn(Warning::Resumed { done, of: steps });
    }
    // A cancelled training has a model: what follows takes seconds and makes it of use.
    let run = &if run.cancelled() { run.uncancelled() } else { run.clone() };
    if let Some(path) = &outputs.model {
        trained.model.save(path)?;
    }
    let changed = match library {
        Some(mut library) => {
            let views = base.and_then(|base| base.views.as_ref()).map(|views| views.hash());
            let Indexed { added, adopted, edit } =
                add_read(set, views, &trained.model, &mut library, outputs.adopt, run)?;
            let contents = read_contents(&mut library)?;
            Some(ChangedLibrary { library, contents, added, adopted, edit })
        }
        None => {
            run.warn_about(&trained.model);
            None
        }
    };
    let checkpoint_warning = trained.remove_checkpoint();
    if let Some(why) = &checkpoint_warning {
        run.warn(Warning::Checkpoint(why.clone()));
    }
    Ok(TrainedFolder { model: trained.model, changed, resumed_at: trained.resumed_at, checkpoint_warning })
}

/// A summary of a training, in one or two sentences.
pub fn training_summary(config: &ModelConfig) -> String {
    let training = &config.training;
    let result = &training.result;
    format!(
        "{} {} of {}. In eval mode {:.1} % of {} are classified correctly (train mode {:.1} %); recall@1 on {} held out: {}.",
        if training.cancelled { "Cancelled; kept the best model so far, trained on" } else { "Trained on" },
        count(training.files, "file"),
        count(config.labels.len(), "label"),
        result.eval_mode_accuracy * 100.0,
        training.compared_text(),
        result.train_mode_accuracy * 100.0,
        count(training.held_out, "file"),
        result.recall_at_1.map_or_else(|| "not measured".into(), |r| format!("{:.1} %", r * 100.0)),
    )
}

/// Whether the views have something to go by in most files. Of others, such as files that are encrypted or packed by what is not
/// unpacked, only a network that is shown all planes can learn to tell them apart.
fn most_can_be_seen(set: &PictureSet) -> bool {
    let seen = set.pictures.iter().filter(|picture| {
        picture
            .views()
            .is_some_and(|views| views.text.is_some() || views.header.is_some() || views.code.is_some())
    });
    2 * seen.count() > set.pictures.len()
}

fn check_folder(folder: &Path) -> Result<(), Stop> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    Err(Stop::failed(format!(
        "expected a folder for the model at {}, found none. Create it, or choose another place",
        crate::escape::path(folder)
    )))
}
