//! Libraries of any size, written row by row: samples of families, with labels, vectors and what views see, and nothing else.

use lookalike::library::Library;
use lookalike::model::{Init, Model, ModelConfig, Network, base_model};
use lookalike::picture::{PictureKind, PictureSpec};
use lookalike::search::Look;
use lookalike::view::{FileViews, HEADER_BINS, HEADER_TERMS, Pairs, TEXT_BINS, TEXT_TERMS, Terms};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rusqlite::{Connection, params};
use std::path::Path;

const FAMILIES: u32 = 511;
/// One of this many samples has no label.
const UNLABELLED: usize = 6;
/// Samples of one transaction.
const TOGETHER: usize = 20_000;

/// Writes a library of `n` samples to `path`:
///
/// - `vectors`: by a model without views
/// - `views`: by the base model, with text, header and code
pub fn write(set: &str, n: usize, path: &Path) {
    let model = match set {
        "vectors" => without_views(),
        "views" => base_model(PictureKind::Bytes).unwrap(),
        other => panic!("no such set: {other}"),
    };
    Library::open_or_create(path).unwrap().add_model(&model, "").unwrap();
    let mut connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "synchronous", false).unwrap();
    let dimension = model.config.embedding;
    for first in (0..n).step_by(TOGETHER) {
        let transaction = connection.transaction().unwrap();
        {
            let insert = |what: &str| transaction.prepare(what).unwrap();
            let mut sample_in = insert(
                "INSERT INTO samples (sha256, path, size, kind, architecture, label) VALUES (?1, ?2, ?3, 'PE', 'x86-64', ?4)",
            );
            let mut vector_in = insert("INSERT INTO embeddings (model, sample, vector) VALUES (1, ?1, ?2)");
            let mut views_in = insert("INSERT INTO views (model, sample, seen) VALUES (1, ?1, ?2)");
            for i in first..n.min(first + TOGETHER) {
                let mut rng = ChaCha8Rng::seed_from_u64(i as u64);
                let family = rng.random_range(0..FAMILIES);
                let sha256: [u8; 32] = rng.random();
                let file = format!("/samples/family {family}/{i}.exe");
                let label = (i % UNLABELLED != 0).then(|| format!("family {family}"));
                let size = rng.random_range(1000..4_000_000_i64);
                sample_in.execute(params![&sha256[..], file, size, label]).unwrap();
                let id = transaction.last_insert_rowid();
                let look = look(&mut rng, family, dimension, model.views.is_some());
                let vector: Vec<u8> = look.embedding.iter().flat_map(|v| v.to_le_bytes()).collect();
                vector_in.execute(params![id, vector]).unwrap();
                if let Some(views) = &look.views {
                    views_in.execute(params![id, views.to_bytes()]).unwrap();
                }
            }
        }
        transaction.commit().unwrap();
    }
    connection.pragma_update_and_check(None, "wal_checkpoint", "truncate", |_| Ok(())).unwrap();
}

/// A model that compares embeddings alone.
fn without_views() -> Model {
    let config = ModelConfig::new(PictureSpec::BYTES, vec!["a".to_owned()]);
    let network = Network::new(&config, Init::Default, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    Model::new(config, network, None).unwrap()
}

/// A file of a family: it has half of the family's terms, others that many have, and some of its own.
fn look(rng: &mut ChaCha8Rng, family: u32, dimension: usize, with_views: bool) -> Look {
    let mut of_family = ChaCha8Rng::seed_from_u64(u64::from(family) << 32);
    let row: Vec<f32> =
        (0..dimension).map(|_| of_family.random_range(-1.0..1.0_f32) + rng.random_range(-0.5..0.5)).collect();
    let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
    let embedding: Vec<f32> = row.iter().map(|v| v / length).collect();
    if !with_views {
        return Look { embedding, views: None };
    }
    let mut terms = |kept: usize, bins: u32| {
        let bin = |k: u32, rng: &mut ChaCha8Rng| match k % 4 {
            0 | 1 => family.wrapping_mul(2_654_435_761).wrapping_add(k.wrapping_mul(97)) % bins,
            2 => rng.random_range(0..bins / 64),
            _ => rng.random_range(0..bins),
        };
        let mut weighted: Vec<(u32, f32)> = (0..kept as u32).map(|k| (bin(k, rng), 0.3)).collect();
        weighted.sort_unstable_by_key(|(bin, _)| *bin);
        weighted.dedup_by_key(|(bin, _)| *bin);
        Terms::heaviest(weighted, 1, kept)
    };
    let (text, header) = (terms(TEXT_TERMS, TEXT_BINS as u32), terms(HEADER_TERMS, HEADER_BINS as u32));
    let code = Pairs::from_bytes(&embedding.iter().map(|v| (v * 127.0) as i8 as u8).collect::<Vec<_>>());
    Look { embedding, views: Some(FileViews { text, header, code, ..FileViews::default() }) }
}
