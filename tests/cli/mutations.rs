//! A short, seeded version of the fuzz targets (`fuzz/`): real files with bytes changed or cut off, given to everything
//! that takes bytes from outside. Archives and headers have their own tests.

use lookalike::library::parse_row;
use lookalike::model::{Init, Model, ModelConfig, Network};
use lookalike::picture::{BytePlanes, Encoded, ImagePlanes, PictureSpec, View, fill};
use lookalike::sample::{FileKind, content_of};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rusqlite::types::ValueRef;
use std::path::Path;

/// `bytes` with some changed, most often at the start, where headers are, or with the end cut off.
fn damaged(bytes: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..rng.random_range(1..8) {
        let end = if rng.random_bool(0.5) { out.len().min(64) } else { out.len() };
        let at = rng.random_range(0..end);
        out[at] = match rng.random_range(0..4) {
            0 => 0xff,
            1 => 0,
            2 => out[at] ^ (1 << rng.random_range(0..8)),
            _ => rng.random(),
        };
    }
    if rng.random_bool(0.15) {
        out.truncate(rng.random_range(1..=out.len()));
    }
    out
}

#[test]
fn damaged_images_decode_or_fail_with_a_reason() {
    let mut rng = ChaCha8Rng::seed_from_u64(21);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images");
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert!(names.len() > 25);
    let (mut decoded, mut refused) = (0, 0);
    for name in &names {
        let whole = std::fs::read(name).unwrap();
        // One variant of huge.png takes a second.
        let variants = if whole.len() > 50_000 { 5 } else { 300 };
        for _ in 0..variants {
            match ImagePlanes::decode(&damaged(&whole, &mut rng), PictureSpec::image(32), None) {
                Ok(_) => decoded += 1,
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    refused += 1;
                }
            }
        }
    }
    assert!(decoded > 500 && refused > 500, "{decoded} {refused}");
}

#[test]
fn any_bytes_have_a_picture_and_a_kind() {
    let mut rng = ChaCha8Rng::seed_from_u64(22);
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let mut values = vec![0.0; PictureSpec::BYTES.len()];
    for _ in 0..600 {
        let from = if rng.random_bool(0.5) { 0 } else { rng.random_range(0..program.len() - 1) };
        let length = 1 << rng.random_range(0..16);
        let bytes = damaged(&program[from..(from + length).min(program.len())], &mut rng);
        let (kind, architecture) = FileKind::identify(&bytes);
        assert!(architecture.is_none() || kind.is_executable());
        assert_eq!(content_of(&bytes).1.programs().next().is_some(), kind.is_executable());
        let made = Encoded::Bytes(BytePlanes::of(&bytes));
        fill(&made, PictureSpec::BYTES, View::Whole, &mut values);
        assert!(values.iter().all(|value| value.is_finite()));
        let mut sent = Vec::new();
        made.write(&mut sent);
        assert_eq!(Encoded::read(PictureSpec::BYTES, &sent), Some(made));
        if let Some(taken) = Encoded::read(PictureSpec::BYTES, &damaged(&sent, &mut rng)) {
            fill(&taken, PictureSpec::BYTES, View::Whole, &mut values);
        }
    }
}

#[test]
fn damaged_models_are_refused_or_valid() {
    let mut rng = ChaCha8Rng::seed_from_u64(23);
    let config = ModelConfig {
        convolutions: vec![(2, 2)],
        embedding: 2,
        ..ModelConfig::new(PictureSpec::image(8), vec!["a".into(), "b".into()])
    };
    let network = Network::new(&config, Init::Default, &mut rng).unwrap();
    let whole = Model::new(config, network, None).unwrap().bytes;
    assert!(Model::from_bytes(whole.clone()).is_ok());
    let (mut read, mut refused) = (0, 0);
    for _ in 0..10_000 {
        match Model::from_bytes(damaged(&whole, &mut rng)) {
            Ok(model) => {
                let again = Model::new(model.config, model.network, model.trace).unwrap();
                assert!(Model::from_bytes(again.bytes).is_ok());
                read += 1;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
    }
    assert!(read > 100 && refused > 100, "{read} {refused}");
}

#[test]
fn arbitrary_rows_are_valid_samples_or_none() {
    let mut rng = ChaCha8Rng::seed_from_u64(24);
    let (digest, vector) = ([7; 32], [0, 0, 128, 63, 0, 0, 0, 0]);
    let mut read = 0;
    for _ in 0..200_000 {
        let mut values = [
            ValueRef::Integer(1),
            ValueRef::Blob(&digest),
            ValueRef::Text(b"/a"),
            ValueRef::Null,
            ValueRef::Integer(5),
            ValueRef::Text(b"ELF"),
            ValueRef::Null,
            ValueRef::Real(1.0),
            ValueRef::Real(f64::MAX),
            ValueRef::Blob(&vector),
            ValueRef::Null,
        ];
        let noise: [u8; 40] = std::array::from_fn(|_| rng.random());
        for _ in 0..rng.random_range(0..3) {
            values[rng.random_range(0..10)] = match rng.random_range(0..5) {
                0 => ValueRef::Null,
                1 => ValueRef::Integer(rng.random()),
                2 => ValueRef::Real(f64::from_bits(rng.random())),
                3 => ValueRef::Text(&noise[..rng.random_range(0..40)]),
                _ => ValueRef::Blob(&noise[..[8, 32, 3][rng.random_range(0..3)]]),
            };
        }
        if let Some(row) = parse_row(values, 2, false) {
            let embedding = &row.look.embedding;
            assert!(embedding.len() == 2 && embedding.iter().all(|number| number.is_finite()));
            assert!(row.listed.place.is_none_or(|place| place.iter().all(|number| number.is_finite())));
            read += 1;
        }
    }
    assert!(read > 10_000, "{read}");
}
