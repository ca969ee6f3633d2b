//! The batch-norm lab: the lesson on the three synthetic families and on the bundled digits, its repairs, and that it
//! changes no library.

use crate::app::Window;
use crate::common::corpus;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use lookalike::app::App;
use lookalike::batchnorm::Severity;
use lookalike::library::Library;
use lookalike::model::{Init, Model, Network, Norm};

/// A window tall enough to show the whole lab, with the three synthetic families open.
pub fn lab() -> Window {
    let mut window = Window::open_sized(egui::vec2(1500.0, 4200.0));
    let known = window.at("known");
    corpus(&known);
    window.drop(&[&known]);
    window.wait_for("36 files of 3 labels");
    window.wait_for("added and compared");
    window.click("Batch-norm lab");
    window
}

/// The lab after "Train it as in the article": the model is in the lab only.
pub fn trial() -> Window {
    let mut window = lab();
    window.click("Train it as in the article");
    window.wait_for("In eval mode this model misclassifies");
    window.wait_until("all is measured", |app| !app.busy() && app.lab.dependence.is_some());
    window
}

/// The same, and the library uses the model.
pub fn failing() -> Window {
    let mut window = trial();
    window.click("Use it for this library");
    window.wait_for("The model trained in the lab is in use");
    window.wait_until("all is measured", |app| !app.busy() && app.lab.dependence.is_some());
    window
}

fn severity(window: &Window) -> Severity {
    window.harness.state().lab.report().unwrap().verdict.severity
}

/// The hashes of the models of a library, and the number of its samples.
fn held(path: &std::path::Path) -> (Vec<String>, usize) {
    let library = Library::open(path).unwrap();
    let models = library.models().unwrap().iter().map(|model| model.hash.to_string()).collect();
    (models, library.samples().unwrap().len())
}

#[test]
fn the_lab_measures_explains_and_repairs() {
    let mut window = failing();
    assert!(severity(&window) >= Severity::Repair);
    let broken = window.harness.state().lab.model.clone().unwrap();
    // Each part shows numbers of this model.
    for text in [
        "The rest is still the 1 that it started with.",
        "40 batches at momentum 0.01 (Keras writes 0.99) are too few to forget the start: (1 − 0.01)⁴⁰ leaves 67 % of it.",
        "left of the start",
        "Its running statistics have seen 40 batches.",
        // The first "Why?" is open.
        "These start at 0 and 1",
        "Arrows of 36 files from train mode to eval mode",
        "(1 − 0.01)^40 = 0.669",
        "Running and pooled variance over the training",
        "Cloud of one file's embeddings in different batches",
        "its label: ",
        "ln 0.01 / ln(1 − 0.100) = 44 batches",
        "The article, by HarfangLab",
    ] {
        assert!(window.shows(text), "{text}");
    }
    window.harness.check_accessibility();

    for button in [
        "Recompute the statistics",
        "Plain average",
        "Take the start out",
        "Measure with this momentum",
        "Train longer",
        "Train without batch norm",
    ] {
        let before = window.harness.state().lab.candidates.len();
        window.click(button);
        window.wait_until(button, |app| !app.busy() && app.lab.candidates.len() == before + 1);
        window.harness.run_steps(2);
    }
    let candidates = &window.harness.state().lab.candidates;
    let [train, eval] = candidates[0].numbers;
    assert!((train.accuracy - eval.accuracy).abs() <= 0.03, "{train:?} {eval:?}");
    let on = &candidates[4].model.config;
    assert!(on.repairs[0].what.starts_with("trained for another"), "{:?}", on.repairs);
    assert_eq!(on.repairs[0].from, broken.hash.to_string());
    assert_eq!(
        candidates[5].numbers[0], candidates[5].numbers[1],
        "without batch norm the modes are the same"
    );
    let repaired = candidates[0].model.hash;
    window.harness.check_accessibility();

    // The saved file records the repair.
    window.click_part("Recompute the statistics: eval mode ");
    let file = window.at("repaired.safetensors");
    window.click("Save it as…");
    window.save_as(&file);
    window.wait_for("Saved ");
    let saved = Model::load(&file).unwrap();
    assert_eq!(saved.hash, repaired);
    assert_eq!(saved.config.repairs[0].what, "statistics recomputed, weights frozen");
    assert_eq!(saved.config.repairs[0].from, broken.hash.to_string());

    // Once it is used it answers and the warning is gone; undo brings both back.
    window.click("Use the repaired model");
    window.wait_for("The repaired model is in use");
    window.wait_until("it is measured", |app| !app.busy() && app.lab.report().is_some());
    assert_eq!(severity(&window), Severity::Sound);
    assert_eq!(window.harness.state().session.contents.model_hash().unwrap(), saved.hash);
    window.click("Map");
    assert!(!window.shows("Look into it"));
    window.click("Batch-norm lab");
    window.click("Undo: use the previous model again");
    window.wait_for("The previous model is in use again");
    window.wait_until("it is measured", |app| !app.busy() && app.lab.report().is_some());
    assert!(severity(&window) >= Severity::Repair);
    // The warning is shown wherever the model is used.
    window.click("Map");
    assert!(window.shows("Look into it") && window.shows("Repair: recompute"));
}

#[test]
fn a_repair_that_makes_it_worse_is_greyed_and_cannot_be_used() {
    let mut window = failing();
    // The healthy model first: what takes its statistics away makes it worse.
    window.click("Recompute the statistics");
    window.wait_until("it is made", |app| !app.busy() && app.lab.candidates.len() == 1);
    window.harness.run_steps(2);
    window.click("Use the repaired model");
    window.wait_for("The repaired model is in use");
    window.wait_until("it is measured", |app| !app.busy() && app.lab.dependence.is_some());
    window.harness.state_mut().view.lab.momentum = 0.001;
    window.harness.run_steps(2);
    window.click("Measure with this momentum");
    window.wait_until("it is made", |app| !app.busy() && app.lab.candidates.len() == 1);
    window.harness.run_steps(2);
    let before = window.harness.state().lab.report().unwrap().summaries()[1].misclassified;
    let after = window.harness.state().lab.candidates[0].numbers[1].misclassified;
    assert!(after > before, "{after} of 36 after, {before} before");
    let row = window.harness.get_by_label_contains("Momentum 0.001: eval mode ");
    assert!(row.accesskit_node().is_disabled());
    assert!(row.accesskit_node().label().unwrap().contains("worse by "));
    assert!(!window.shows("Use the repaired model") && !window.shows("Save it as…"));
}

#[test]
fn an_experiment_of_the_lab_changes_no_library() {
    let mut window = lab();
    window.wait_until("the map is laid out", |app| !app.busy());
    let path = window.harness.state().session.library_path.clone();
    let (before, model) = (held(&path), window.harness.state().session.contents.model_hash());
    window.click("Train it as in the article");
    window.wait_for("training as in the article");
    window.wait_for("In eval mode this model misclassifies");
    window.wait_until("all is measured", |app| !app.busy() && app.lab.dependence.is_some());
    let state = window.harness.state();
    assert!(
        state.session.history.is_empty(),
        "the curves of the training tab are those of a library's training"
    );
    assert_eq!((held(&path), state.session.contents.model_hash()), (before.clone(), model));
    assert!(!window.at("library.lookalike.checkpoint").exists());
    // Not the library's model: no warning where that answers.
    window.click("Map");
    assert!(!window.shows("Look into it"));
    window.click("Batch-norm lab");

    // The status line and the cards show the same figures.
    let [train, eval] = state_report(&window);
    let said = format!("eval mode classifies {eval} of 36 files correctly, train mode {train}");
    let messages = &window.harness.state().session.messages;
    assert!(messages.iter().any(|message| message.text.contains(&said)), "{said}: {messages:#?}");
    for (mode, share) in [("Train mode", train), ("Eval mode", eval)] {
        assert!(window.shows(&format!("{mode}: {share}")), "{mode}: {share}");
    }

    // It is put away, or used on demand.
    window.click("Put it away");
    window.harness.run_steps(2);
    assert!(window.harness.state().lab.trial.is_none() && window.harness.state().lab.model.is_none());
    assert!(window.shows("Why does a network answer wrongly about files that it has learnt?"));
    window.click("Train it as in the article");
    window.wait_for("Use it for this library");
    window.wait_until("all is measured", |app| !app.busy() && app.lab.dependence.is_some());
    let trained = window.harness.state().lab.model.clone().unwrap().hash;
    window.click("Use it for this library");
    window.wait_for("The model trained in the lab is in use");
    window.wait_until("it is measured", |app| !app.busy() && app.lab.report().is_some());
    assert_eq!(window.harness.state().session.contents.model_hash(), Some(trained));
    assert_eq!(held(&path).1, before.1);
    assert!(held(&path).0.contains(&trained.to_string()));
}

/// The shares of the report, as they are shown.
fn state_report(window: &Window) -> [String; 2] {
    let summaries = window.harness.state().lab.report().unwrap().summaries();
    summaries.map(|mode| format!("{:.1} %", mode.accuracy * 100.0))
}

#[test]
fn with_nothing_open_the_lesson_is_shown_on_bundled_digits() {
    let mut window = Window::open_sized(egui::vec2(1280.0, 3600.0));
    window.click("Open the batch-norm lab");
    assert!(window.shows("A concrete problem linked to batch normalization on reduced data sets"));
    assert!(window.shows("Open a labelled folder…"));
    window.harness.check_accessibility();
    window.click("Show me on bundled digits");
    window.wait_for("Chart of both modes while the model is trained");
    window.harness.check_accessibility();
    window.wait_for("In eval mode this model misclassifies");
    window.wait_until("all is measured", |app| !app.busy() && app.lab.dependence.is_some());
    window.harness.run_steps(2);
    let lab = &window.harness.state().lab;
    let report = lab.report().unwrap();
    assert_eq!((report.known.files.len(), report.verdict.severity), (1438, Severity::Useless));
    // The cause in one sentence, with this model's numbers.
    assert!(window.shows("Layer 1 keeps a variance of 0.67"));
    assert!(
        window.shows("the files have 0.00") && window.shows("The rest is still the 1 that it started with.")
    );
    assert!(window.shows("1,438 files"));
    assert!(window.shows("The training measured 256 of the 1294 training files"));
    window.harness.check_accessibility();
    // Nothing is open, and there is no library.
    let session = &window.harness.state().session;
    assert!(session.folder.is_none() && session.contents.is_empty());
    assert!(!window.at("library.lookalike").exists() && !window.at("demo/digits.lookalike").exists());
    // It can be repaired, and not used: no library of the user has digits.
    window.click("Recompute the statistics");
    window.wait_until("it is made", |app| !app.busy() && app.lab.candidates.len() == 1);
    window.harness.run_steps(2);
    let button = |window: &Window, label| {
        window.harness.get_by_role_and_label(Role::Button, label).accesskit_node().is_disabled()
    };
    assert!(button(&window, "Use the repaired model") && button(&window, "Use it for this library"));
    window.click("Put it away");
    assert!(window.shows("Show me on bundled digits"));
}

#[test]
fn the_lab_reports_what_it_cannot_do() {
    let mut window = failing();
    let known = window.at("known");
    let broken = window.harness.state().lab.model.clone().unwrap();

    // Labels that the model does not know: some, then all.
    let others = window.at("others");
    std::fs::create_dir_all(&others).unwrap();
    std::fs::rename(known.join("alpha"), others.join("alpha")).unwrap();
    std::fs::rename(known.join("beta"), others.join("strange")).unwrap();
    window.drop(&[&others]);
    window.wait_for("Skipped: 12 files of labels that the model does not know (strange)");
    std::fs::rename(others.join("alpha"), others.join("foreign")).unwrap();
    window.drop(&[&others]);
    window.wait_for(
        "expected files with labels that the model knows (alpha, beta, gamma…), found foreign, strange",
    );
    // A folder with one file.
    std::fs::create_dir_all(window.at("one/gamma")).unwrap();
    std::fs::copy(known.join("gamma/1.bin"), window.at("one/gamma/1.bin")).unwrap();
    let one = window.at("one");
    window.drop(&[&one]);
    window.wait_for("expected at least two files, found one");

    // Statistics that are not numbers: the model loads, the layer is named, the repair works.
    window.drop(&[&known]);
    window.wait_for("known cannot be trained on");
    let mut network = broken.network.duplicate().unwrap();
    network.running[2].variance[0] = f32::NAN;
    let file = window.at("nan.safetensors");
    Model::new(broken.config.clone(), network, None).unwrap().save(&file).unwrap();
    window.drop(&[&file]);
    window.wait_for("the running statistics of batch-norm layer 3 hold values that are not numbers");
    window.wait_for("Layer 3 keeps statistics that are not numbers.");
    window.wait_for(
        "In eval mode this model has no results: the running statistics of layer 3 are not numbers.",
    );
    window.wait_until("it is measured", |app| !app.busy());
    window.click("Recompute the statistics");
    window.wait_for("Recompute the statistics: eval mode ");
    assert!(window.harness.state().lab.candidates[0].model.usable().is_ok());

    // A model without batch normalisation: reported; parts 7 and 8 still work.
    let set = window.harness.state().session.folder.as_ref().unwrap().set.clone();
    let mut config = broken.config.clone();
    config.norm = Norm::None;
    let mut rng = <rand_chacha::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(1);
    let network = Network::new(&config, Init::Default, &mut rng).unwrap();
    let file = window.at("none.safetensors");
    Model::new(config, network, None).unwrap().save(&file).unwrap();
    assert_eq!(set.samples.len(), 12);
    window.drop(&[&file]);
    window.wait_for("This model has no batch normalisation, so its two modes are the same");
    window.wait_for("Running variance of a channel whose pooled variance is 0.09");
    assert!(window.shows("Run the experiment"));
}

#[test]
fn the_experiment_draws_its_chart_and_saves_it() {
    let mut window = lab();
    window.harness.state_mut().view.lab.steps = Some(20);
    window.click("Run the experiment");
    window.wait_for("Chart of accuracy by step, with and without batch norm");
    window.wait_for("The experiment is done");
    // Three policies with batch norm, two networks without, at steps 10 and 20.
    assert_eq!(window.harness.state().lab.rows.len(), 10);
    for (button, name, begins) in [
        ("Save the chart…", "chart.png", &b"\x89PNG"[..]),
        ("Save the chart…", "chart.svg", b"<svg"),
        ("Save the table as CSV…", "table.csv", b"\xef\xbb\xbfpolicy,step,train_mode_accuracy"),
    ] {
        let path = window.at(name);
        window.click(button);
        window.save_as(&path);
        window.wait_until(name, |_| path.exists());
        assert!(std::fs::read(&path).unwrap().starts_with(begins), "{name}");
    }
}

#[test]
fn the_lab_fits_every_window_and_its_parts_are_one_stop_of_the_keyboard() {
    for (width, height) in [(1280.0, 800.0), (1024.0, 640.0), (880.0, 560.0)] {
        let mut window = Window::open_sized(egui::vec2(width, height));
        let known = window.at("known");
        corpus(&known);
        window.drop(&[&known]);
        window.wait_for("added and compared");
        window.click("Batch-norm lab");
        window.click("Train it as in the article");
        window.wait_for("In eval mode this model misclassifies");
        window.wait_until("all is measured", |app| !app.busy() && app.lab.dependence.is_some());
        window.harness.run_steps(4);
        // The page is longer than the window: as a screen reader clicks.
        let recompute = window.harness.get_by_role_and_label(Role::Button, "Recompute the statistics");
        recompute.click_accesskit();
        window.harness.run_steps(2);
        window.wait_until("it is made", |app| !app.busy() && app.lab.candidates.len() == 1);
        window.harness.run_steps(4);
        assert!(window.shows("Recompute the statistics: eval mode "));
        for role in [
            Role::Button,
            Role::RadioButton,
            Role::Image,
            Role::Canvas,
            Role::ColumnHeader,
            Role::Label,
            Role::Row,
            Role::ListItem,
        ] {
            for found in window.harness.query_all_by_role(role) {
                let (rect, label) = (found.rect(), found.accesskit_node().label());
                assert!(
                    rect.left() >= -0.5 && rect.right() <= width + 0.5,
                    "{width}: {role:?} {label:?} at {rect}"
                );
            }
        }
        // A part is chosen in the list, which the page then shows.
        window.click("5 Layer by layer");
        window.harness.run_steps(30);
        let head = window.harness.get_by_label("5 Running statistics, layer by layer").rect();
        assert!(head.top() > 0.0 && head.top() < height * 0.4, "{width}: {head}");
        assert_eq!(window.harness.state().view.lab.part, 5);
        window.harness.key_press(egui::Key::ArrowDown);
        window.harness.run_steps(30);
        let head = window.harness.get_by_label("6 The same file in different batches").rect();
        assert!(head.top() > 0.0 && head.top() < height * 0.7, "{width}: {head}");
        // The last part cannot come to the top of the page: the list still says what was clicked.
        window.click("8 With and without");
        window.harness.run_steps(30);
        assert_eq!(window.harness.state().view.lab.part, 8);
    }
}

#[test]
fn curves_stand_under_the_name_of_what_they_are_of() {
    let mut window = Window::trained();
    window.wait_until("all is over", App::settled);
    window.click("Training");
    assert!(window.shows("The latest training, on known") && window.shows("Chart of the loss by step"));
    let other = window.at("other");
    corpus(&other);
    window.drop(&[&other]);
    window.wait_for("Train on other");
    assert!(window.shows("The latest training, on known, which is not the open folder"));
}
