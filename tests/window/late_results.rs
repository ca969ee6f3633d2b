//! Results that come late: something else is open, selected or in use when a job ends. A result that does not
//! belong to it any more changes nothing.

use crate::app::Window;
use crate::common::{self, sample};
use crate::lab::failing;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use lookalike::library::{Adopt, Contents, Library};
use lookalike::model::{Init, Model, Network, embed};
use lookalike::picture::{BytePlanes, Encoded, PictureSet, PictureSpec};
use lookalike::sample::Sha256;
use lookalike::search::distance;
use lookalike::workflow::{Run, add_samples};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;
use std::process::Command;

/// A model with the configuration of the one in use and other weights.
fn other_model(window: &Window) -> Model {
    let config = window.harness.state().session.contents.model().unwrap().config.clone();
    let network = Network::new(&config, Init::Default, &mut ChaCha8Rng::seed_from_u64(99)).unwrap();
    Model::new(config, network, None).unwrap()
}

/// A library of the open folder by another model, with its samples in the reverse order.
fn other_library(window: &Window) -> (PathBuf, Contents) {
    let path = window.at("other.lookalike");
    let read = &window.harness.state().session.folder.as_ref().unwrap().set;
    let set = PictureSet {
        spec: read.spec,
        samples: read.samples.iter().rev().cloned().collect(),
        pictures: read.pictures.iter().rev().cloned().collect(),
    };
    let mut library = Library::open_or_create(&path).unwrap();
    add_samples(&set, &other_model(window), &mut library, Adopt::IfComplete, &Run::silent()).unwrap();
    let contents = library.contents().unwrap();
    (path, contents)
}

fn settle(window: &mut Window) {
    window.wait_until("all jobs end", lookalike::app::App::settled);
    window.harness.run_steps(2);
}

/// The hash of a library sample with this label.
fn labelled(window: &Window, label: &str) -> Sha256 {
    let contents = &window.harness.state().session.contents;
    contents.iter().find(|entry| entry.label == Some(label)).unwrap().sha256
}

/// Gives a library sample the label "delta", with the mouse.
fn label_delta(window: &mut Window, sha256: Sha256) {
    window.label(sha256, "delta");
}

/// Presses the key of undo and waits until everything is done.
fn undo(window: &mut Window) {
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.harness.run_steps(3);
    settle(window);
}

#[test]
fn samples_queried_under_the_previous_model_are_queried_again() {
    let mut window = Window::trained();
    settle(&mut window);
    let (path, contents) = other_library(&window);
    let folder = window.at("suspicious");
    std::fs::create_dir_all(&folder).unwrap();
    for i in 0..40 {
        std::fs::write(folder.join(format!("{i}.bin")), sample(7, 100 + i)).unwrap();
    }
    // The query begins with the model of the open library; another library is shown before it ends.
    window.drop(&[&folder]);
    window.harness.state_mut().session.show(contents);
    window.harness.state_mut().session.library_path = path;
    window.wait_until("the files are answered", |app| app.session.queried.len() == 40);
    settle(&mut window);
    let session = &window.harness.state().session;
    let model = session.contents.model().unwrap();
    for queried in session.queried.iter() {
        let picture = queried.picture.as_ref().unwrap();
        let spec = model.config.picture;
        let embedded =
            embed(&model.network, model.config.embedding, spec, &[picture], Run::silent().reporter())
                .unwrap();
        // How many pictures are embedded together changes the last bits.
        let far = distance(&queried.look.embedding, embedded.row(0));
        assert!(far < 1e-5, "an embedding of another model is shown: {far}");
    }
}

#[test]
fn a_label_never_lands_on_another_sample_or_in_another_library() {
    let mut window = Window::trained();
    settle(&mut window);
    let own = window.harness.state().session.library_path.clone();
    let (path, contents) = other_library(&window);
    let sha256 = labelled(&window, "alpha");
    window.select(sha256);
    window.click("Label…");
    // Meanwhile a library with the samples in another order is opened.
    window.harness.state_mut().session.show(contents);
    window.harness.state_mut().session.library_path = path.clone();
    window.type_into_question("delta");
    window.harness.run_steps(2);
    window.click_button("Label");
    window.wait_for("Not labelled");
    settle(&mut window);
    for library in [own, path] {
        let written = Library::open(&library).unwrap().contents().unwrap();
        assert!(written.iter().all(|entry| entry.label != Some("delta")));
    }
}

#[test]
fn labels_are_written_in_the_order_given_and_undone_in_reverse() {
    let mut window = Window::trained();
    settle(&mut window);
    let path = window.harness.state().session.library_path.clone();
    let sha256 = labelled(&window, "alpha");
    window.select(sha256);
    let both = |window: &Window| {
        let written = Library::open(&path).unwrap().contents().unwrap();
        let shown = &window.harness.state().session.contents;
        let label = |contents: &Contents| contents.get(sha256).unwrap().label.map(str::to_owned);
        (label(&written), label(shown))
    };
    // None of these waits for the one before.
    for label in ["b", "c", "d"] {
        window.click("Label…");
        window.type_into_question(label);
        window.harness.run_steps(2);
        window.click_button("Label");
    }
    settle(&mut window);
    assert_eq!(both(&window), (Some("d".into()), Some("d".into())));
    for _ in 0..2 {
        window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
        window.harness.step();
    }
    settle(&mut window);
    assert_eq!(both(&window), (Some("b".into()), Some("b".into())));
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.harness.run_steps(2);
    settle(&mut window);
    assert_eq!(both(&window), (Some("alpha".into()), Some("alpha".into())));
}

#[test]
fn an_undo_that_fails_can_be_repeated() {
    let mut window = Window::trained();
    settle(&mut window);
    let path = window.harness.state().session.library_path.clone();
    let sha256 = labelled(&window, "alpha");
    label_delta(&mut window, sha256);
    let away = window.at("away");
    std::fs::rename(&path, &away).unwrap();
    undo(&mut window);
    assert!(window.shows("Changing the library: expected a library"), "the failure is reported");
    std::fs::rename(&away, &path).unwrap();
    undo(&mut window);
    let written = Library::open(&path).unwrap().contents().unwrap();
    assert_eq!(written.get(sha256).unwrap().label, Some("alpha"));
}

#[test]
fn a_training_does_not_replace_a_library_opened_meanwhile() {
    let mut window = Window::trained();
    settle(&mut window);
    let (path, contents) = other_library(&window);
    window.click("Training");
    window.click("Train");
    window.drop(&[&path]);
    let model = contents.model_hash();
    window.wait_until("the other library is open", |app| app.session.contents.model_hash() == model);
    window.wait_until("the training ends", |app| !app.busy());
    settle(&mut window);
    let session = &window.harness.state().session;
    assert_eq!((session.contents.model_hash(), &session.library_path), (model, &path));
    let text = "which is no longer open";
    assert!(session.messages.iter().any(|message| message.text.contains(text)), "{:?}", session.messages);
}

#[test]
fn a_picture_that_was_read_belongs_to_its_sample() {
    let mut window = Window::trained();
    settle(&mut window);
    let (_, contents) = other_library(&window);
    let sha256 = labelled(&window, "gamma");
    let name = {
        let entry = window.harness.state().session.contents.get(sha256).unwrap();
        entry.path.file_name().unwrap().to_str().unwrap().to_owned()
    };
    window.harness.state_mut().view.kept.sections.samples = true;
    window.harness.state_mut().view.filter = format!("gamma/{name}");
    window.harness.run_steps(2);
    window.harness.get_by_label(&format!("{name}, gamma")).click();
    window.harness.step();
    window.harness.state_mut().session.show(contents);
    settle(&mut window);
    let session = &window.harness.state().session;
    for (sha256, picture) in &session.pictures {
        let path = session.contents.get(*sha256).unwrap().path;
        let spec = session.contents.model().unwrap().config.picture;
        let expected = Encoded::Bytes(BytePlanes::of(&std::fs::read(path).unwrap()));
        assert_eq!((spec, picture), (PictureSpec::BYTES, &expected), "the picture of another sample");
    }
}

#[test]
fn a_label_is_shown_while_a_job_reads_the_contents() {
    let mut window = Window::trained();
    settle(&mut window);
    // As a job holds them that started before.
    let held = window.harness.state().session.contents.clone();
    let sha256 = labelled(&window, "beta");
    label_delta(&mut window, sha256);
    window.harness.run_steps(2);
    let shown = &window.harness.state().session.contents;
    assert_eq!(shown.get(sha256).unwrap().label, Some("delta"));
    assert_eq!(held.get(sha256).unwrap().label, Some("beta"), "the job keeps what it started with");
}

#[test]
fn a_password_may_begin_and_end_with_a_space() {
    common::needs("zip");
    let mut window = Window::trained();
    let (file, archive) = (window.at("odd.bin"), window.at("odd.zip"));
    std::fs::write(&file, sample(7, 45)).unwrap();
    let mut zip = Command::new("zip");
    zip.args(["-q", "-j", "-P", " hunter2 "]).args([&archive, &file]);
    assert!(zip.status().unwrap().success());
    window.drop(&[&archive]);
    window.wait_for("is encrypted");
    window.click("File");
    window.click("Password…");
    window.wait_for("A password for encrypted archives");
    window.type_into_question(" hunter2 ");
    window.harness.run_steps(2);
    window.click("Try");
    window.wait_until("the file is answered", |app| app.session.queried.len() == 1);
}

#[test]
fn undo_takes_back_only_labels_given_in_this_window() {
    let mut window = Window::trained();
    settle(&mut window);
    let labels = |window: &Window| -> Vec<(Sha256, Option<String>)> {
        let path = window.harness.state().session.library_path.clone();
        let contents = Library::open(&path).unwrap().contents().unwrap();
        contents.iter().map(|entry| (entry.sha256, entry.label.map(str::to_owned))).collect()
    };
    let imported = labels(&window);
    // Right after a training nothing was labelled in this window.
    undo(&mut window);
    assert_eq!(labels(&window), imported);

    let sha256 = labelled(&window, "alpha");
    label_delta(&mut window, sha256);
    settle(&mut window);
    assert_ne!(labels(&window), imported);
    // The first undo takes the label back; further ones have nothing to take back.
    for _ in 0..3 {
        undo(&mut window);
        assert_eq!(labels(&window), imported);
    }
}

#[test]
fn a_repaired_model_of_another_model_is_dropped() {
    let mut window = failing();
    window.click("Recompute the statistics");
    // Meanwhile another model comes into the lab.
    let other = std::sync::Arc::new(other_model(&window));
    window.harness.state_mut().lab.set_model(Some(other));
    settle(&mut window);
    let lab = &window.harness.state().lab;
    assert!(lab.candidates.is_empty() && lab.dependence.is_none(), "a result of the previous model is shown");
}

#[test]
fn samples_added_later_become_neighbours_of_queried_ones() {
    let mut window = Window::trained();
    settle(&mut window);
    let suspicious = window.at("suspicious.bin");
    std::fs::write(&suspicious, sample(7, 41)).unwrap();
    window.drop(&[&suspicious]);
    window.wait_until("the file is answered", |app| app.session.queried.len() == 1);
    // A folder with a file that is almost the same.
    let more = window.at("more");
    std::fs::create_dir_all(more.join("beta")).unwrap();
    let mut twin = sample(7, 41);
    *twin.last_mut().unwrap() ^= 1;
    std::fs::write(more.join("beta/twin.bin"), &twin).unwrap();
    window.drop(&[&more]);
    window.wait_for("more cannot be trained on");
    window.click("Training");
    window.click("Add folder to the library");
    window.wait_for("1 samples added");
    settle(&mut window);
    let nearest = window.harness.state().session.queried[0].near.neighbours[0].sha256;
    assert_eq!(nearest, Sha256::of(&twin));
}
