//! Makes the base model, which answers before anything was trained: weights of the views and a network from families of
//! public packages, and a calibration from other families. `assets/base/README.md` says where the files come from.

use super::run::Run;
use crate::job::Stop;
use crate::model::{Calibration, Cosines, Embeddings, Model, embed};
use crate::picture::{BytePlanes, PictureSpec, code_pairs, text_of};
use crate::reading::Reader;
use crate::sample::{Bytes, FileKind, Found, read_headers};
use crate::search::{LabelFit, Looks};
use crate::training::{Compared, TrainConfig, calibrate, cosines, train};
use crate::view::{FileViews, HEADER_BINS, HeaderView, IdfCounts, PairAxes, TEXT_BINS, Views, fill_bins};
use rayon::prelude::*;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One row of the corpus' manifest.
#[derive(Debug, Deserialize)]
struct Row {
    split: String,
    family: String,
    group: String,
    module: String,
    path: PathBuf,
}

impl Row {
    /// The module without its folder and what differs between systems: `pkg/_core.cp311-win_amd64.pyd` is `_core`.
    fn stem(&self) -> &str {
        let name = self.module.rsplit('/').next().unwrap_or_default();
        name.split('.').next().unwrap_or(name)
    }
}

/// Makes the base model from a corpus: a folder with `manifest.csv`, whose rows name split, family, group, module and path of
/// each file. Learns from the split `train` and calibrates on `validation`; the split `test` is not read. The network
/// is that of `network` if it is given, and is not trained then.
pub fn make_base_model(
    corpus: &Path,
    config: &TrainConfig,
    network: Option<Model>,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<Model, Stop> {
    let rows = manifest(corpus)?;
    let views = Arc::new(learn_views(corpus, &rows, run)?);
    let reader = reader.with_views(Some(Arc::clone(&views)));
    let model = match network {
        Some(model) => model,
        None => {
            let (_, set) = read(corpus, &rows, "train", &reader, run)?;
            let mut trained = train(&set, config, run.reporter(), |_| ())?;
            trained.remove_checkpoint();
            trained.model
        }
    };
    let (rows, set) = read(corpus, &rows, "validation", &reader, run)?;
    let pictures: Vec<_> = set.pictures.iter().collect();
    let embeddings =
        embed(&model.network, model.config.embedding, PictureSpec::CODE, &pictures, run.reporter())?;
    let files = compared(&rows, &set.pictures, &embeddings);
    let mut config = model.config;
    let seed = config.training.seed;
    config.calibration = Some(calibrate(&files, |i, j| Some(cosines(&files[i], &files[j])), seed));
    let all = |_, _, cosines| Some(cosines);
    config.calibration_with_labels = Some(calibrate_with_labels(&files, &embeddings, seed, all));
    // Its families are named in the model card: the labels of the user's samples are others.
    Ok(Model::with_views(config, model.network, None, Some(views))?)
}

/// Calibrates cosines that are whitened by labels: those of each half of the files by what the labels of the other half say. `kept`
/// says of each two files what of their cosines counts, if anything.
pub(super) fn calibrate_with_labels(
    files: &[Compared<'_>],
    embeddings: &Embeddings,
    seed: u64,
    kept: impl Fn(usize, usize, Cosines) -> Option<Cosines> + Sync,
) -> Calibration {
    let views = files.iter().map(|file| file.views.clone()).collect();
    let looks = Looks { embeddings: embeddings.clone(), views };
    let mut families: Vec<&str> = files.iter().map(|file| file.family).collect();
    families.sort_unstable();
    families.dedup();
    // Alternately, so that each half has files of every family and module.
    let fits = [0, 1].map(|half| {
        LabelFit::new(&looks, |row| {
            let family = files.get(row).filter(|_| row % 2 != half)?.family;
            families.binary_search(&family).ok()
        })
    });
    let along: Vec<_> = (0..files.len())
        .into_par_iter()
        .map(|row| Some(fits[row % 2].as_ref()?.along(files[row].views, files[row].code)))
        .collect();
    let whitened = |i: usize, j: usize| {
        let (a, b) = (along[i].as_ref().filter(|_| i % 2 == j % 2)?, along[j].as_ref()?);
        kept(i, j, a.cosines(b, &cosines(&files[i], &files[j])))
    };
    calibrate(files, whitened, seed)
}

fn compared<'a>(
    rows: &[&'a Row],
    pictures: &'a [crate::picture::Encoded],
    embeddings: &'a Embeddings,
) -> Vec<Compared<'a>> {
    let views = pictures.iter().map(|picture| picture.views());
    let files = rows.iter().zip(views).zip(embeddings.rows()).filter_map(|((row, views), code)| {
        let views: &FileViews = views?;
        Some(Compared { family: &row.family, group: &row.group, module: row.stem(), code, views })
    });
    files.collect()
}

fn manifest(corpus: &Path) -> Result<Vec<Row>, Stop> {
    let path = corpus.join("manifest.csv");
    let failed = |error: &dyn std::fmt::Display| {
        Stop::failed(format!(
            "expected a list of files, found {error} ({}). Fetch the corpus first: assets/base/fetch.py",
            crate::escape::path(&path)
        ))
    };
    let mut reader = csv::Reader::from_path(&path).map_err(|error| failed(&error))?;
    let mut rows = Vec::new();
    for row in reader.deserialize::<Row>() {
        rows.push(row.map_err(|error| failed(&error))?);
    }
    Ok(rows)
}

/// The files of a split that could be read, with their rows.
fn read<'a>(
    corpus: &Path,
    rows: &'a [Row],
    split: &str,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<(Vec<&'a Row>, crate::picture::PictureSet), Stop> {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.split == split).collect();
    let files: Vec<Found> = rows
        .iter()
        .map(|row| Found { path: corpus.join(&row.path), label: Some(row.family.clone()) })
        .collect();
    let read = reader.pictures(&files, PictureSpec::CODE, run.reporter());
    run.check()?;
    run.skipped(read.skipped);
    let by_path: BTreeMap<PathBuf, &Row> =
        rows.into_iter().map(|row| (corpus.join(&row.path), row)).collect();
    let kept: Vec<_> = read.set.samples.iter().map(|sample| by_path.get(&sample.path).copied()).collect();
    let mut set = read.set;
    let mut keep = kept.iter().map(Option::is_some);
    set.samples.retain(|_| keep.next().unwrap_or(false));
    let mut keep = kept.iter().map(Option::is_some);
    set.pictures.retain(|_| keep.next().unwrap_or(false));
    Ok((kept.into_iter().flatten().collect(), set))
}

/// Files of a family from which the axes of byte pairs are learned, evenly spread, so that no family decides them.
const AXES: usize = 8;

/// Counts text and names in the files of the split `train`, by family, and learns the axes of their byte pairs.
fn learn_views(corpus: &Path, rows: &[Row], run: &Run<'_>) -> Result<Views, Stop> {
    let mut families: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.split == "train") {
        families.entry(&row.family).or_default().push(row);
    }
    let stage = run.reporter().stage("Counting text and names", families.len());
    let counted: Result<Vec<_>, Stop> = families
        .par_iter()
        .map(|(_, rows)| {
            run.check()?;
            let (mut text, mut header, mut pairs) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
            let every = rows.len().div_ceil(AXES).max(1);
            for (i, row) in rows.iter().enumerate() {
                let path = corpus.join(&row.path);
                // These are files of public packages, pinned by their hashes, and not samples.
                let bytes = std::fs::read(&path).map_err(|error| {
                    Stop::failed(format!(
                        "expected a file of the corpus, found: {error} ({}). Fetch the corpus again",
                        crate::escape::path(&path)
                    ))
                })?;
                text.extend(text_of(&bytes).bins.into_iter().map(|(bin, _)| bin));
                if i % every == 0 {
                    pairs.extend(code_pairs(&BytePlanes::of(&bytes)));
                }
                let (kind, _) = FileKind::identify(&bytes);
                let content = read_headers(kind, Bytes::new(&bytes, bytes.len() as u64));
                header.extend(content.iter().flat_map(HeaderView::bins));
            }
            stage.advance(1);
            Ok((text, header, pairs))
        })
        .collect();
    let (mut text, mut header) = (IdfCounts::new(TEXT_BINS), IdfCounts::new(HEADER_BINS));
    let mut pairs = Vec::new();
    for (text_bins, header_bins, of_family) in counted? {
        pairs.extend(of_family);
        text.add_family(&text_bins);
        header.add_family(&header_bins);
    }
    text.ignore(fill_bins());
    Views::new(text.finish(), header.finish(), PairAxes::learn(&pairs))
        .ok_or_else(|| Stop::failed("the weights of the views do not fit"))
}
