//! Answers about images before anything was trained: the base model for images, its distances and verdicts.

use crate::first_drop::answers;
use crate::home::Home;
use image::{Rgb, RgbImage};
use std::io::Cursor;

/// What the images of one label show.
const LABELS: [&str; 4] = ["bricks", "face", "letter", "window"];

/// An image of a label, of this size; `shift` moves and recolours it a little.
fn drawn(label: &str, side: u32, shift: u32) -> Vec<u8> {
    let image = RgbImage::from_fn(side * 4 / 3, side, |x, y| {
        // In hundredths of width and height.
        let (u, v) = ((x * 75 / side + shift) % 100, y * 100 / side);
        let inside = |left: u32, top: u32, right: u32, bottom: u32| {
            (left..right).contains(&u) && (top..bottom).contains(&v)
        };
        let disc = |cx: u32, cy: u32, r: u32| u.abs_diff(cx).pow(2) + v.abs_diff(cy).pow(2) < r * r;
        let tint =
            |[r, g, b]: [u8; 3]| Rgb([r, g.saturating_sub(shift as u8), b.saturating_add(shift as u8)]);
        match label {
            "bricks" if v % 20 < 3 || (u + v / 20 % 2 * 12) % 24 < 3 => tint([210, 205, 200]),
            "bricks" => tint([150, 60, 40]),
            "face" if disc(35, 40, 6) || disc(65, 40, 6) || inside(35, 65, 65, 70) => tint([30, 20, 20]),
            "face" if disc(50, 50, 38) => tint([250, 210, 60]),
            "letter" if inside(30, 15, 40, 85) || inside(30, 15, 70, 25) || inside(30, 45, 60, 55) => {
                tint([20, 20, 90])
            }
            "window" if inside(0, 0, 100, 12) => tint([40, 80, 160]),
            "window" if inside(8, 22, 60, 30) || inside(8, 40, 80, 44) || inside(8, 50, 74, 54) => {
                tint([90, 90, 90])
            }
            "window" if inside(65, 75, 92, 90) => tint([60, 150, 80]),
            _ => tint([245, 245, 245]),
        }
    });
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

/// `known/<label>/…` of four images each, and `asked/<label>.png`.
fn images() -> Home {
    let home = Home::empty();
    home.shell(&format!("mkdir -p asked {}", LABELS.map(|label| format!("known/{label}")).join(" ")));
    for label in LABELS {
        for (i, side) in [48, 90, 150, 240].into_iter().enumerate() {
            home.write(&format!("known/{label}/{i}.png"), drawn(label, side, 4 * i as u32));
        }
        home.write(&format!("asked/{label}.png"), drawn(label, 120, 6));
    }
    home
}

#[test]
fn images_answer_without_a_training() {
    let home = images();
    home.run(&["index", "known", "--library", "l.lookalike"]);
    let found = answers(&home, &["asked"]);
    for label in LABELS {
        let answer = &found[&format!("asked/{label}.png")];
        assert_eq!((&answer["verdict"], &answer["labels"][0]), (&"known".into(), &label.into()), "{answer}");
        assert_eq!(answer["answered_by"], "the base model");
        let nearest = &answer["neighbours"][0];
        assert_eq!(nearest["label"], label);
        let distance = |name: &str| nearest[name].as_f64().unwrap();
        assert!(distance("distance_image") < 0.5 && distance("distance_hash") < 0.8, "{nearest}");
        let probability = answer["probability"].as_f64().unwrap();
        assert!((probability + distance("distance") - 1.0).abs() < 1e-6 && probability > 0.5, "{answer}");
        assert!(nearest["distance_text"].is_null() && nearest["distance_code"].is_null());
    }
    // The same in the table.
    home.run(&["query", "asked", "--library", "l.lookalike", "-k", "1", "--csv", "out.csv"]);
    let table = std::fs::read_to_string(home.at("out.csv")).unwrap();
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert!(rows.len() == 4 && rows.iter().all(|row| row[9].is_empty() && !row[15].is_empty()));
    home.run(&["map", "--library", "l.lookalike", "--csv", "map.csv"]);
    let map = std::fs::read_to_string(home.at("map.csv")).unwrap();
    assert_eq!(map.lines().count(), 1 + 16, "a place for each");
}

#[test]
fn an_image_of_one_colour_has_nothing_to_go_by_and_a_copy_is_identical() {
    let home = images();
    home.run(&["index", "known", "--library", "l.lookalike", "--label-level", "9"]);
    let mut blank = Cursor::new(Vec::new());
    RgbImage::from_pixel(64, 64, Rgb([255; 3])).write_to(&mut blank, image::ImageFormat::Png).unwrap();
    home.write("blank.png", blank.into_inner());
    home.shell("cp known/face/2.png copy.png");
    let found = answers(&home, &["blank.png", "copy.png"]);
    assert_eq!(found["blank.png"]["verdict"], "nothing to go by", "{}", found["blank.png"]);
    assert!(found["blank.png"]["probability"].is_null());
    assert_eq!(found["copy.png"]["verdict"], "identical");
    assert_eq!(found["copy.png"]["neighbours"][0]["distance"], 0.0);
}

#[test]
fn most_of_the_files_decide_which_base_model_answers() {
    let home = images();
    home.shell("mkdir known/other");
    for i in 0..3_u32 {
        let file: Vec<u8> = (0..9000_u32).map(|at| (at.wrapping_mul(2_654_435_761 + i) >> 9) as u8).collect();
        home.write(&format!("known/other/{i}.bin"), file);
    }
    let said = home.try_run(&["index", "known", "--library", "l.lookalike"]);
    assert!(said.well && said.text.contains("16 samples added"), "{}", said.text);
    assert!(said.text.contains("0.bin"), "the others are named: {}", said.text);
    home.shell("mkdir few && mv known/other few/other && cp known/face/0.png few/other");
    let said = home.try_run(&["index", "few", "--library", "m.lookalike"]);
    assert!(said.well && said.text.contains("3 samples added"), "{}", said.text);
}

#[test]
fn an_image_model_of_the_user_answers_by_its_own_distance() {
    let home = images();
    home.run(&["train", "known", "--epochs", "2", "--model", "own.safetensors"]);
    home.run(&["index", "known", "--library", "l.lookalike", "--model", "own.safetensors"]);
    let found = answers(&home, &["asked/face.png"]);
    let nearest = &found["asked/face.png"]["neighbours"][0];
    assert!(nearest["distance"].is_number() && nearest["distance_image"].is_null(), "{nearest}");
}

#[test]
fn the_lab_examines_and_repairs_the_base_model() {
    let home = images();
    let base = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/base/images.safetensors");
    let report = home.run(&["batchnorm", "known", "--model", base]);
    assert!(report.contains("16 files, in train mode in batches of 32"), "{report}");
    let layer = |line: &&str| line.split_whitespace().nth(1).is_some_and(|channels| channels == "1152");
    let of_layers = report.lines().filter(|line| line.contains(" factor ")).filter(layer);
    assert_eq!(of_layers.count(), 6, "the three widest blocks have two layers each of so many channels");
    let repaired = ["--out", "repaired.safetensors", "--stats", "recompute"];
    home.run(&[&["batchnorm-repair", "known", "--model", base][..], &repaired].concat());
    home.run(&["index", "known", "--library", "l.lookalike", "--model", "repaired.safetensors"]);
    let answer = &answers(&home, &["asked/bricks.png"])["asked/bricks.png"];
    assert_eq!(answer["labels"][0], "bricks", "{answer}");
    assert!(answer["answered_by"].as_str().unwrap().contains("statistics recomputed"), "{answer}");
}
