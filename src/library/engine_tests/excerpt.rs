//! Excerpts give the answers of whole libraries.

use super::fixture::{self, Kept, Place};
use super::on_every_engine;
use crate::job::Reporter;
use crate::library::{Among, Batch, Contents, Import, Library, Neighbour, Search};
use crate::model::{Embeddings, Model, base_model};
use crate::picture::{BytePlanes, Encoded, PictureKind};
use crate::sample::{FileKind, Sample, Sha256};
use crate::search::{Look, Looks};
use crate::view::{FileViews, ImageHash, PAIR_NUMBERS, Pairs, Terms};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Samples of a library: more than are compared by labels as a whole.
const N: i64 = 8500;
const FAMILIES: u32 = 40;

pub fn sha256(id: i64) -> Sha256 {
    Sha256::of(&id.to_le_bytes())
}

/// A model without views, and those of executables and images.
pub fn models() -> [Model; 3] {
    let base = |kind| base_model(kind).unwrap();
    [fixture::model(1), base(PictureKind::Bytes), base(PictureKind::Image)]
}

/// A file of a family, or of none of them with views that abstain or see what others do not.
fn look(rng: &mut ChaCha8Rng, model: &Model, family: u32) -> Look {
    let dimension = model.config.embedding;
    let mut of_family = ChaCha8Rng::seed_from_u64(family.into());
    let row: Vec<f32> =
        (0..dimension).map(|_| of_family.random_range(-1.0..1.0_f32) + rng.random_range(-0.3..0.3)).collect();
    let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
    let embedding: Vec<f32> = row.iter().map(|v| v / length).collect();
    let mut terms = |bins: u32| {
        let kept = rng.random_range(0..30_u32);
        let weighted = (0..kept).map(|i| {
            let bin = if i % 3 == 0 { rng.random_range(0..bins) } else { (family * 131 + i * 17) % bins };
            (bin, 0.1 + i as f32)
        });
        let mut weighted: Vec<(u32, f32)> = weighted.collect();
        weighted.sort_by_key(|(bin, _)| *bin);
        weighted.dedup_by_key(|(bin, _)| *bin);
        Terms::heaviest(weighted, 4, 64)
    };
    let (text, header) = (terms(4000), terms(900));
    let pairs: Vec<u8> = (0..PAIR_NUMBERS).map(|i| (embedding[i % dimension] * 100.0) as i8 as u8).collect();
    let code = if family.is_multiple_of(5) { None } else { Pairs::from_bytes(&pairs) };
    let Some(views) = &model.views else { return Look { embedding, views: None } };
    if views.see_images() {
        let byte = |i: usize| (embedding[i] * 127.0) as i8 as u8;
        let hash = (!family.is_multiple_of(7)).then(|| ImageHash(std::array::from_fn(byte)));
        return Look { embedding, views: Some(FileViews { hash, ..FileViews::default() }) };
    }
    Look { embedding, views: Some(FileViews { text, header, code, ..FileViews::default() }) }
}

/// A library of [`N`] samples. Every third is a copy of the one before it; `label` gives each family a label or none.
pub fn library(place: &Place, model: &Model, label: impl Fn(u32) -> Option<String>) -> Library {
    let mut library = place.open();
    library.add_model(model, "").unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let picture = BytePlanes::of(b"MZ");
    let (mut samples, mut pictures, mut embeddings) =
        (Vec::new(), Vec::new(), Embeddings::new(model.config.embedding));
    let mut latest = Look::default();
    for i in 0..N {
        let family = rng.random_range(0..FAMILIES);
        if i % 3 != 1 {
            latest = look(&mut rng, model, family);
        }
        samples.push(Sample {
            path: format!("/sets/{family}/{i}.bin").into(),
            label: label(family),
            sha256: sha256(i),
            size: 9,
            kind: FileKind::Pe,
            architecture: None,
            facts: None,
        });
        let mut picture = picture.clone();
        picture.views = latest.views.clone().map(Box::new);
        pictures.push(Encoded::Bytes(picture));
        embeddings.data.extend(&latest.embedding);
    }
    let batch = Batch { samples: &samples, pictures: &pictures, embeddings: &embeddings };
    library.add(model, batch, &mut Import::new("/sets")).unwrap();
    library
}

/// New files, samples of the library, and a file of which no view sees anything.
pub fn asked(library: &Library) -> (Looks, Vec<Sha256>) {
    let contents = library.contents().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let (mut looks, mut own) = (contents.no_looks(), Vec::new());
    let model = contents.model().unwrap();
    for i in 0..3 {
        looks.push(&look(&mut rng, model, i * 7 + 1));
        own.push(Sha256::of(&[i as u8]));
    }
    for row in [10, 12] {
        let sample = contents.at(row).unwrap().sha256;
        looks.push(&contents.look(sample).unwrap());
        own.push(sample);
    }
    let embedding = looks.get(0).unwrap().embedding;
    looks.push(&Look { embedding, views: model.views.as_ref().map(|_| FileViews::default()) });
    own.push(Sha256::of(b"nothing"));
    (looks, own)
}

/// Neighbours with labels, of the queries and as if samples were not there.
fn answers(
    contents: &Contents,
    (looks, own): &(Looks, Vec<Sha256>),
    k: usize,
    among: &Among,
) -> Vec<(Neighbour, String)> {
    let except: Vec<_> = own.iter().copied().map(Some).collect();
    let found = [&vec![None; own.len()], &except].map(|except| contents.nearest(looks, except, k, among));
    let neighbours = found.iter().flatten().flat_map(|hits| contents.neighbours(hits));
    let shown = |neighbour: Neighbour| {
        let entry = contents.get(neighbour.sha256).unwrap();
        (neighbour, format!("{:?} {:?} {} {}", entry.label, entry.path, entry.size, entry.kind))
    };
    neighbours.map(shown).collect()
}

/// Whether an excerpt gives the answers of the whole; `false` if the library must be read whole.
pub fn is_same(library: &Library, asked: &(Looks, Vec<Sha256>), k: usize) -> bool {
    let large = library.larger_than(0).unwrap().unwrap();
    let many: Vec<u32> = (0..FAMILIES).collect();
    // All samples, and those of a few and of many.
    let labels = |families: &[u32]| Among::Labels(families.iter().map(|n| format!("family {n}")).collect());
    for among in [Among::All, labels(&[7]), labels(&many)] {
        let search = Search { queries: &asked.0, k, among: &among, exact: true };
        // What is damaged and not read is not noticed.
        let Some(found) = large.excerpt(&search, &asked.1, &Reporter::silent()).unwrap() else {
            return false;
        };
        assert!(!found.approximate);
        assert_same(&found.contents, library, asked, k, &among);
    }
    true
}

fn assert_same(excerpt: &Contents, library: &Library, asked: &(Looks, Vec<Sha256>), k: usize, among: &Among) {
    let whole = library.contents().unwrap();
    assert_eq!(answers(excerpt, asked, k, among), answers(&whole, asked, k, among), "{k}");
    assert_eq!(excerpt.unlike_below(), whole.unlike_below());
    assert_eq!((excerpt.fit(), excerpt.labels_weigh()), (whole.fit(), whole.labels_weigh()));
    for sha256 in &asked.1 {
        assert_eq!(excerpt.contains(*sha256), whole.contains(*sha256));
        assert_eq!(excerpt.look(*sha256), whole.look(*sha256));
    }
    assert!(k > 100 || excerpt.len() < 6000, "{}", excerpt.len());
}

fn an_excerpt_gives_the_answers_of_the_whole_library(engine: Kept) {
    let named = |family: u32| (!family.is_multiple_of(3)).then(|| format!("family {family}"));
    let few = |family: u32| (family == 7).then(|| "seven".to_owned());
    let models = models();
    for model in &models {
        let labels: [&dyn Fn(u32) -> Option<String>; 3] = [&|_| None, &few, &named];
        for label in labels {
            let place = Place::new(engine);
            let mut library = library(&place, model, label);
            let asked = asked(&library);
            for k in [1, 10] {
                assert!(is_same(&library, &asked, k));
            }
            // Removed samples are not found.
            let whole = library.contents().unwrap();
            let first = whole.nearest(&asked.0, &[None; 6], 3, &Among::All);
            let mut nearest: Vec<Sha256> =
                first.iter().flat_map(|hits| whole.neighbours(hits)).map(|found| found.sha256).collect();
            nearest.sort_unstable();
            nearest.dedup();
            library.remove(&nearest, "test").unwrap();
            assert!(is_same(&library, &asked, 10));
        }
    }
}

fn more_neighbours_than_there_are_samples_are_all_of_them(engine: Kept) {
    for model in models() {
        let place = Place::new(engine);
        let library = library(&place, &model, |_| None);
        assert!(is_same(&library, &asked(&library), N as usize + 5));
    }
}

fn samples_are_found_by_the_first_digits_of_their_hashes(engine: Kept) {
    let place = Place::new(engine);
    let mut library = library(&place, &fixture::model(1), |_| None);
    let from = |first: u8, last: u8| {
        let mut ends = ([0; 32], [0xff; 32]);
        (ends.0[0], ends.1[0]) = (first, last);
        (Sha256(ends.0), Sha256(ends.1))
    };
    let whole = library.contents().unwrap();
    let within = |contents: &Contents, (first, last): (Sha256, Sha256)| {
        let mut found: Vec<_> = contents.iter().map(|entry| entry.sha256).collect();
        found.retain(|sha256| (first..=last).contains(sha256));
        found
    };
    let large = library.larger_than(0).unwrap().unwrap();
    for ends in [from(0, 0), from(0x7f, 0x81), from(0xff, 0xff)] {
        let found = large.some(ends, 100_000, &[]).unwrap().unwrap();
        assert_eq!(within(&found, ends), within(&whole, ends));
        assert_eq!((found.len(), found.others()), (within(&whole, ends).len(), 0));
        assert_eq!(large.some(ends, 2, &[]).unwrap().unwrap().len(), 2);
    }
    drop(large);
    let gone = sha256(1);
    library.remove(&[gone], "test").unwrap();
    // The model has not embedded a sample that another one has.
    let other = fixture::model(2);
    fixture::add(&mut library, &other, &[(7, None)]);
    let large = library.larger_than(0).unwrap().unwrap();
    for sample in [gone, fixture::hash(7)] {
        let found = large.some((sample, sample), 2, &[gone]).unwrap().unwrap();
        assert_eq!((found.len(), found.others()), (0, 1));
    }
    let also = large.some((gone, gone), 2, &[sha256(7), gone]).unwrap().unwrap();
    assert_eq!((also.len(), also.contains(sha256(7))), (1, true));
}

on_every_engine!(
    an_excerpt_gives_the_answers_of_the_whole_library,
    more_neighbours_than_there_are_samples_are_all_of_them,
    samples_are_found_by_the_first_digits_of_their_hashes
);
