//! The window's side of `benches/compare`: the real `App`, driven without a screen, and egui_plot's points as its peer.
//!
//!     window WORK REPEATS N [FILE]     prints milliseconds of each repetition as a JSON array
//!
//! `frame` and `frame-egui_plot` are the processor time of a frame while a map of N points is dragged; `drop` is the
//! time from a dropped file of 1 MiB to the frame that shows its neighbours, with a library of N; `library` writes such
//! a library to FILE.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "prints, and may fail at once"
)]

use cpu_time::ProcessTime;
use egui::{Modifiers, PointerButton, Pos2, RawInput, Rect, pos2, vec2};
use egui_kittest::Harness;
use lookalike::app::{App, Options};
use lookalike::library::{Batch, Contents, Import, Library, Record, Rows};
use lookalike::model::{Embeddings, Init, Model, ModelConfig, Network};
use lookalike::picture::{BytePlanes, Encoded, PictureSpec};
use lookalike::sample::{FileKind, Sample, Sha256};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The same as in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LABELS: usize = 20;
const SIZE: egui::Vec2 = vec2(1440.0, 900.0);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [work, repeats, n, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: window WORK REPEATS N [FILE]");
        std::process::exit(2);
    };
    let (repeats, n): (usize, usize) = (repeats.parse().unwrap(), n.parse().unwrap());
    let file = rest.first().map(Path::new);
    let times = match work.as_str() {
        "frame" => frame(repeats, n),
        "frame-egui_plot" => frame_of_points(repeats, n),
        "drop" => drop_file(repeats, n, file.unwrap()),
        "library" => return library(n, file.unwrap()),
        other => panic!("no such work: {other}"),
    };
    println!("{}", serde_json::to_string(&times).unwrap());
}

/// Places in clusters of different sizes, and the cluster of each.
fn places(n: usize) -> (Vec<[f32; 2]>, Vec<usize>) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let centres: Vec<[f32; 3]> = (0..LABELS)
        .map(|_| [rng.random_range(-9.0..9.0), rng.random_range(-9.0..9.0), rng.random_range(0.3..1.6)])
        .collect();
    let mut out = (Vec::with_capacity(n), Vec::with_capacity(n));
    for _ in 0..n {
        let label = rng.random_range(0..LABELS);
        let [x, y, spread] = centres[label];
        // A sum of four is close to a normal distribution.
        let mut near = || (0..4).map(|_| rng.random_range(-1.0..1.0_f32)).sum::<f32>() * spread;
        out.0.push([x + near(), y + near()]);
        out.1.push(label);
    }
    out
}

fn model() -> Model {
    let labels = (0..LABELS).map(|i| format!("family {i}")).collect();
    let config = ModelConfig::new(PictureSpec::BYTES, labels);
    let network = Network::new(&config, Init::Default, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    Model::new(config, network, None).unwrap()
}

fn sha256(i: usize) -> Sha256 {
    Sha256::of(&i.to_le_bytes())
}

fn window(library: PathBuf) -> Harness<'static, App> {
    let options = Options { library: Some(library), ..Options::default() };
    let mut harness = Harness::builder().with_size(SIZE).build_eframe(|cc| App::new(cc, options));
    harness.step();
    harness
}

/// Milliseconds of processor time of each of `repeats` frames, after five to warm up.
fn dragged(repeats: usize, mut frame: impl FnMut(RawInput)) -> Vec<f64> {
    let event = |at: Pos2, pressed: bool| egui::Event::PointerButton {
        pos: at,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    let input = |events: Vec<egui::Event>| RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE)),
        events,
        ..RawInput::default()
    };
    let mut at = pos2(600.0, 500.0);
    frame(input(vec![egui::Event::PointerMoved(at)]));
    frame(input(vec![event(at, true)]));
    let mut out = Vec::new();
    for i in 0..repeats + 5 {
        at += vec2(if i % 8 < 4 { 7.0 } else { -7.0 }, 3.0 * ((i % 2) as f32 - 0.5));
        let begun = ProcessTime::now();
        frame(input(vec![egui::Event::PointerMoved(at)]));
        if i >= 5 {
            out.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    out
}

/// Frames of the whole window with a map of `n` points.
fn frame(repeats: usize, n: usize) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(folder.path().join("empty.lookalike"));
    let (places, labels) = places(n);
    let record = |i: usize| Record {
        id: i as i64,
        sha256: sha256(i),
        path: format!("/samples/{i}.exe").into(),
        size: 1 << 20,
        kind: "PE".into(),
        architecture: None,
    };
    let mut rows = Rows::default();
    rows.records = (0..n).map(record).collect();
    rows.labels = labels.iter().map(|label| Some(format!("family {label}").into())).collect();
    rows.looks.embeddings = Embeddings { dimension: 64, data: vec![0.125; 64 * n] };
    rows.places = places.into_iter().map(Some).collect();
    harness.state_mut().session.show(Contents::new(Arc::new(model()), rows));
    harness.run_steps(3);
    dragged(repeats, |input| {
        for event in input.events {
            harness.event(event);
        }
        harness.step();
        let output = harness.output();
        let meshes = harness.ctx.tessellate(output.shapes.clone(), 1.0);
        assert!(!meshes.is_empty());
    })
}

/// Frames of egui_plot's points alone, one item per label.
fn frame_of_points(repeats: usize, n: usize) -> Vec<f64> {
    let (places, labels) = places(n);
    let mut points = vec![Vec::new(); LABELS];
    for ([x, y], label) in places.into_iter().zip(labels) {
        points[label].push(egui_plot::PlotPoint::new(x, y));
    }
    let ctx = egui::Context::default();
    dragged(repeats, |input| {
        let output = ctx.run_ui(input, |ui| {
            egui_plot::Plot::new("map").data_aspect(1.0).show_axes(false).show_grid(false).show(ui, |plot| {
                for (i, points) in points.iter().enumerate() {
                    let points = egui_plot::PlotPoints::Borrowed(points);
                    plot.points(
                        egui_plot::Points::new(format!("{i}"), points).radius(2.0).allow_hover(false),
                    );
                }
            });
        });
        let meshes = ctx.tessellate(output.shapes, output.pixels_per_point);
        assert!(!meshes.is_empty());
    })
}

/// Writes a library of `n` samples with clustered unit vectors and a map.
fn library(n: usize, file: &Path) {
    let (places, labels) = places(n);
    let model = model();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut unit = |about: Option<&[f32]>| -> Vec<f32> {
        let row: Vec<f32> = (0..64)
            .map(|i| rng.random_range(-1.0..1.0_f32) + about.map_or(0.0, |about| 6.0 * about[i]))
            .collect();
        let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        row.iter().map(|v| v / length).collect()
    };
    let centres: Vec<Vec<f32>> = (0..LABELS).map(|_| unit(None)).collect();
    let picture = Encoded::Bytes(BytePlanes::of(b"MZ and nothing more"));
    let mut library = Library::open_or_create(file).unwrap();
    let (mut samples, mut embeddings) = (Vec::new(), Embeddings::new(64));
    for (i, label) in labels.iter().enumerate() {
        samples.push(Sample {
            path: format!("/samples/{i}.exe").into(),
            label: Some(format!("family {label}")),
            sha256: sha256(i),
            size: 1 << 20,
            kind: FileKind::Pe,
            architecture: None,
            facts: None,
        });
        embeddings.data.extend(unit(Some(&centres[*label])));
    }
    let batch = Batch { samples: &samples, pictures: &vec![picture; n], embeddings: &embeddings };
    library.add(&model, batch, &mut Import::new("/samples")).unwrap();
    let contents = library.contents().unwrap();
    assert!(library.put_places(&contents, &places).unwrap());
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

/// Milliseconds from the drop to the end of the frame that lists neighbours, at most 120 frames a second.
fn drop_file(repeats: usize, n: usize, library: &Path) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = window(library.to_owned());
    let step = |harness: &mut Harness<'static, App>| {
        harness.step();
        std::thread::sleep(Duration::from_millis(8));
    };
    let begun = Instant::now();
    while harness.state().session.contents.len() != n || harness.state().busy() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", harness.state().session.messages);
        step(&mut harness);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut out = Vec::new();
    for i in 0..=repeats {
        let path = folder.path().join(format!("{i}.exe"));
        let bytes: Vec<u8> = (0..1 << 20).map(|i| if i / 4096 % 3 == 0 { 0 } else { rng.random() }).collect();
        std::fs::write(&path, bytes).unwrap();
        let begun = Instant::now();
        harness.input_mut().dropped_files = vec![Arc::new(Dropped(path))];
        while harness.state().session.queried.len() != i + 1
            || harness.state().session.neighbours().is_empty()
        {
            assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", harness.state().session.messages);
            step(&mut harness);
        }
        harness.step();
        if i > 0 {
            out.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    out
}
