//! Libraries of any size, written as the program writes them: samples of families, with labels, vectors and what views see, and
//! nothing else. Prints how long that took and what takes how much space.

use lookalike::job::Reporter;
use lookalike::library::{Among, Excerpt, GivenLabel, Import, Library, Search, WholeLook, WholeSample};
use lookalike::model::{Embeddings, Init, Model, ModelConfig, Network, base_model};
use lookalike::picture::{PictureKind, PictureSpec};
use lookalike::sample::Sha256;
use lookalike::search::{Look, Looks};
use lookalike::view::{FileViews, HEADER_BINS, HEADER_TERMS, Pairs, TEXT_BINS, TEXT_TERMS, Terms};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rusqlite::Connection;
use std::path::Path;
use std::time::Instant;

pub const FAMILIES: u32 = 511;
/// One of this many samples has no label.
const UNLABELLED: usize = 6;
/// One of this many samples has a label of its own kind, which no family has.
const RARE: usize = 1000;
/// Samples of one transaction.
const TOGETHER: usize = 20_000;

/// How the vectors lie.
#[derive(Clone, Copy, PartialEq)]
pub enum Spread {
    /// Anywhere.
    Even,
    /// Around the centres of families, each number this far from the centre's.
    Around(f32),
}

/// Writes a library of `n` samples to `place`, a file or a database:
///
/// - `vectors`: by a model without views, each number of a vector up to half as far from its family's as those of two families
/// - `alike`: the same, a tenth as far
/// - `spread`: the same, without families
/// - `views`: by the base model, with text, header and code
pub fn write(set: &str, n: usize, place: &Path) {
    let (model, spread) = models(set);
    let mut library = Library::open_or_create(place).unwrap();
    library.add_model(&model, "").unwrap();
    let mut import = Import::new("a benchmark");
    let mut adding = 0.0;
    for first in (0..n).step_by(TOGETHER) {
        let samples: Vec<WholeSample> =
            (first..n.min(first + TOGETHER)).into_par_iter().map(|i| sample(i, &model, spread)).collect();
        let begun = Instant::now();
        library.put_whole(&samples, &mut import).unwrap();
        adding += begun.elapsed().as_secs_f64();
    }
    let begun = Instant::now();
    library.after_adding(&Reporter::silent()).unwrap();
    let preparing = begun.elapsed().as_secs_f64();
    drop(library);
    eprintln!("added {n} samples in {adding:.1} s, {:.0} a second", n as f64 / adding);
    eprintln!("prepared the search in {preparing:.1} s");
    if place.is_file() {
        print_space(place, n);
    }
}

/// The sample with this number.
fn sample(i: usize, model: &Model, spread: Spread) -> WholeSample {
    let mut rng = ChaCha8Rng::seed_from_u64(i as u64);
    let family = rng.random_range(0..FAMILIES);
    let sha256 = Sha256(rng.random());
    let label = match i {
        _ if i % RARE == 1 => Some("rare".to_owned()),
        _ => (!i.is_multiple_of(UNLABELLED)).then(|| format!("family {family}")),
    };
    let size = rng.random_range(1000..4_000_000);
    let look = look(&mut rng, family, model.config.embedding, spread, model.views.is_some());
    WholeSample {
        sha256,
        path: format!("/samples/family {family}/{i}.exe").into(),
        size,
        kind: "PE".to_owned(),
        architecture: Some("x86-64".to_owned()),
        label: label.map(|label| GivenLabel { label, source: "/samples".into(), given: None }),
        thumbnail: None,
        facts: None,
        looks: vec![WholeLook {
            model: model.hash,
            embedding: look.embedding,
            seen: look.views.map(|views| views.to_bytes()),
        }],
    }
}

/// Asks for the ten nearest samples of each vector in a file of little-endian floats, one after the other, with `label` only of samples
/// that have it. Prints as JSON the milliseconds of each and the row ids and distances of what was found.
pub fn ask(library: &Path, queries: &Path, label: Option<&String>) {
    let library = Library::open(library).unwrap();
    let bytes = std::fs::read(queries).unwrap();
    let numbers: Vec<f32> = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let among = label.map_or(Among::All, |label| Among::Labels(vec![label.clone()]));
    let (mut times, mut found) = (Vec::new(), Vec::new());
    let dimension = library.large().unwrap().unwrap().model().config.embedding;
    for query in numbers.chunks_exact(dimension) {
        let looks = Looks { embeddings: Embeddings { dimension, data: query.to_vec() }, views: Vec::new() };
        let begun = Instant::now();
        let large = library.large().unwrap().unwrap();
        let search = Search { queries: &looks, k: 10, among: &among, exact: false };
        let Excerpt { contents, .. } = large.excerpt(&search, &[], &Reporter::silent()).unwrap().unwrap();
        let hits = contents.nearest(&looks, &[None], 10, &among).remove(0);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        let near = hits.iter().map(|hit| (contents.at(hit.row).unwrap().id, hit.distance));
        found.push(near.collect::<Vec<_>>());
    }
    println!("{}", serde_json::json!({ "ms": times, "found": found }));
}

/// Prints the bytes a sample takes, by what they are for, beside the bytes that are stored.
fn print_space(path: &Path, n: usize) {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update_and_check(None, "wal_checkpoint", "truncate", |_| Ok(())).unwrap();
    let mut statement = connection
        .prepare("SELECT name, sum(pgsize), sum(payload) FROM dbstat GROUP BY name ORDER BY 2 DESC")
        .unwrap();
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?, row.get::<_, f64>(2)?)))
        .unwrap();
    for row in rows {
        let (name, size, payload) = row.unwrap();
        if size / n as f64 >= 0.5 {
            eprintln!("{:>9.1} bytes a sample, {:>9.1} stored  {name}", size / n as f64, payload / n as f64);
        }
    }
    let mut index = path.as_os_str().to_owned();
    index.push("-index");
    let files = std::fs::read_dir(index).into_iter().flatten().flatten();
    let size: u64 = files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum();
    eprintln!("{:>9.1} bytes a sample  codes, in files beside it", size as f64 / n as f64);
}

/// The model of a set, and how its vectors lie.
pub fn models(set: &str) -> (Model, Spread) {
    match set {
        "vectors" => (without_views(), Spread::Around(0.5)),
        "alike" => (without_views(), Spread::Around(0.05)),
        "spread" => (without_views(), Spread::Even),
        "views" => (base_model(PictureKind::Bytes).unwrap(), Spread::Around(0.5)),
        other => panic!("no such set: {other}"),
    }
}

/// A model that compares embeddings alone.
fn without_views() -> Model {
    let config = ModelConfig::new(PictureSpec::BYTES, vec!["a".to_owned()]);
    let network = Network::new(&config, Init::Default, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    Model::new(config, network, None).unwrap()
}

/// A file of a family: it has half of the family's terms, others that many have, and some of its own.
pub fn look(rng: &mut ChaCha8Rng, family: u32, dimension: usize, spread: Spread, with_views: bool) -> Look {
    let mut of_family = ChaCha8Rng::seed_from_u64(u64::from(family) << 32);
    let mut number = || match spread {
        Spread::Even => rng.random_range(-1.0..1.0_f32),
        Spread::Around(far) => of_family.random_range(-1.0..1.0_f32) + rng.random_range(-far..far),
    };
    let row: Vec<f32> = (0..dimension).map(|_| number()).collect();
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
