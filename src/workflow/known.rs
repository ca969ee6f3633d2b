//! Samples that a library has, without their files: finding them by a text, and asking what they are near to.

use super::find_near::{find_near, looks_of, unknown};
use super::models::FEWEST_DIGITS;
use super::names::count;
use super::near::{AskedAs, Near, WantedNear};
use super::run::Run;
use super::tables::QueriedFile;
use crate::escape;
use crate::job::Stop;
use crate::library::{Among, Contents, Entry, Library, LibraryError};
use crate::sample::Sha256;
use crate::search::Look;
use rayon::prelude::*;
use std::path::Path;

/// A sample of a library, and what it is near to.
#[derive(Clone, Debug)]
pub struct KnownSample {
    /// Its SHA-256.
    pub sha256: Sha256,
    /// What it looks like to the library's model.
    pub look: Look,
    /// What it is near to.
    pub near: Near,
}

impl KnownSample {
    /// What tables say of it, and its record. `None` if the contents do not have it any more.
    pub fn in_tables<'a>(&self, contents: &'a Contents) -> Option<(QueriedFile, Entry<'a>)> {
        let entry = contents.get(self.sha256)?;
        Some((QueriedFile::new(entry.path, self.sha256, &self.look, &self.near), entry))
    }
}

/// Asks for the `k` nearest samples `among` some of samples that the library has, each other than itself. Fails if it does not have
/// one.
pub fn query_known(
    contents: &Contents,
    samples: &[Sha256],
    k: usize,
    among: &Among,
    run: &Run<'_>,
) -> Result<Vec<KnownSample>, Stop> {
    if contents.model().is_none() {
        return Err(LibraryError::NoModel.into());
    }
    let looks = looks_of(contents, samples)?;
    let wanted = WantedNear { among: among.clone(), ..WantedNear::all(AskedAs::Sample, k) };
    let near = find_near(contents, &looks, samples, &wanted, run)?;
    let known = samples.iter().zip(near).enumerate();
    Ok(known
        .map(|(i, (sha256, near))| KnownSample {
            sha256: *sha256,
            look: looks.get(i).unwrap_or_default(),
            near,
        })
        .collect())
}

/// The sample with this SHA-256, SHA-1 or MD5, or with a SHA-256 that begins with this text of six digits or more. Fails if there
/// is none or there are several. Samples that an earlier version added, and that were not read again, have only their SHA-256.
pub fn find_sample(library: &Library, contents: &Contents, text: &str) -> Result<Sha256, Stop> {
    let digits = digits_of(text)?;
    let name = match digits.len() {
        32 => "MD5",
        40 => "SHA-1",
        _ => return by_sha256(contents, &digits),
    };
    let mut found = library.samples_by_digest(&digest_of(&digits).unwrap_or_default())?;
    found.retain(|sha256| contents.contains(*sha256));
    match (found.as_slice(), by_sha256(contents, &digits)) {
        ([one], _) => Ok(*one),
        ([], Ok(one)) => Ok(one),
        ([], Err(_)) => {
            let without = match library.without_facts()? {
                0 => String::new(),
                n => format!(
                    "; of {} only the SHA-256 is known, until they are read again",
                    count(n, "sample of an earlier version")
                ),
            };
            Err(Stop::failed(format!(
                "expected the {name} of a sample of the library, found {digits}, which none has{without}"
            )))
        }
        ([_, _, ..], _) => Err(Stop::failed(format!(
            "expected an {name} that one sample has, found {digits}, which {} have. Give the SHA-256 of one of them",
            count(found.len(), "sample")
        ))),
    }
}

/// The digits of a hash, in lower case.
fn digits_of(text: &str) -> Result<String, Stop> {
    let digits = text.trim().to_ascii_lowercase();
    if (FEWEST_DIGITS..=64).contains(&digits.len()) && is_hex(&digits) {
        return Ok(digits);
    }
    Err(Stop::failed(format!(
        "expected a SHA-256, SHA-1 or MD5, or the first {FEWEST_DIGITS} or more hexadecimal digits of a SHA-256, found {}",
        escape::text(text)
    )))
}

/// The bytes of the whole MD5, SHA-1 or SHA-256 that a text is in hexadecimal digits.
pub fn digest_of(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim();
    let value = |digit: &u8| char::from(*digit).to_digit(16).map(|value| value as u8);
    let byte = |[high, low]: &[u8; 2]| Some(value(high)? << 4 | value(low)?);
    let pairs = digits.as_bytes().as_chunks::<2>().0;
    is_digest(digits).then(|| pairs.iter().map(byte).collect()).flatten()
}

fn by_sha256(contents: &Contents, digits: &str) -> Result<Sha256, Stop> {
    let mut found = contents.iter().filter(|entry| begins_with(entry.sha256, digits));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.sha256),
        (Some(_), Some(_)) => Err(Stop::failed(format!(
            "expected a SHA-256 that one sample has, found several samples whose SHA-256 begins with {digits}. Give more digits"
        ))),
        (None, _) => Err(unknown(contents, digits)),
    }
}

/// The first and the last SHA-256 that begin with a text; `None` if it is not made of up to 64 hexadecimal digits.
pub(super) fn hashes_with(text: &str) -> Option<(Sha256, Sha256)> {
    let digits = text.trim();
    if digits.len() > 64 || !is_hex(digits) {
        return None;
    }
    Some((Sha256::from_hex(&format!("{digits:0<64}"))?, Sha256::from_hex(&format!("{digits:f<64}"))?))
}

/// A text that is searched for, whatever its case: part of a name or a label, or the beginning of a SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    text: String,
    /// It has six to 64 hexadecimal digits.
    is_hash: bool,
}

impl Sought {
    /// Searches for `text` without the spaces around it.
    pub fn new(text: &str) -> Self {
        let text = text.trim().to_lowercase();
        let is_hash = (FEWEST_DIGITS..=64).contains(&text.len()) && is_hex(&text);
        Self { text, is_hash }
    }

    /// The text, in lower case. An empty one is in everything.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a SHA-256 begins with it.
    pub fn begins(&self, sha256: Sha256) -> bool {
        self.is_hash && begins_with(sha256, &self.text)
    }

    /// Whether a label contains it.
    pub fn is_in(&self, label: &str) -> bool {
        label.to_lowercase().contains(&self.text)
    }

    /// Whether the file name of a path contains it, as the name is shown.
    pub fn is_in_name(&self, path: &Path) -> bool {
        self.is_in(&escape::file_name(path))
    }
}

/// The samples whose names contain a text, or whose SHA-256 begins with it, in the order of the contents.
pub fn samples_with(contents: &Contents, sought: &Sought) -> Vec<Sha256> {
    let found = |row: usize| {
        let entry = contents.at(row)?;
        (sought.is_in_name(entry.path) || sought.begins(entry.sha256)).then_some(entry.sha256)
    };
    (0..contents.len()).into_par_iter().filter_map(found).collect()
}

/// Whether a text is a whole SHA-256, SHA-1 or MD5.
pub fn is_digest(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 64) && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_hexdigit())
}

/// Whether a hash begins with these lower-case hexadecimal digits.
fn begins_with(sha256: Sha256, digits: &str) -> bool {
    let digit = |i: usize| {
        let byte = sha256.0.get(i / 2)?;
        char::from_digit(u32::from(if i.is_multiple_of(2) { byte >> 4 } else { byte & 15 }), 16)
    };
    digits.chars().enumerate().all(|(i, wanted)| digit(i) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{Record, Rows};
    use crate::model::{Init, Model, ModelConfig, Network};
    use crate::picture::PictureSpec;
    use rand::SeedableRng as _;
    use std::sync::Arc;

    fn contents() -> Contents {
        let config = ModelConfig::new(PictureSpec::BYTES, vec!["a".to_owned()]);
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let network = Network::new(&config, Init::Default, &mut rng).unwrap();
        let mut rows = Rows::new(64);
        for (id, first, path, label) in [
            (1, [0xab, 0xcd, 0xef, 0x10], "/psutil/one.exe", Some("Gozi")),
            (2, [0xab, 0xcd, 0xef, 0x20], "/psutil/PSUTIL.dll", Some("psutil")),
            (3, [0x11, 0x22, 0x33, 0x44], "/x/abcdef.bin", None),
        ] {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&first);
            let mut embedding = vec![0.0; 64];
            embedding[id as usize] = 1.0;
            rows.looks.push(&Look { embedding, views: None });
            rows.labels.push(label.map(Into::into));
            rows.records.push(Record {
                id,
                sha256: Sha256(hash),
                path: path.into(),
                size: 1,
                kind: "PE".into(),
                architecture: None,
            });
        }
        Contents::new(Arc::new(Model::new(config, network, None).unwrap()), rows)
    }

    /// What of a sample was found: the first of these.
    #[derive(Debug, PartialEq, Eq)]
    enum Matched {
        Sha256,
        Label,
        Name,
    }

    #[test]
    fn a_search_finds_names_labels_and_the_beginning_of_a_hash() {
        let contents = contents();
        let found = |text: &str| -> Vec<_> {
            let sought = Sought::new(text);
            let matched = |entry: &Entry<'_>| {
                if sought.begins(entry.sha256) {
                    return Some(Matched::Sha256);
                }
                if entry.label.is_some_and(|label| sought.is_in(label)) {
                    return Some(Matched::Label);
                }
                sought.is_in_name(entry.path).then_some(Matched::Name)
            };
            let all = contents.iter().filter(|_| !sought.text().is_empty());
            all.filter_map(|entry| Some((entry.row, matched(&entry)?))).collect()
        };
        // The label comes before the name; a folder is no name.
        assert_eq!(found("PSutil"), [(1, Matched::Label)]);
        assert_eq!(found("gozi"), [(0, Matched::Label)]);
        assert_eq!(found(" .EXE "), [(0, Matched::Name)]);
        assert_eq!(found("ABCDEF"), [(0, Matched::Sha256), (1, Matched::Sha256), (2, Matched::Name)]);
        assert_eq!(found("abcdef2"), [(1, Matched::Sha256)]);
        // Fewer digits are no hash.
        assert_eq!(found("abcde"), [(2, Matched::Name)]);
        assert_eq!(found("  "), []);
        let whole = contents.at(2).unwrap().sha256.to_string();
        assert_eq!(found(&whole), [(2, Matched::Sha256)]);
    }

    #[test]
    fn one_sample_is_found_by_the_beginning_of_its_hash() {
        let contents = contents();
        let folder = tempfile::tempdir().unwrap();
        let library = Library::open_or_create(&folder.path().join("l.lookalike")).unwrap();
        let wrong = |text: &str| match find_sample(&library, &contents, text) {
            Err(Stop::Failed(error)) => error.to_string(),
            other => panic!("{other:?}"),
        };
        let second = contents.at(1).unwrap().sha256;
        assert_eq!(find_sample(&library, &contents, " ABCDEF20 ").unwrap(), second);
        assert!(wrong("abcdef").contains("several samples"));
        assert!(wrong("abcdef3").contains("which none has"));
        assert!(wrong(&"a".repeat(65)).contains("first 6 or more"));
        assert!(wrong(&"a".repeat(32)).contains("the MD5 of a sample"));
        assert_eq!(
            digest_of("00ff1a00ff1a00ff1a00ff1a00ff1a0A").as_deref().and_then(<[u8]>::first_chunk),
            Some(&[0, 255, 26])
        );
        assert_eq!(digest_of("00ff1a"), None);
        let near = query_known(&contents, &[second], 9, &Among::All, &Run::silent()).unwrap().remove(0).near;
        assert_eq!(near.neighbours.len(), 2);
        assert!(query_known(&contents, &[Sha256([9; 32])], 1, &Among::All, &Run::silent()).is_err());
    }
}
