//! Nothing is lost or replaced without a word: labels, samples, models, libraries and files.

use crate::app::Window;
use crate::common::{corpus, sample};
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use lookalike::app::{App, Selection, Tab};
use lookalike::library::Library;
use lookalike::sample::Sha256;
use lookalike::workflow::Verdict;

/// A window with the three synthetic families in its library, compared by the base model.
fn added() -> Window {
    let mut window = Window::open();
    let known = window.at("known");
    corpus(&known);
    window.drop(&[&known]);
    window.wait_for("added and compared");
    settle(&mut window);
    window
}

fn settle(window: &mut Window) {
    window.wait_until("all jobs end", App::settled);
    window.harness.run_steps(2);
}

fn press(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.harness.key_press_modifiers(modifiers, key);
    window.harness.run_steps(3);
    settle(window);
}

fn labelled(window: &Window, label: &str) -> Vec<Sha256> {
    let contents = &window.harness.state().session.contents;
    contents.iter().filter(|entry| entry.label == Some(label)).map(|entry| entry.sha256).collect()
}

const UNDO: (Modifiers, Key) = (Modifiers::COMMAND, Key::Z);
const REDO: (Modifiers, Key) = (Modifiers::COMMAND, Key::Y);

#[test]
fn undo_and_redo_go_back_and_forth_and_say_what_they_do() {
    let mut window = added();
    let sha256 = labelled(&window, "alpha")[0];
    window.label(sha256, "delta");
    settle(&mut window);
    window.click("Edit");
    window.harness.run_steps(2);
    assert!(window.shows("Undo: label delta on 1 sample"));
    window.harness.key_press(Key::Escape);
    window.harness.run_steps(2);
    press(&mut window, UNDO.0, UNDO.1);
    assert!(labelled(&window, "delta").is_empty());
    press(&mut window, REDO.0, REDO.1);
    assert_eq!(labelled(&window, "delta"), [sha256]);
    press(&mut window, UNDO.0, UNDO.1);
    press(&mut window, UNDO.0.plus(Modifiers::SHIFT), UNDO.1);
    assert_eq!(labelled(&window, "delta"), [sha256], "the other key of redo");
}

#[test]
fn the_import_of_a_folder_is_undone_only_by_name() {
    let mut window = added();
    let beta = labelled(&window, "beta");
    // Two samples lose their labels, and a folder brings them back: an import.
    let path = window.harness.state().session.library_path.clone();
    Library::open(&path).unwrap().set_labels(&beta[..2], None, "another window").unwrap();
    window.wait_for("Another window or program has changed the library");
    settle(&mut window);
    assert_eq!(labelled(&window, "beta").len(), beta.len() - 2);
    let known = window.at("known");
    window.drop(&[&known]);
    settle(&mut window);
    window.click("Training");
    window.click("Add folder to the library");
    window.wait_for("0 samples added, 36 already there");
    settle(&mut window);
    assert_eq!(labelled(&window, "beta").len(), beta.len());
    // The key takes nothing of it back.
    for _ in 0..3 {
        press(&mut window, UNDO.0, UNDO.1);
    }
    assert_eq!(labelled(&window, "beta").len(), beta.len());
    window.click("Edit");
    window.click("History…");
    window.wait_for("labels of 2 samples");
    settle(&mut window);
    window.harness.check_accessibility();
    window.harness.run_steps(8);
    // The newest is the first.
    window.harness.get_all_by_role_and_label(egui::accesskit::Role::Button, "Undo").next().unwrap().click();
    window.harness.run_steps(2);
    window.wait_for("Undone: labels of 2 samples");
    settle(&mut window);
    assert_eq!(labelled(&window, "beta").len(), beta.len() - 2);
}

#[test]
fn a_sample_is_removed_and_comes_back() {
    let mut window = added();
    let sha256 = labelled(&window, "beta")[0];
    window.select(sha256);
    window.click("Remove from the library");
    window.wait_for("1 sample removed from the library");
    settle(&mut window);
    let contents = |window: &Window| {
        let contents = &window.harness.state().session.contents;
        (contents.len(), contents.contains(sha256), contents.places().len())
    };
    assert_eq!(contents(&window), (35, false, 35));
    press(&mut window, UNDO.0, UNDO.1);
    assert_eq!(contents(&window), (36, true, 36));
}

#[test]
fn a_label_is_renamed_and_merged_with_another() {
    let mut window = added();
    let (beta, gamma) = (labelled(&window, "beta").len(), labelled(&window, "gamma").len());
    window.click_part("beta: ");
    window.click("Edit");
    window.click("Rename label…");
    window.wait_for("Rename the label beta");
    window.type_into_question("gamma");
    window.harness.run_steps(2);
    assert!(window.shows("gamma exists: the two labels become one"));
    window.click_button("Rename");
    window.wait_for("beta is merged into gamma");
    settle(&mut window);
    assert_eq!((labelled(&window, "beta").len(), labelled(&window, "gamma").len()), (0, beta + gamma));
    press(&mut window, UNDO.0, UNDO.1);
    assert_eq!((labelled(&window, "beta").len(), labelled(&window, "gamma").len()), (beta, gamma));
}

#[test]
fn a_training_on_another_folder_leaves_the_library_its_model() {
    let mut window = added();
    let before = window.harness.state().session.contents.model_hash();
    // Another folder, of other families.
    let other = window.at("other");
    for (label, seed) in [("one", 30), ("two", 40)] {
        std::fs::create_dir_all(other.join(label)).unwrap();
        for i in 0..6 {
            std::fs::write(other.join(label).join(format!("{i}.bin")), sample(seed, i)).unwrap();
        }
    }
    window.drop(&[&other]);
    window.wait_for("12 files of 2 labels");
    settle(&mut window);
    window.harness.state_mut().view.kept.epochs = 6;
    window.train();
    window.wait_for("The library keeps its model");
    settle(&mut window);
    let contents = &window.harness.state().session.contents;
    assert_eq!(contents.model_hash(), before, "the model stays");
    assert_eq!((contents.len(), contents.others()), (48, 0), "no sample left the map");

    // It is used when the user says so; the former one is a click away.
    window.click("Use it for this library");
    window.wait_for("The library uses");
    settle(&mut window);
    let contents = &window.harness.state().session.contents;
    assert_ne!(contents.model_hash(), before);
    assert_eq!((contents.len(), contents.others()), (48, 0));
    window.click("Model");
    window.click("Models of this library…");
    window.wait_for("answers now");
    assert!(window.shows("Base model") && window.shows("trained on"));
    window.harness.check_accessibility();
    window.click("Use it");
    window.wait_until("the former model answers", |app| app.session.contents.model_hash() == before);
}

#[test]
fn a_save_over_an_existing_file_asks() {
    let mut window = added();
    let file = window.at("map.csv");
    std::fs::write(&file, "mine").unwrap();
    let export = |window: &mut Window| {
        window.click("File");
        window.click("Export the map…");
        window.type_into_question(file.to_str().unwrap());
        window.harness.run_steps(2);
        window.click("Save");
        window.wait_for("map.csv exists");
    };
    export(&mut window);
    window.harness.key_press(Key::Escape);
    window.harness.run_steps(2);
    settle(&mut window);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    export(&mut window);
    window.click("Save as map-2.csv");
    window.wait_for("Saved ");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    assert!(window.at("map-2.csv").exists());
    export(&mut window);
    window.click("Replace it");
    window.wait_until("it is replaced", |_| std::fs::read_to_string(&file).unwrap() != "mine");
}

#[test]
fn closing_asks_while_a_training_runs() {
    let mut window = added();
    window.harness.state_mut().view.kept.epochs = 1000;
    window.train();
    let close = |window: &mut Window| {
        let viewport = window.harness.input_mut().viewports.entry(egui::ViewportId::ROOT).or_default();
        viewport.events.push(egui::ViewportEvent::Close);
        window.harness.step();
        let sent = window.harness.output().viewport_output[&egui::ViewportId::ROOT].commands.clone();
        let viewport = window.harness.input_mut().viewports.entry(egui::ViewportId::ROOT).or_default();
        viewport.events.clear();
        window.harness.run_steps(2);
        sent.contains(&egui::ViewportCommand::CancelClose)
    };
    assert!(close(&mut window), "the window stays open");
    assert!(window.shows("A training is running"));
    window.click_button("Cancel");
    assert!(!window.shows("A training is running"));
    window.click("Stop");
    settle(&mut window);
    assert!(!close(&mut window), "nothing runs any more");
}

#[test]
fn an_interrupted_training_goes_on_from_its_checkpoint() {
    let mut window = added();
    window.harness.state_mut().view.kept.epochs = 200;
    window.harness.state_mut().view.kept.seed = 3;
    window.train();
    let checkpoint = window.at("library.lookalike.checkpoint");
    window.wait_until("a checkpoint is written", |_| checkpoint.exists());
    // As of a program that was killed: a job of a window that is dropped ends in order and takes its checkpoint with it.
    let (copy, written) = (window.at("copy"), checkpoint.clone());
    std::fs::copy(&checkpoint, &copy).unwrap();
    window.reopen();
    window.wait_until("the former job has ended", |_| !written.exists());
    std::fs::copy(&copy, &checkpoint).unwrap();
    // Another setting does not get into the training.
    window.harness.state_mut().view.kept.seed = 9;
    window.wait_for("The training on known was interrupted.");
    // What is offered stays until it is answered.
    window.reopen();
    window.wait_for("The training on known was interrupted.");
    settle(&mut window);
    window.click("Go on");
    window.wait_for("recall@1 on 3 files held out");
    settle(&mut window);
    let session = &window.harness.state().session;
    let resumed = |text: &str| text.contains("continue") || text.contains("Continu");
    assert!(session.messages.iter().any(|message| resumed(&message.text)), "{:#?}", session.messages);
    assert_eq!(session.contents.model().unwrap().config.training.seed, 3, "with its own settings");
    assert_eq!(window.harness.state().view.kept.interrupted, None);
    assert!(!checkpoint.exists());
}

#[test]
fn what_another_program_changes_is_shown() {
    let mut window = added();
    let path = window.harness.state().session.library_path.clone();
    let alpha = labelled(&window, "alpha");
    Library::open(&path).unwrap().set_labels(&alpha[..2], Some("elsewhere"), "another window").unwrap();
    window.wait_for("Another window or program has changed the library");
    settle(&mut window);
    assert_eq!(labelled(&window, "elsewhere").len(), 2);
    std::fs::rename(&path, path.with_extension("away")).unwrap();
    window.wait_for("The library is not there any more");
    assert_eq!(window.harness.state().session.contents.len(), 36, "what is shown stays");
}

#[test]
fn a_file_that_has_changed_or_is_gone_is_said_to_be() {
    let mut window = added();
    let beta = labelled(&window, "beta");
    let path = |window: &Window, sha256| {
        window.harness.state().session.contents.get(sha256).unwrap().path.to_owned()
    };
    std::fs::write(path(&window, beta[0]), b"something else").unwrap();
    std::fs::remove_file(path(&window, beta[1])).unwrap();
    for (sha256, expected) in [(beta[0], "Its file has changed"), (beta[1], "Its file is not there any more")]
    {
        window.select(sha256);
        window.wait_for(expected);
    }
}

#[test]
fn many_files_are_a_table_and_are_added_together() {
    let mut window = added();
    let folder = window.at("dropped");
    std::fs::create_dir_all(&folder).unwrap();
    for i in 0..4 {
        std::fs::write(folder.join(format!("new {i}.bin")), sample(7, 60 + i)).unwrap();
    }
    std::fs::write(folder.join("zeros.bin"), vec![0; 9000]).unwrap();
    let copy = window.at("known/gamma/5.bin");
    std::fs::copy(copy, folder.join("renamed.bin")).unwrap();
    window.drop(&[&folder]);
    window.wait_until("the files are answered", |app| app.session.queried.len() == 6);
    settle(&mut window);
    press(&mut window, Modifiers::COMMAND, Key::Num2);
    assert_eq!(window.harness.state().view.kept.tab, Tab::Files);
    window.harness.check_accessibility();
    let verdict = |window: &Window, name: &str| {
        let session = &window.harness.state().session;
        let found = session.queried.iter().find(|queried| queried.sample.path.ends_with(name));
        found.unwrap().near.verdict.clone()
    };
    assert_eq!(verdict(&window, "zeros.bin"), Some(Verdict::Nothing));
    assert_eq!(verdict(&window, "renamed.bin"), Some(Verdict::Identical { label: Some("gamma".into()) }));
    // Those that need attention come first, the identical one last.
    let top = |window: &Window, name: &str| {
        let rows = window.harness.query_all_by_label_contains(name);
        rows.map(|row| row.rect().top()).fold(f32::MAX, f32::min)
    };
    assert!(top(&window, "renamed.bin: Identical") > top(&window, "zeros.bin: Nothing to go by"));

    window.harness.state_mut().view.files.order.filter = "new".to_owned();
    window.harness.run_steps(2);
    window.click("Select all files");
    assert!(window.shows("4 of 6 selected"));
    window.click("Add to the library as…");
    window.wait_for("Add 4 files to the library");
    window.type_into_question("delta");
    window.harness.run_steps(2);
    window.click_button("Add");
    window.wait_for("4 files added to the library as delta");
    settle(&mut window);
    assert_eq!(labelled(&window, "delta").len(), 4);
    assert_eq!(window.harness.state().session.contents.len(), 40);
    // Undone, the library is as it was.
    press(&mut window, UNDO.0, UNDO.1);
    assert_eq!((labelled(&window, "delta").len(), window.harness.state().session.contents.len()), (0, 36));
    press(&mut window, REDO.0, REDO.1);
    assert_eq!(labelled(&window, "delta").len(), 4);
}

#[test]
fn a_search_marks_what_it_finds() {
    let mut window = added();
    let wanted = labelled(&window, "gamma")[3];
    for text in [wanted.to_string(), wanted.to_string()[..10].to_uppercase()] {
        window.harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
        window.harness.run_steps(2);
        window.harness.get_by_role(egui::accesskit::Role::SearchInput).type_text(&text);
        window.harness.run_steps(3);
        assert!(window.shows("1 sample in the library"));
        window.harness.key_press(Key::Enter);
        window.harness.run_steps(3);
        assert_eq!(window.harness.state().session.selection, Some(Selection::InLibrary(wanted)));
        assert_eq!(window.harness.state().view.hits, [wanted]);
    }
    // A command, by its name.
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.harness.run_steps(2);
    window.harness.get_by_role(egui::accesskit::Role::SearchInput).type_text("keyboard");
    window.harness.run_steps(3);
    window.harness.check_accessibility();
    window.harness.key_press(Key::Enter);
    window.harness.run_steps(3);
    assert!(window.shows("Keyboard shortcuts"));
}

#[test]
fn panels_are_closed_exchanged_and_put_back() {
    let mut window = added();
    let right = |window: &Window| window.shows("No file selected");
    assert!(right(&window) && window.shows("alpha: 12"));
    press(&mut window, Modifiers::COMMAND.plus(Modifiers::ALT), Key::B);
    assert!(!right(&window));
    press(&mut window, Modifiers::COMMAND, Key::B);
    assert!(!window.shows("alpha: 12"));
    press(&mut window, Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Num0);
    assert!(right(&window) && window.shows("alpha: 12"));
    let left = |window: &Window| window.harness.get_by_label("alpha: 12").rect().left();
    let before = left(&window);
    window.click("View");
    window.click("Panels");
    window.click("Exchange the panels");
    settle(&mut window);
    assert!(left(&window) > before + 400.0);
}

#[test]
fn the_own_browser_asks_before_a_file_is_replaced() {
    let mut window = added();
    window.no_dialogs();
    let file = window.at("map.csv");
    std::fs::write(&file, "mine").unwrap();
    window.harness.state_mut().view.kept.browsed = Some(file.parent().unwrap().to_owned());
    window.click("File");
    window.click("Export the map…");
    settle(&mut window);
    window.click("Browse…");
    window.wait_for("Save here");
    settle(&mut window);
    window.harness.run_steps(6);
    window.click("Save here");
    settle(&mut window);
    window.harness.run_steps(6);
    window.click_button("Save");
    window.wait_for("map.csv exists");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn another_library_does_not_get_the_history_of_the_last_one() {
    let mut window = added();
    let other = window.at("other.lookalike");
    std::fs::copy(window.at("library.lookalike"), &other).unwrap();
    let sha256 = labelled(&window, "alpha")[0];
    window.label(sha256, "delta");
    settle(&mut window);
    window.click("Edit");
    window.click("History…");
    window.wait_for("label delta on 1 sample");
    window.drop(&[&other]);
    window
        .wait_until("the other library is open", |app| app.session.library_path.ends_with("other.lookalike"));
    settle(&mut window);
    assert!(!window.shows("label delta on 1 sample"));
    press(&mut window, UNDO.0, UNDO.1);
    let own = Library::open(&window.at("library.lookalike")).unwrap().contents().unwrap();
    assert_eq!(own.get(sha256).unwrap().label, Some("delta"), "nothing of another library is undone");
}

#[test]
fn a_map_keeps_its_places_when_a_file_is_added() {
    let mut window = added();
    let places = |window: &Window| -> Vec<_> {
        let contents = &window.harness.state().session.contents;
        contents.iter().map(|entry| (entry.sha256, entry.place.unwrap())).collect()
    };
    let before = places(&window);
    let asked = window.at("suspicious.exe");
    std::fs::write(&asked, sample(7, 40)).unwrap();
    window.drop(&[&asked]);
    window.wait_until("it is answered", |app| app.session.queried.len() == 1 && App::settled(app));
    window.harness.run_steps(3);
    press(&mut window, Modifiers::COMMAND, Key::L);
    window.type_into_question("alpha");
    window.harness.run_steps(2);
    window.click_button("Add");
    window.wait_until("it is added", |app| app.session.contents.len() == 37 && App::settled(app));
    let after = places(&window);
    assert_eq!(&after[..36], &before[..], "the others stay where they are");
    let new = after[36].1;
    let own: Vec<_> = labelled(&window, "alpha");
    let near = |sha256: &Sha256| {
        let place = after.iter().find(|(of, _)| of == sha256).unwrap().1;
        (place[0] - new[0]).hypot(place[1] - new[1])
    };
    let nearest = after[..36].iter().map(|(of, _)| of).min_by(|a, b| near(a).total_cmp(&near(b))).unwrap();
    assert!(own.contains(nearest), "it is beside samples of its family");
    // It is kept in the file.
    let path = window.harness.state().session.library_path.clone();
    assert_eq!(Library::open(&path).unwrap().contents().unwrap().places().len(), 37);
    // One undo takes it back, and nothing else.
    press(&mut window, UNDO.0, UNDO.1);
    assert_eq!(places(&window), before);
}

#[test]
fn a_model_loads_without_an_open_folder_and_is_offered() {
    let trained = Window::trained();
    let model = trained.at("model.safetensors");
    trained.harness.state().session.contents.model().unwrap().save(&model).unwrap();
    let mut window = added();
    window.harness.state_mut().session.folder = None;
    window.drop(&[&model]);
    window.wait_for("The loaded model is ready (recall@1");
    let contents = &window.harness.state().session.contents;
    assert_eq!(contents.len(), 36, "the library keeps its model");
    window.click("Use it for this library");
    window.wait_for("36 samples read again for it");
    drop(trained);
}
