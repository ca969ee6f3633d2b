//! Finding what samples are near to in the contents of a library. Of an outline, the library is searched as a large one is: only what is
//! near is read.

use super::near::{Near, PLACED_BY, WantedNear, near_in};
use super::run::Run;
use crate::job::Stop;
use crate::library::{Contents, Library, PartlyRead, Search};
use crate::sample::Sha256;
use crate::search::Looks;

/// Queries for which a library is searched together.
const TOGETHER: usize = 32;

/// What samples with these looks and hashes are near to, in the same order. Verdict and place follow from the nearest samples of all,
/// so there is none among some.
pub fn find_near(
    contents: &Contents,
    looks: &Looks,
    own: &[Sha256],
    wanted: &WantedNear,
    run: &Run<'_>,
) -> Result<Vec<Near>, Stop> {
    let stage = run.reporter().stage("Finding neighbours", looks.len());
    let near_all = |searched: &Contents, looks: &Looks, own: &[Sha256]| {
        near_in((searched, contents), looks, own, wanted, &stage, run)
    };
    let Some(place) = contents.looks_in() else { return near_all(contents, looks, own) };
    let library = Library::open(&place.to_path())?;
    let Some(large) = whole_of(&library, contents)? else {
        return near_all(&library.contents()?, looks, own);
    };
    let mut found = Vec::with_capacity(own.len());
    while let Some(rest) = own.get(found.len()..).filter(|rest| !rest.is_empty()) {
        run.check()?;
        let own = rest.get(..TOGETHER).unwrap_or(rest);
        let queries = looks.range(found.len()..found.len() + own.len());
        let search =
            Search { queries: &queries, k: wanted.k.max(PLACED_BY), among: &wanted.among, exact: false };
        let Some(mut excerpt) = large.excerpt(&search, own, run.reporter())? else {
            let queries = looks.range(found.len()..looks.len());
            found.extend(near_all(&library.contents()?, &queries, rest)?);
            break;
        };
        // What this window has changed may not be written yet.
        let current = excerpt.contents.take_labels(contents);
        let near = near_all(&excerpt.contents, &queries, own)?;
        found.extend(near.into_iter().map(|near| Near { approximate: excerpt.approximate, ..near }));
        if current {
            contents.keep_learned(excerpt.contents);
        }
    }
    Ok(found)
}

/// What samples of a library look like, in the same order.
///
/// # Errors
/// A sample that the library does not have.
pub fn looks_of(contents: &Contents, samples: &[Sha256]) -> Result<Looks, Stop> {
    let mut looks = contents.no_looks();
    let Some(place) = contents.looks_in() else {
        for sample in samples {
            looks.push(&contents.look(*sample).ok_or_else(|| unknown(contents, &sample.to_string()))?);
        }
        return Ok(looks);
    };
    let library = Library::open(&place.to_path())?;
    let Some(large) = whole_of(&library, contents)? else {
        return looks_of(&library.contents()?, samples);
    };
    for sample in samples {
        let ids = large.ids(&[*sample])?.unwrap_or_default();
        let found = if ids.is_empty() { None } else { large.looks(&ids)? };
        let look = found.and_then(|found| found.get(0));
        looks.push(&look.ok_or_else(|| unknown(contents, &sample.to_string()))?);
    }
    Ok(looks)
}

/// The library that has the looks of an outline. `None` if it has become small.
pub(super) fn whole_of<'a>(
    library: &'a Library,
    outline: &Contents,
) -> Result<Option<Box<dyn PartlyRead + 'a>>, Stop> {
    let large = library.larger_than(0)?;
    match &large {
        Some(large) if Some(large.model().hash) != outline.model_hash() => Err(Stop::failed(format!(
            "expected the library {} as it was read, found it with another model by now. Open it again",
            library.location()
        ))),
        _ => Ok(large),
    }
}

/// The library does not have a sample with this SHA-256, or one that begins with these digits.
pub(super) fn unknown(contents: &Contents, digits: &str) -> Stop {
    let others = match contents.others() {
        0 => String::new(),
        n => format!("; it may be one of {n} that the library's model has not embedded"),
    };
    Stop::failed(format!(
        "expected the SHA-256 of a sample of the library, found {digits}, which none has{others}"
    ))
}
