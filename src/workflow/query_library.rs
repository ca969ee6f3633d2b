//! Querying a library file that is not in memory, as the command line does. A large one is not read whole for a few samples.

use super::find_near::find_near;
use super::known::{KnownSample, digest_of, find_sample, hashes_with, query_known};
use super::missing::warn_if_missing;
use super::near::{AskedAs, BATCH, Near, PLACED_BY, WantedNear};
use super::query::{Queried, look_at};
use super::run::Run;
use crate::job::Stop;
use crate::library::{Among, Contents, Excerpt, Library, LibraryError, Missing, PartlyRead, Search};
use crate::reading::Reader;
use crate::sample::Sha256;
use crate::search::Looks;
use std::path::PathBuf;

/// For more samples than this, a large library is read whole: each is compared with all of it.
const FEW: usize = 8;
/// Samples with the same first digits that are enough to say that there are several.
const SEVERAL: u32 = 2;

/// What is asked of a library.
#[derive(Clone, Debug)]
pub struct Question {
    /// Files, or folders of files.
    pub paths: Vec<PathBuf>,
    /// Samples that the library has, which [`find_sample`] finds.
    pub hashes: Vec<String>,
    /// The number of neighbours of each.
    pub k: usize,
    /// Which samples may be neighbours.
    pub among: Among,
    /// Whether no approximate index may be used.
    pub exact: bool,
}

/// What a library answered.
pub struct Answers {
    /// The library, or as much of it as the answers are about.
    pub contents: Contents,
    /// The files, in the order of their paths.
    pub queried: Vec<Queried>,
    /// The samples that the library has.
    pub known: Vec<KnownSample>,
    /// Whether nearer samples may have been missed.
    pub approximate: bool,
    /// What of the library could not be read, and so was not compared.
    pub missing: Option<Missing>,
}

impl Question {
    fn wanted(&self) -> WantedNear {
        WantedNear { among: self.among.clone(), ..WantedNear::all(AskedAs::File, self.k) }
    }
}

/// Asks `library` for the nearest samples of files and of samples that it has. Skipped files are reported. In a large library only what
/// is near is read, and a queried file gets no place on the map. What of the library could not be read is a warning, also if there is no
/// answer.
pub fn query_library(
    library: &Library,
    question: &Question,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<Answers, Stop> {
    let answers = answer(library, question, reader, run);
    warn_if_missing(library, run);
    Ok(Answers { missing: library.missing(), ..answers? })
}

fn answer(library: &Library, question: &Question, reader: &Reader, run: &Run<'_>) -> Result<Answers, Stop> {
    if let Some(large) = library.large()?
        && check_labels(&question.among, |label| {
            Ok(large.with_labels(&[label.to_owned()])?.is_none_or(|ids| !ids.is_empty()))
        })?
        && let Some((hashes, looks)) = find_known(&*large, library, &question.hashes)?
    {
        return query_large(&*large, library, question, (&hashes, looks), reader, run);
    }
    let contents = library.contents()?;
    check_labels(&question.among, |label| Ok(contents.labels().position(Some(label)).is_some()))?;
    let find = |hex: &String| find_sample(library, &contents, hex);
    let hashes = question.hashes.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    let known = query_known(&contents, &hashes, question.k, &question.among, run)?;
    let wanted = question.wanted();
    let near = |looks: &Looks, own: &[Sha256], run: &Run<'_>| find_near(&contents, looks, own, &wanted, run);
    let queried = match (&question.paths[..], contents.model()) {
        ([], _) => Vec::new(),
        (_, None) => return Err(LibraryError::NoModel.into()),
        (paths, Some(model)) => look_at(paths, model, 0, reader, run, near)?,
    };
    Ok(Answers { contents, queried, known, approximate: false, missing: None })
}

/// Fails unless some sample has each label that neighbours should have; else returns `true`.
fn check_labels(among: &Among, has: impl Fn(&str) -> Result<bool, LibraryError>) -> Result<bool, Stop> {
    let Among::Labels(labels) = among else { return Ok(true) };
    for label in labels {
        if !has(label)? {
            return Err(Stop::failed(format!(
                "expected a label that a sample of the library has, found {}, which none has",
                crate::escape::label(Some(label))
            )));
        }
    }
    Ok(true)
}

/// The samples with these hashes, as [`find_sample`] finds them, and their looks. `None` if the library must be read whole to find
/// them.
fn find_known(
    large: &dyn PartlyRead,
    library: &Library,
    texts: &[String],
) -> Result<Option<(Vec<Sha256>, Looks)>, Stop> {
    let (mut hashes, mut looks) = (Vec::new(), Looks::new(large.model().config.embedding));
    for text in texts {
        let contents = match hashes_with(text) {
            Some(ends) => large.some(
                ends,
                SEVERAL,
                &library.samples_by_digest(&digest_of(text).unwrap_or_default())?,
            )?,
            None => Some(Contents::default()),
        };
        let Some(contents) = contents else { return Ok(None) };
        let sha256 = find_sample(library, &contents, text)?;
        hashes.push(sha256);
        looks.push(&contents.look(sha256).unwrap_or_default());
    }
    Ok(Some((hashes, looks)))
}

fn query_large(
    large: &dyn PartlyRead,
    library: &Library,
    question: &Question,
    (hashes, mut looks): (&[Sha256], Looks),
    reader: &Reader,
    run: &Run<'_>,
) -> Result<Answers, Stop> {
    let later = |_: &Looks, own: &[Sha256], _: &Run<'_>| Ok(vec![Near::default(); own.len()]);
    let mut queried = match &question.paths[..] {
        [] => Vec::new(),
        paths => look_at(paths, large.model(), 0, reader, run, later)?,
    };
    let mut excerpt = None;
    if hashes.len() + queried.len() <= FEW {
        queried.iter().for_each(|file| looks.push(&file.look));
        let own = queried.iter().map(|file| file.sample.sha256);
        let own: Vec<Sha256> = hashes.iter().copied().chain(own).collect();
        let (k, among, exact) = (question.k.max(PLACED_BY), &question.among, question.exact);
        excerpt = large.excerpt(&Search { queries: &looks, k, among, exact }, &own, run.reporter())?;
    }
    let Excerpt { contents, approximate } = match excerpt {
        Some(excerpt) => excerpt,
        None => Excerpt { contents: library.contents()?, approximate: false },
    };
    let known = query_known(&contents, hashes, question.k, &question.among, run)?;
    let wanted = question.wanted();
    for files in queried.chunks_mut(BATCH) {
        let mut looks = contents.no_looks();
        files.iter().for_each(|file| looks.push(&file.look));
        let own: Vec<Sha256> = files.iter().map(|file| file.sample.sha256).collect();
        let near = find_near(&contents, &looks, &own, &wanted, run)?;
        files.iter_mut().zip(near).for_each(|(file, near)| file.near = near);
    }
    Ok(Answers { contents, queried, known, approximate, missing: None })
}
