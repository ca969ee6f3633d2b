//! What a file and a sample share that few samples of the library have: imports, exports and strings, as a reason why they are
//! alike that people can check.

use super::run::Run;
use crate::job::Stop;
use crate::library::{Counted, Library, LibraryError};
use crate::sample::{KeptFacts, Sha256, TraitKind};

/// Traits that are listed of one pair.
const LISTED: usize = 8;
/// A trait is rare if at most a tenth of the samples have it…
const RARE: usize = 10;
/// … or at most this many: in a small library, those of one family are more than a tenth.
const FEW: usize = 5;
/// Letters and digits of a long word.
const WORD: usize = 8;

/// A trait that a file and a sample share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedTrait {
    /// What it is.
    pub kind: TraitKind,
    /// The name of the function, or the string, which may be cut; `None` if only its hash is known. Show it escaped.
    pub name: Option<String>,
    /// Its hash, of 40 bits.
    pub hash: u64,
    /// In how many samples it is.
    pub counted: Counted,
}

impl SharedTrait {
    /// The hash as hexadecimal digits.
    pub fn hash_text(&self) -> String {
        format!("{:010x}", self.hash)
    }
}

/// The facts of a queried file: its own, or those that the library keeps of a sample of the same content.
pub fn facts_of(
    library: &Library,
    own: Option<&KeptFacts>,
    sha256: Sha256,
) -> Result<Option<KeptFacts>, LibraryError> {
    own.map_or_else(|| library.facts(sha256), |own| Ok(Some(own.clone())))
}

/// The rare traits that each file shares with the sample beside it, those that say something to people first, then those in the
/// fewest samples, eight at most; nothing
/// where the library keeps no facts of the sample. The facts of all samples are read once, whatever the number of files.
pub fn shared_rare(
    library: &Library,
    files: &[(&KeptFacts, Sha256)],
    run: &Run<'_>,
) -> Result<Vec<Vec<SharedTrait>>, Stop> {
    let mut shared: Vec<[Vec<u64>; 3]> = Vec::with_capacity(files.len());
    let mut asked = <[Vec<u64>; 3]>::default();
    for (facts, sample) in files {
        let theirs = library.facts(*sample)?.unwrap_or_default();
        let mut both = <[Vec<u64>; 3]>::default();
        for (((both, own), theirs), asked) in
            both.iter_mut().zip(&facts.traits).zip(&theirs.traits).zip(&mut asked)
        {
            *both = own.iter().filter(|hash| theirs.contains(*hash)).collect();
            asked.extend_from_slice(both);
        }
        shared.push(both);
    }
    for hashes in &mut asked {
        hashes.sort_unstable();
        hashes.dedup();
    }
    let counts = library.count_traits(&asked, &|| run.check().is_ok())?;
    run.check()?;
    let counted = |kind: TraitKind, hash: u64| {
        let at = asked.get(kind as usize)?.binary_search(&hash).ok()?;
        counts.get(kind as usize)?.get(at).copied()
    };
    let listed = files.iter().zip(&shared).map(|((facts, _), both)| {
        let of_kind = |(kind, hashes): (TraitKind, &Vec<u64>)| -> Vec<SharedTrait> {
            let rare = hashes.iter().filter_map(|hash| {
                let counted = counted(kind, *hash).filter(is_rare)?;
                let name = facts.name(*hash).map(str::to_owned);
                Some(SharedTrait { kind, name, hash: *hash, counted })
            });
            rare.collect()
        };
        let mut rare: Vec<SharedTrait> = TraitKind::ALL.into_iter().zip(both).flat_map(of_kind).collect();
        rare.sort_by_key(|shared| (!is_readable(shared), shared.counted.samples, shared.kind, shared.hash));
        rare.truncate(LISTED);
        rare
    });
    Ok(listed.collect())
}

/// Whether a trait says something to people: the name of a function, or a string with a long word. Code has short ones by chance.
fn is_readable(shared: &SharedTrait) -> bool {
    let word = |name: &str| {
        let of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        name.split(|c| !of_word(c)).any(|word| word.len() >= WORD)
    };
    shared.name.as_deref().is_some_and(|name| shared.kind != TraitKind::String || word(name))
}

/// Whether few samples have a trait. Of a single sample nothing is rare.
fn is_rare(counted: &Counted) -> bool {
    counted.samples <= (counted.of / RARE).max(FEW) && counted.samples < counted.of
}
