//! A small library, for tests of this room.

#[cfg(target_os = "linux")]
use super::server::{server, three_servers};
#[cfg(target_os = "linux")]
use crate::job::Reporter;
use crate::library::{Added, Batch, Import, Library};
use crate::model::{Embeddings, Init, Model, ModelConfig, Network};
use crate::picture::{BytePlanes, Encoded, PictureSpec};
use crate::sample::{FileKind, Sample, Sha256};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A model with weights from this seed.
pub fn model(seed: u64) -> Model {
    let config = ModelConfig::new(PictureSpec::BYTES, vec!["alpha".to_owned()]);
    let network = Network::new(&config, Init::Default, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
    Model::new(config, network, None).unwrap()
}

/// The hash of the sample with this number.
pub fn hash(number: u8) -> Sha256 {
    Sha256([number; 32])
}

/// Samples, each with a number and a label, with their pictures and embeddings.
pub fn batch(samples: &[(u8, Option<&str>)]) -> (Vec<Sample>, Vec<Encoded>, Embeddings) {
    let (mut all, mut embeddings) = (Vec::new(), Embeddings::new(64));
    for (number, label) in samples {
        all.push(Sample {
            path: format!("/sets/{0}/{0}-{number}.bin", label.unwrap_or("none")).into(),
            label: label.map(str::to_owned),
            sha256: hash(*number),
            size: 7,
            kind: FileKind::Pe,
            architecture: None,
            facts: None,
        });
        embeddings.data.extend((0..64).map(|i| f32::from(i == *number % 64)));
    }
    let pictures = vec![Encoded::Bytes(BytePlanes::of(b"MZ and nothing more")); all.len()];
    (all, pictures, embeddings)
}

/// Adds samples, each with a number and a label, by `model`.
pub fn add(library: &mut Library, model: &Model, samples: &[(u8, Option<&str>)]) -> Added {
    let (samples, pictures, embeddings) = batch(samples);
    let batch = Batch { samples: &samples, pictures: &pictures, embeddings: &embeddings };
    library.add(model, batch, &mut Import::new("/sets")).unwrap()
}

/// What keeps a library.
#[derive(Clone, Copy, Debug)]
pub enum Kept {
    Sqlite,
    /// Its servers end with a test only on Linux.
    #[cfg(target_os = "linux")]
    Postgres,
    /// On three servers.
    #[cfg(target_os = "linux")]
    Sharded,
}

/// A place for a library, where there is none yet. It is gone with this.
pub struct Place {
    path: PathBuf,
    _folder: Option<TempDir>,
}

impl Place {
    /// An empty place.
    pub fn new(kept: Kept) -> Self {
        match kept {
            Kept::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                Self { path: folder.path().join("l.lookalike"), _folder: Some(folder) }
            }
            #[cfg(target_os = "linux")]
            Kept::Postgres => Self { path: server().database().into(), _folder: None },
            #[cfg(target_os = "linux")]
            Kept::Sharded => {
                let path = PathBuf::from(three_servers()[0].database());
                let shards = three_servers().each_ref().map(|server| PathBuf::from(server.database()));
                Library::shard(&path, &shards, &Reporter::silent()).unwrap();
                Self { path, _folder: None }
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its library; an empty one the first time.
    pub fn open(&self) -> Library {
        Library::open_or_create(&self.path).unwrap()
    }
}

/// A library of the samples 1 and 2 of alpha, 3 of beta, and 4 without a label, and the place that it is in.
pub fn library(kept: Kept) -> (Place, Library) {
    let place = Place::new(kept);
    let mut library = place.open();
    add(&mut library, &model(1), &[(1, Some("alpha")), (2, Some("alpha")), (3, Some("beta")), (4, None)]);
    (place, library)
}

/// Numbers and labels of all samples that the library shows.
pub fn shown(library: &Library) -> Vec<(u8, Option<String>)> {
    let contents = library.contents().unwrap();
    contents.iter().map(|entry| (entry.sha256.0[0], entry.label.map(str::to_owned))).collect()
}
