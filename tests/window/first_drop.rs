//! The first drop on a fresh installation: nothing was trained, and the library is empty.

use crate::app::Window;
use lookalike::app::{App, Selection};
use lookalike::workflow::Near;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The bundled executables: a folder of all of them without labels, and one of those held out.
fn bundled(window: &Window) -> (PathBuf, PathBuf) {
    let zip = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/demo.zip");
    let script = format!(
        "7z x -y {} executables >/dev/null && mkdir all && cd executables/known && for f in */*; do cp \"$f\" ../../all/$(echo $f | tr / -); done",
        zip.display()
    );
    let home = window.at("bundled");
    std::fs::create_dir_all(&home).unwrap();
    assert!(Command::new("sh").current_dir(&home).args(["-ec", &script]).status().unwrap().success());
    (home.join("all"), home.join("executables/held-back"))
}

/// The family in the name of a bundled file.
fn family(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().split('-').next().unwrap().to_owned()
}

#[test]
fn a_folder_without_labels_has_neighbours_and_a_map_at_once() {
    let mut window = Window::open();
    let (all, held_out) = bundled(&window);
    window.drop(&[&all]);
    window.wait_for("added and compared");
    window.wait_until("the map is drawn", |app| {
        App::settled(app) && app.session.contents.places().len() == app.session.contents.len()
    });
    assert_eq!(window.harness.state().session.contents.len(), 102);
    window.drop(&[&held_out]);
    window.wait_until("the files are answered", |app| app.session.queried.len() == 17);
    let session = &window.harness.state().session;
    let right = session.queried.iter().filter(|queried| {
        let nearest = session.contents.get(queried.near.neighbours[0].sha256).unwrap();
        assert!(queried.near.place.is_some());
        family(nearest.path) == family(&queried.sample.path)
    });
    assert!(right.count() >= 16);
    window.wait_for("and has no label");
    // Why: what the selected file shares with its nearest sample, and few samples have.
    window.wait_for("Shared with the nearest, and rare");
    let why = window.harness.state().session.why.as_ref().unwrap();
    assert!(!why.shared.is_empty() && why.shared[0].counted.samples <= why.shared[0].counted.of / 4);

    // Two labels: the answers are found again, with what they say.
    let before = window.harness.state().session.near().unwrap().clone();
    let nearest: Vec<_> = before.neighbours.iter().map(|neighbour| neighbour.sha256).take(2).collect();
    for sha256 in nearest {
        window.label(sha256, "family");
    }
    let asked = window.harness.state().session.queried[0].sample.sha256;
    window.harness.state_mut().session.selection = Some(Selection::Queried(asked));
    window.wait_until("the file is answered again", |app| {
        let current = |near: &Near| near.is_current(&app.session.contents, 10);
        App::settled(app)
            && app.session.near().is_some_and(|near| near.labels != before.labels && current(near))
    });
}

#[test]
fn a_file_is_answered_before_there_is_a_library() {
    let mut window = Window::open();
    let (all, _) = bundled(&window);
    let first = std::fs::read_dir(&all).unwrap().next().unwrap().unwrap().path();
    window.drop(&[&first]);
    window.wait_for("The library has no samples to compare with yet");
    window.wait_until("the file is answered", |app| app.session.queried.len() == 1);
    let session = &window.harness.state().session;
    assert!(matches!(session.selection, Some(Selection::Queried(_))));
    window.wait_for("Nothing to compare with yet");
    // The folder it is from can be added then, and the file finds itself in it.
    window.drop(&[&all]);
    window.wait_for("added and compared");
    window.wait_for("Identical to ");
}

#[test]
fn a_library_without_views_is_read_again_from_the_menu() {
    let mut window = crate::lab::failing();
    let offered =
        |app: &App| app.session.messages.iter().any(|message| message.text.contains("Read samples again"));
    assert!(offered(window.harness.state()), "{:#?}", window.harness.state().session.messages);
    window.click("Library: library.lookalike");
    window.harness.run_steps(2);
    window.click("Read samples again");
    window.wait_for("36 samples read again with the base model");
    window.wait_until("the samples are compared by views", App::settled);
    let session = &window.harness.state().session;
    assert!(session.contents.model().unwrap().views.is_some());
    assert_eq!((session.contents.len(), session.contents.others()), (36, 0));
}
