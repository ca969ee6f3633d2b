//! Controls that the window shares: primary and quiet buttons, buttons of icons, sections that can be folded.

use super::command::Command;
use super::facts::Facts;
use super::paint::{self, Ink};
use super::theme::{Tokens, heading, icon, medium};
use egui::{Align2, Button, CursorIcon, Rect, Response, RichText, Role, Sense, Ui, WidgetInfo, vec2};

/// Height of a section's header.
const SECTION: f32 = 28.0;

/// Draws the one button of a view that goes on.
pub fn primary_button(ui: &mut Ui, enabled: bool, text: &str) -> Response {
    let tokens = Tokens::of(ui.visuals());
    ui.scope(|ui| {
        if enabled {
            let widgets = &mut ui.visuals_mut().widgets;
            widgets.inactive.weak_bg_fill = tokens.accent_fill;
            widgets.hovered.weak_bg_fill = tokens.accent_hover;
            widgets.active.weak_bg_fill = tokens.accent_hover;
        }
        let colour = if enabled { tokens.on_accent } else { tokens.text3 };
        let button = Button::new(medium(text).color(colour)).min_size(vec2(0.0, 28.0));
        ui.add_enabled(enabled, button)
    })
    .inner
}

/// Draws the button of a command that goes on, disabled with the reason where it is not available.
pub fn primary_command(ui: &mut Ui, facts: &Facts, command: Command, out: &mut Vec<Command>) {
    let (about, obstacle) = (command.about(), command.obstacle(facts));
    let button = primary_button(ui, obstacle.is_none(), about.text);
    let button = match obstacle {
        Some(why) => button.on_disabled_hover_text(why),
        None => button.on_hover_text(about.hint),
    };
    if button.clicked() {
        out.push(command);
    }
}

/// Draws a button of one icon, which screen readers call `name`.
pub fn icon_button(ui: &mut Ui, icon: &str, name: &str) -> Response {
    let button =
        Button::new(RichText::new(icon).size(16.0)).frame_when_inactive(false).min_size(vec2(24.0, 24.0));
    let response = ui.add(button);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    response
}

/// Draws a button without a frame: an icon and text. Screen readers read the text alone.
pub fn quiet_button(ui: &mut Ui, icon: &str, text: &str) -> Response {
    let response = ui.add(Button::new(format!("{icon} {text}")).frame_when_inactive(false));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, text));
    response
}

/// Draws the header of a section, which folds or unfolds it; folded, it says what is in it. Returns whether it is open.
pub fn section_ui(ui: &mut Ui, open: &mut bool, name: &str, closed: &str) -> bool {
    let tokens = Tokens::of(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), SECTION), Sense::click());
    let response = response.on_hover_cursor(CursorIcon::PointingHand);
    if response.clicked() {
        *open = !*open;
        // What a section shows is of no use below the edge.
        if *open && rect.center().y > ui.clip_rect().center().y {
            ui.scroll_to_rect(rect, Some(egui::Align::Center));
        }
    }
    let painter = ui.painter();
    painter.hline(rect.x_range(), rect.top(), egui::Stroke::new(1.0, tokens.divider));
    if response.hovered() {
        painter.rect_filled(rect.shrink2(vec2(0.0, 1.0)), 4.0, tokens.hover);
    }
    let caret = if *open { icon::CARET_DOWN } else { icon::CARET_RIGHT };
    let mut left = rect;
    left.set_width(18.0);
    paint::text(ui, left, Align2::LEFT_CENTER, caret, &Ink::body(tokens.text2));
    let rest = Rect::from_min_max(rect.min + vec2(20.0, 0.0), rect.max);
    let named = paint::text(ui, rest, Align2::LEFT_CENTER, name, &Ink::body(tokens.text).weight(600.0));
    if !*open {
        let right = Rect::from_min_max(rect.min + vec2(named.right() - rect.left() + 12.0, 0.0), rect.max);
        paint::text(ui, right, Align2::RIGHT_CENTER, closed, &Ink::small(tokens.text2));
    }
    let is_open = *open;
    response.widget_info(|| {
        let text = if is_open || closed.is_empty() { name.to_owned() } else { format!("{name}: {closed}") };
        WidgetInfo::selected(Role::DisclosureTriangle, true, is_open, text)
    });
    is_open
}

/// Whether what has this name is drawn for the first time since it was closed. To be asked once in each of its frames.
pub fn just_opened(ui: &Ui, name: &str) -> bool {
    let (id, pass) = (egui::Id::unique(("just opened", name)), ui.ctx().cumulative_pass_nr());
    let last = ui.ctx().data_mut(|data| {
        let last = data.get_temp::<u64>(id);
        data.insert_temp(id, pass);
        last
    });
    last.is_none_or(|last| last + 1 < pass)
}

/// Draws a heading.
pub fn heading_ui(ui: &mut Ui, text: &str) -> Response {
    ui.label(heading(text))
}
