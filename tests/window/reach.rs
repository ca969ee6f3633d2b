//! Everything is reached by keys: menus by their letters, regions by F6. Panels are dragged, toasts stay and go.

use crate::app::Window;
use crate::common::{corpus, sample};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use lookalike::app::{App, Tab};

fn press(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.harness.key_press_modifiers(modifiers, key);
    window.harness.run_steps(4);
}

/// The name of what has the keyboard's focus.
fn focused(window: &Window) -> String {
    let focused = window.harness.root().children_recursive().find(|node| node.accesskit_node().is_focused());
    focused.and_then(|node| node.accesskit_node().label()).unwrap_or_default()
}

fn added() -> Window {
    let mut window = Window::open();
    let known = window.at("known");
    corpus(&known);
    window.drop(&[&known]);
    window.wait_for("added and compared");
    window.wait_until("all jobs end", App::settled);
    window.harness.run_steps(3);
    window
}

#[test]
fn a_letter_opens_a_menu_and_arrows_go_through_all() {
    let mut window = added();
    press(&mut window, Modifiers::ALT, Key::V);
    assert!(focused(&window).starts_with("Map"), "{}", focused(&window));
    press(&mut window, Modifiers::NONE, Key::ArrowDown);
    assert!(focused(&window).starts_with("Files"), "{}", focused(&window));
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(window.harness.state().view.kept.tab, Tab::Files);
    press(&mut window, Modifiers::NONE, Key::F10);
    assert!(focused(&window).starts_with("Open files"), "{}", focused(&window));
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    assert!(focused(&window).starts_with("Map"), "{}", focused(&window));
    press(&mut window, Modifiers::NONE, Key::ArrowLeft);
    assert!(window.shows("History…") && !window.shows("Quit"));
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(!window.shows("History…"));
}

#[test]
fn f6_goes_from_region_to_region() {
    let mut window = added();
    let mut heads = Vec::new();
    for _ in 0..5 {
        press(&mut window, Modifiers::NONE, Key::F6);
        heads.push(focused(&window));
    }
    assert!(heads.iter().all(|head| !head.is_empty()), "{heads:?}");
    assert!(heads.contains(&"File".to_owned()) && heads[0] == "Map", "{heads:?}");
    let mut distinct = heads.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 5, "{heads:?}");
    press(&mut window, Modifiers::SHIFT, Key::F6);
    assert_eq!(focused(&window), heads[3]);
}

#[test]
fn a_panel_is_dragged_to_the_other_side() {
    let mut window = added();
    let grip = window.harness.get_by_label("Move the answer").rect();
    assert!(!window.harness.state().view.kept.panels.swapped);
    let button = |pos, pressed| egui::Event::PointerButton {
        pos,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    // Not far enough: it stays.
    for (to, swapped) in [(grip.center() - egui::vec2(90.0, 0.0), false), (egui::pos2(200.0, 300.0), true)] {
        let from = window.harness.get_by_label("Move the answer").rect().center();
        for event in [egui::Event::PointerMoved(from), button(from, true)] {
            window.harness.input_mut().events.push(event);
            window.harness.step();
        }
        for share in [0.5, 1.0] {
            window.harness.input_mut().events.push(egui::Event::PointerMoved(from.lerp(to, share)));
            window.harness.step();
        }
        window.harness.input_mut().events.push(button(to, false));
        window.harness.run_steps(3);
        assert_eq!(window.harness.state().view.kept.panels.swapped, swapped);
    }
    assert!(window.harness.get_by_label("Move the answer").rect().left() < 100.0);
}

#[test]
fn a_toast_undoes_and_a_failure_stays() {
    let mut window = added();
    let sha256 = window.harness.state().session.contents.at(0).unwrap().sha256;
    window.label(sha256, "delta");
    window.wait_until("all jobs end", App::settled);
    window.harness.run_steps(3);
    assert!(window.shows("now has the label delta"));
    window.click("Undo");
    window.wait_until("it is undone", |app| {
        App::settled(app) && app.session.contents.get(sha256).unwrap().label == Some("alpha")
    });
    // The toast is gone after a while, but for the pointer on it; a frame takes a fixed time here.
    let toasts = |window: &Window| window.harness.query_all_by_role(Role::Alert).count();
    window.harness.run_steps(600);
    assert_eq!(toasts(&window), 1);
    assert!(window.harness.query_by_role_and_label(Role::Button, "Undo").is_none(), "it is undone already");
    window.harness.input_mut().events.push(egui::Event::PointerMoved(egui::pos2(500.0, 300.0)));
    window.harness.run_steps(600);
    assert_eq!(toasts(&window), 0);
    let broken = window.at("broken.safetensors");
    std::fs::write(&broken, b"no model").unwrap();
    window.drop(&[&broken]);
    window.wait_for("Loading broken.safetensors");
    window.wait_until("all jobs end", App::settled);
    window.harness.run_steps(600);
    assert!(window.shows("Loading broken.safetensors"));
    window.click("Close the message");
    assert!(window.harness.query_by_label("Close the message").is_none());
}

#[test]
fn what_is_typed_replaces_the_proposed_label() {
    let mut window = added();
    let sha256 = window.harness.state().session.contents.at(0).unwrap().sha256;
    window.select(sha256);
    press(&mut window, Modifiers::COMMAND, Key::L);
    window.harness.input_mut().events.push(egui::Event::Text("delta".to_owned()));
    window.harness.run_steps(3);
    press(&mut window, Modifiers::NONE, Key::Enter);
    window.wait_until("it is labelled", |app| {
        App::settled(app) && app.session.contents.get(sha256).unwrap().label == Some("delta")
    });
}

#[test]
fn a_sample_is_found_by_its_md5() {
    let mut window = added();
    let sha256 = window.harness.state().session.contents.at(5).unwrap().sha256;
    window.select(sha256);
    window.wait_until("its facts are read", |app| app.session.facts.contains_key(&sha256));
    let md5 = window.harness.state().session.facts[&sha256].digests.md5;
    let md5: String = md5.iter().map(|byte| format!("{byte:02x}")).collect();
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::COMMAND, Key::K);
    window.harness.get_by_role(Role::SearchInput).type_text(&md5);
    window.harness.run_steps(3);
    window.wait_for("1 sample in the library");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(window.harness.state().session.selection, Some(lookalike::app::Selection::InLibrary(sha256)));
}

#[test]
fn what_is_dropped_twice_is_one_entry_and_says_so() {
    let mut window = added();
    let (first, second) = (window.at("first.exe"), window.at("second.exe"));
    std::fs::write(&first, sample(7, 40)).unwrap();
    std::fs::copy(&first, &second).unwrap();
    window.drop(&[&first]);
    window.wait_until("it is answered", |app| app.session.queried.len() == 1 && App::settled(app));
    window.drop(&[&second]);
    window.wait_for("second.exe has the content of first.exe");
    assert_eq!(window.harness.state().session.queried.len(), 1);
}
