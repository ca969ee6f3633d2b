//! Querying a library file that is not in memory, as the command line does. A large one is not read whole for a few samples.

use super::known::{KnownSample, digest_of, find_sample, hashes_with, query_known};
use super::query::{AskedAs, BATCH, Near, PLACED_BY, Queried, find_near, look_at, query};
use super::run::Run;
use crate::job::Stop;
use crate::library::{Contents, Library, PartlyRead};
use crate::reading::Reader;
use crate::sample::Sha256;
use crate::search::Looks;
use std::path::PathBuf;

/// For more samples than this, a large library is read whole: each is compared with all of it.
const FEW: usize = 8;
/// Samples with the same first digits that are enough to say that there are several.
const SEVERAL: u32 = 2;

/// What a library answered.
pub struct Answers {
    /// The library, or as much of it as the answers are about.
    pub contents: Contents,
    /// The files, in the order of their paths.
    pub queried: Vec<Queried>,
    /// The samples that the library has.
    pub known: Vec<KnownSample>,
}

/// Queries `library` for the `k` nearest samples of all files below `paths`, which may be none, and of the samples with `hashes`,
/// which [`find_sample`] finds. Skipped files are reported. In a large library only what is near is read, and a queried file gets no place
/// on the map.
pub fn query_library(
    library: &Library,
    paths: &[PathBuf],
    hashes: &[String],
    k: usize,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<Answers, Stop> {
    if let Some(large) = library.large()?
        && let Some((hashes, looks)) = find_known(&*large, library, hashes)?
    {
        return query_large(&*large, library, paths, (&hashes, looks), k, reader, run);
    }
    let contents = library.contents()?;
    let find = |hex: &String| find_sample(library, &contents, hex);
    let hashes = hashes.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    let known = query_known(&contents, &hashes, k, run)?;
    let queried = match paths {
        [] => Vec::new(),
        paths => query(paths, &contents, k, 0, reader, run)?.queried,
    };
    Ok(Answers { contents, queried, known })
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
    paths: &[PathBuf],
    (hashes, mut looks): (&[Sha256], Looks),
    k: usize,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<Answers, Stop> {
    let later = |_: &Looks, own: &[Sha256], _: &Run<'_>| Ok(vec![Near::default(); own.len()]);
    let mut queried = match paths {
        [] => Vec::new(),
        paths => look_at(paths, large.model(), 0, reader, run, later)?,
    };
    let mut excerpt = None;
    if hashes.len() + queried.len() <= FEW {
        queried.iter().for_each(|file| looks.push(&file.look));
        let own = queried.iter().map(|file| file.sample.sha256);
        let own: Vec<Sha256> = hashes.iter().copied().chain(own).collect();
        excerpt = large.excerpt(&looks, &own, k.max(PLACED_BY), run.reporter())?;
    }
    let contents = match excerpt {
        Some(excerpt) => excerpt,
        None => library.contents()?,
    };
    let known = query_known(&contents, hashes, k, run)?;
    for files in queried.chunks_mut(BATCH) {
        let mut looks = contents.no_looks();
        files.iter().for_each(|file| looks.push(&file.look));
        let own: Vec<Sha256> = files.iter().map(|file| file.sample.sha256).collect();
        let near = find_near(&contents, &looks, &own, AskedAs::File, k, run)?;
        files.iter_mut().zip(near).for_each(|(file, near)| file.near = near);
    }
    Ok(Answers { contents, queried, known })
}
