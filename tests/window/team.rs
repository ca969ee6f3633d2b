//! A team's library in the window: it is opened by its URL, and what others change appears.

use crate::app::Window;
use crate::common::corpus;
use crate::postgres_server::{Server, server};
use lookalike::app::App;
use lookalike::library::{KeptCopy, Library};
use std::path::Path;

fn open(window: &mut Window, url: &str) {
    window.click("File");
    window.click("Open a team's library…");
    window.harness.run_steps(3);
    window.type_into_question(url);
    window.harness.run_steps(3);
}

#[test]
fn a_library_is_opened_by_its_url_and_follows_what_others_change() {
    let mut window = Window::open();
    let url = server().database();
    open(&mut window, &url);
    assert!(window.shows("The files stay on this machine"));
    window.click("Test the connection");
    window.wait_for("The database has no library yet");
    window.click_button("Open");
    window.wait_until("it is open", |app| App::settled(app) && app.session.library_path == Path::new(&url));
    let known = window.at("known");
    corpus(&known);
    window.drop(&[&known]);
    window.wait_for("added and compared");
    window.wait_until("all jobs end", App::settled);
    assert_eq!(window.harness.state().session.contents.len(), 36);
    // Another analyst gives a label.
    let sha256 = window.harness.state().session.contents.at(0).unwrap().sha256;
    let mut other = Library::open(Path::new(&url)).unwrap();
    let begun = std::time::Instant::now();
    // The window may not listen yet, so it is given again until it appears.
    while window.harness.state().session.contents.get(sha256).unwrap().label != Some("delta") {
        assert!(begun.elapsed().as_secs() < 300, "the label did not appear");
        other.set_labels(&[sha256], None, "elsewhere").unwrap();
        other.set_labels(&[sha256], Some("delta"), "elsewhere").unwrap();
        for _ in 0..300 {
            std::thread::sleep(std::time::Duration::from_millis(10));
            window.harness.step();
        }
    }
    window.wait_until("all jobs end", App::settled);
    // Undo takes back what this window did, and not what another one did.
    window.label(sha256, "epsilon");
    window.wait_until("all jobs end", App::settled);
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    window.wait_until("it is undone", |app| {
        App::settled(app) && app.session.contents.get(sha256).unwrap().label == Some("delta")
    });
}

#[test]
fn a_connection_that_fails_is_said_in_the_dialog() {
    let mut window = Window::open();
    let before = window.harness.state().session.library_path.clone();
    open(&mut window, &server().url("owner", "nothing_here"));
    window.click("Test the connection");
    window.wait_for("a database of this name");
    window.click("Cancel");
    assert_eq!(window.harness.state().session.library_path, before);
}

/// Chooses a command in the File menu.
fn from_menu(window: &mut Window, command: &str) {
    window.click("File");
    window.harness.run_steps(3);
    window.click(command);
}

#[test]
fn while_the_server_cannot_be_reached_the_copy_answers_and_labels_wait() {
    let mut window = Window::open();
    let server = Server::start_durable();
    let url = server.database();
    let place = Path::new(&url);
    open(&mut window, &url);
    window.click_button("Open");
    window.wait_until("it is open", |app| App::settled(app) && app.session.library_path == Path::new(&url));
    let known = window.at("known");
    corpus(&known);
    window.drop(&[&known]);
    window.wait_until("all is added", |app| App::settled(app) && app.session.contents.len() == 36);
    from_menu(&mut window, "Keep a copy on this machine");
    window.wait_for("A copy is kept on this machine (36 samples)");
    server.kill();
    let sha256 = window.harness.state().session.contents.at(0).unwrap().sha256;
    let label_of = |library: &Library| {
        let labels = library.labels().unwrap();
        labels.into_iter().find(|(sample, _)| *sample == sha256).unwrap().1
    };
    window.label(sha256, "delta");
    window.wait_for("kept on this machine, and sent when the server on this machine can be reached");
    window.wait_until("it is shown", |app| app.session.contents.get(sha256).unwrap().label == Some("delta"));
    assert_eq!(KeptCopy::open(place).unwrap().unwrap().waiting().unwrap().len(), 1);
    // The copy is not removed with it.
    from_menu(&mut window, "Remove the copy");
    window.wait_for("found 1 change that the server lacks; nothing was removed");
    // A window that opens it now says where the answers are from.
    let mut second = Window::open();
    open(&mut second, &url);
    second.click_button("Open");
    second.wait_for("cannot be reached: answers are from the copy of");
    second.wait_until("it is open", App::settled);
    assert_eq!(second.harness.state().session.contents.len(), 36);
    drop(second);
    server.restart();
    // The window hears that the server is there again, and sends.
    let begun = std::time::Instant::now();
    while KeptCopy::open(place).unwrap().unwrap().has_queue().unwrap() {
        assert!(begun.elapsed().as_secs() < 120, "it was not sent");
        std::thread::sleep(std::time::Duration::from_millis(20));
        window.harness.step();
    }
    window.wait_until("all jobs end", App::settled);
    assert_eq!(label_of(&Library::reach(place).unwrap()).as_deref(), Some("delta"));
    // Undo takes back what was done without the server, by the number that it has there.
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    window.wait_until("it is undone", |app| {
        App::settled(app) && app.session.contents.get(sha256).unwrap().label != Some("delta")
    });
    assert_ne!(label_of(&Library::reach(place).unwrap()).as_deref(), Some("delta"));
    from_menu(&mut window, "Remove the copy");
    window.wait_for("The copy of the library is removed from this machine");
    assert!(!KeptCopy::is_kept(place));
}
