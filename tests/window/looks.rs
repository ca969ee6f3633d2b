//! How the window looks: a picture of each view in its states, dark and light, in two sizes; that nothing overlaps or is
//! cut; and that all of it can be reached by keyboard. `UPDATE_SNAPSHOTS=1 tests/run --test window` writes the pictures
//! again.

use crate::app::Window;
use crate::common::{self, corpus, sample};
use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect, Vec2, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{SnapshotOptions, SnapshotResults};
use lookalike::app::{App, Command, Tab, ThemeChoice};

const SMALL: Vec2 = vec2(1024.0, 640.0);
const LARGE: Vec2 = vec2(1920.0, 1080.0);

/// A window with the three families in its library and some dropped files, the answer to one of them shown.
fn answered(mut window: Window) -> Window {
    let known = window.at("known");
    corpus(&known);
    window.drop(&[&known]);
    window.wait_for("added and compared");
    let dropped = window.at("dropped");
    std::fs::create_dir_all(&dropped).unwrap();
    for i in 0..3 {
        std::fs::write(dropped.join(format!("suspicious-{i}.exe")), sample(7 + i, 60)).unwrap();
    }
    std::fs::write(dropped.join("zeros.bin"), vec![0; 9000]).unwrap();
    std::fs::copy(known.join("gamma/5.bin"), dropped.join("renamed.exe")).unwrap();
    window.wait_until("the map is laid out", App::settled);
    window.drop(&[&dropped]);
    window.wait_until("the files are answered", |app| app.session.queried.len() == 5 && App::settled(app));
    // Messages name folders of this run.
    window.harness.state_mut().session.messages.clear();
    let first = window.harness.state().session.queried[0].sample.sha256;
    window.harness.state_mut().session.selection = Some(lookalike::app::Selection::Queried(first));
    window.harness.run_steps(3);
    window.wait_until("its facts are read", App::settled);
    window.harness.run_steps(3);
    window
}

fn show(window: &mut Window, tab: Tab) {
    window.harness.state_mut().view.kept.tab = tab;
    window.harness.run_steps(3);
    window.wait_until("all jobs end", App::settled);
    window.harness.run_steps(3);
}

fn theme(window: &mut Window, theme: ThemeChoice) {
    window.harness.ctx.set_theme(theme.preference());
    window.harness.run_steps(3);
}

#[test]
fn pictures_of_each_view() {
    common::needs_software_vulkan();
    // Software renderers antialias letters and lines differently.
    let options = || SnapshotOptions::new().threshold(2.0).max_failed_pixels(2500);
    let mut results = SnapshotResults::new();
    for (size, name) in [(SMALL, "1024"), (LARGE, "1920")] {
        let mut empty = Window::open_rendered(size, options());
        empty.harness.run_steps(4);
        let mut full = answered(Window::open_rendered(size, options()));
        for (colours, suffix) in [(ThemeChoice::Dark, "dark"), (ThemeChoice::Light, "light")] {
            theme(&mut empty, colours);
            empty.harness.snapshot(format!("empty-{name}-{suffix}"));
            theme(&mut full, colours);
            for (tab, view) in [(Tab::Map, "answer"), (Tab::Files, "files"), (Tab::Training, "training")] {
                show(&mut full, tab);
                full.harness.snapshot(format!("{view}-{name}-{suffix}"));
            }
            show(&mut full, Tab::Map);
        }
        results.extend_harness(&mut empty.harness);
        results.extend_harness(&mut full.harness);
    }
}

#[test]
fn pictures_of_work_and_of_failure() {
    common::needs_software_vulkan();
    let options = || SnapshotOptions::new().threshold(2.0).max_failed_pixels(2500);
    let mut results = SnapshotResults::new();
    for (size, name) in [(SMALL, "1024"), (LARGE, "1920")] {
        let mut window = Window::open_rendered(size, options());
        let broken = window.at("broken.lookalike");
        std::fs::write(&broken, b"no library").unwrap();
        let known = window.at("known");
        corpus(&known);
        window.drop(&[&known]);
        window.wait_for("added and compared");
        window.wait_until("the map is laid out", App::settled);
        window.harness.state_mut().session.messages.clear();
        window.harness.run_steps(3);
        window.drop(&[&broken]);
        window.wait_for("Opening broken.lookalike");
        window.wait_until("all jobs end", App::settled);
        for (colours, suffix) in [(ThemeChoice::Dark, "dark"), (ThemeChoice::Light, "light")] {
            theme(&mut window, colours);
            // The path of the failure is of this run, and is too small a part of the picture to matter.
            window.harness.snapshot(format!("failed-{name}-{suffix}"));
        }
        window.click("Close the message");
        window.harness.state_mut().session.messages.clear();
        window.click("Batch-norm lab");
        for (colours, suffix) in [(ThemeChoice::Dark, "dark"), (ThemeChoice::Light, "light")] {
            theme(&mut window, colours);
            window.harness.snapshot(format!("lab-empty-{name}-{suffix}"));
        }
        window.click("Train it as in the article");
        window.wait_for("In eval mode this model misclassifies");
        window.wait_until("all is measured", |app| App::settled(app) && app.lab.dependence.is_some());
        window.harness.state_mut().session.messages.clear();
        window.harness.run_steps(4);
        for (colours, suffix) in [(ThemeChoice::Dark, "dark"), (ThemeChoice::Light, "light")] {
            theme(&mut window, colours);
            window.harness.snapshot(format!("lab-{name}-{suffix}"));
        }
        results.extend_harness(&mut window.harness);
    }
}

/// A job that runs until it is told to end, so that a picture can be taken of it.
#[test]
fn pictures_of_a_running_job() {
    common::needs_software_vulkan();
    let options = || SnapshotOptions::new().threshold(2.0).max_failed_pixels(2500);
    let mut results = SnapshotResults::new();
    for (size, name, colours) in
        [(SMALL, "1024-dark", ThemeChoice::Dark), (LARGE, "1920-light", ThemeChoice::Light)]
    {
        let mut window = Window::open_rendered(size, options());
        let known = window.at("known");
        corpus(&known);
        window.drop(&[&known]);
        window.wait_for("added and compared");
        window.wait_until("the map is laid out", App::settled);
        theme(&mut window, colours);
        window.harness.state_mut().view.kept.epochs = 1000;
        window.harness.state_mut().session.messages.clear();
        window.train();
        window.wait_for("Stop");
        // The bar and the time left differ from run to run.
        window.harness.snapshot(format!("working-{name}"));
        window.click("Stop");
        window.wait_until("it is stopped", App::settled);
        results.extend_harness(&mut window.harness);
    }
}

/// A large screen at two pixels a point, as 3840 by 2160 is: everything is as sharp, and as large.
#[test]
fn a_picture_at_two_pixels_a_point() {
    common::needs_software_vulkan();
    let options = SnapshotOptions::new().threshold(2.0).max_failed_pixels(6000);
    let mut window = Window::open_rendered_at(LARGE, 2.0, options);
    window = answered(window);
    window.harness.snapshot("answer-3840-dark");
    let mut results = SnapshotResults::new();
    results.extend_harness(&mut window.harness);
}

/// The roles of controls and rows, which never overlap.
const APART: [Role; 7] = [
    Role::Button,
    Role::Tab,
    Role::TextInput,
    Role::CheckBox,
    Role::ComboBox,
    Role::ListItem,
    Role::DisclosureTriangle,
];

/// The rectangles of controls in view, with their names.
fn controls(window: &Window) -> Vec<(String, Rect)> {
    let mut found = Vec::new();
    for role in APART {
        for node in window.harness.query_all_by_role(role) {
            let name = node.accesskit_node().label().unwrap_or_default();
            found.push((format!("{role:?} {name}"), node.rect()));
        }
    }
    found
}

fn assert_apart(window: &Window, size: Vec2, what: &str) {
    let screen = Rect::from_min_size(egui::Pos2::ZERO, size);
    let found = controls(window);
    assert!(found.len() > 10, "{what}: {found:?}");
    for (i, (name, rect)) in found.iter().enumerate() {
        // What is scrolled out of view is not on the screen at all.
        let Some(seen) = Some(rect.intersect(screen)).filter(|seen| seen.is_positive()) else { continue };
        assert!(seen.width() > rect.width() - 1.0, "{what}: {name} is cut at the side: {rect}");
        for (other, at) in &found[..i] {
            let both = rect.shrink(1.0).intersect(at.shrink(1.0));
            assert!(!both.is_positive(), "{what}: {name} {rect} and {other} {at}");
        }
    }
}

#[test]
fn nothing_overlaps_or_is_cut_in_any_size() {
    for size in [vec2(880.0, 560.0), SMALL, vec2(1280.0, 720.0), LARGE] {
        let mut window = answered(Window::open_sized(size));
        // With everything open.
        let sections = &mut window.harness.state_mut().view.kept.sections;
        (sections.pictures, sections.facts, sections.header) = (false, false, false);
        for tab in [Tab::Map, Tab::Files, Tab::Training] {
            show(&mut window, tab);
            assert_apart(&window, size, &format!("{tab:?} at {size}"));
        }
        // At least five neighbours are in view.
        show(&mut window, Tab::Map);
        let fifth = window.harness.get_by_label_contains("5: ").rect();
        assert!(fifth.bottom() <= size.y - 28.0, "{size}: {fifth}");
    }
}

#[test]
fn a_sitting_by_keyboard_alone() {
    let mut window = Window::open();
    let known = window.at("known");
    corpus(&known);
    let asked = window.at("suspicious.exe");
    std::fs::write(&asked, sample(7, 40)).unwrap();
    let csv = window.at("out.csv");
    let press = |window: &mut Window, modifiers, key| {
        window.harness.key_press_modifiers(modifiers, key);
        window.harness.run_steps(3);
    };
    let type_text = |window: &mut Window, text: &str| {
        window.harness.input_mut().events.push(egui::Event::Text(text.to_owned()));
        window.harness.run_steps(3);
    };
    // The folder, by its path.
    press(&mut window, Modifiers::COMMAND, Key::K);
    type_text(&mut window, known.to_str().unwrap());
    press(&mut window, Modifiers::NONE, Key::Enter);
    window.wait_for("added and compared");
    window.wait_until("all jobs end", App::settled);
    // The file.
    press(&mut window, Modifiers::COMMAND, Key::K);
    type_text(&mut window, asked.to_str().unwrap());
    press(&mut window, Modifiers::NONE, Key::Enter);
    window.wait_until("the file is answered", |app| app.session.queried.len() == 1 && App::settled(app));
    window.harness.run_steps(3);
    // Every stop of the keyboard has a name and is drawn with a ring, and a list is one stop.
    let mut stops = Vec::new();
    for _ in 0..60 {
        press(&mut window, Modifiers::NONE, Key::Tab);
        let focused =
            window.harness.root().children_recursive().find(|node| node.accesskit_node().is_focused());
        let Some(focused) = focused else { continue };
        let name = focused.accesskit_node().label().unwrap_or_default();
        assert!(!name.is_empty(), "a stop without a name after {stops:?}");
        if stops.first() == Some(&name) {
            break;
        }
        stops.push(name);
    }
    for expected in ["File", "Search…", "Map", "Dropped files", "Labels", "Nearest samples", "Pictures"] {
        assert!(stops.iter().any(|stop| stop == expected), "{expected}: {stops:?}");
    }
    assert!(stops.len() < 45, "{}: {stops:?}", stops.len());
    // Arrow keys go through the neighbours.
    let marked = |window: &Window| window.harness.state().view.marked;
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::NONE, Key::ArrowDown);
    assert!(marked(&window).is_some());
    // The table.
    press(&mut window, Modifiers::COMMAND, Key::S);
    type_text(&mut window, csv.to_str().unwrap());
    press(&mut window, Modifiers::NONE, Key::Enter);
    window.wait_until("the table is saved", |_| csv.exists());
    assert_eq!(std::fs::read_to_string(&csv).unwrap().lines().count(), 11);
}

#[test]
fn a_file_browser_opens_where_the_system_has_no_dialog() {
    let mut window = Window::open();
    window.no_dialogs();
    let known = window.at("known");
    corpus(&known);
    window.harness.state_mut().view.kept.browsed = Some(known.parent().unwrap().to_owned());
    window.click("Choose a folder…");
    window.wait_for("known, folder");
    window.wait_until("the folder is read", App::settled);
    window.harness.run_steps(3);
    window.harness.check_accessibility();
    window.click("known, folder");
    window.harness.run_steps(3);
    window.click("Open this folder");
    window.wait_for("36 files of 3 labels");
}

#[test]
fn every_command_is_found_by_the_search_and_stands_in_a_menu() {
    let mut window = answered(Window::open());
    let mut menus = String::new();
    for menu in ["File", "Edit", "View", "Model", "Help"] {
        window.click(menu);
        window.harness.run_steps(2);
        for node in window.harness.root().children_recursive() {
            menus.push_str(&node.accesskit_node().label().unwrap_or_default());
            menus.push('\n');
        }
        window.harness.key_press(Key::Escape);
        window.harness.run_steps(2);
    }
    for sub in ["Map", "Panels", "Colours"] {
        window.click("View");
        window.harness.get_by_role_and_label(Role::Button, sub).click();
        window.harness.run_steps(3);
        for node in window.harness.root().children_recursive() {
            menus.push_str(&node.accesskit_node().label().unwrap_or_default());
            menus.push('\n');
        }
        window.harness.key_press(Key::Escape);
        window.harness.key_press(Key::Escape);
        window.harness.run_steps(3);
    }
    for command in Command::all() {
        assert!(menus.contains(command.about().text), "{command:?} is in no menu");
    }
}
