//! The legend of the map: what the glyphs of dropped files and the lines mean. It can be folded.

use crate::app::theme::{Tokens, icon, small};
use crate::app::verdict_look::State;
use egui::{Frame, Margin, Rect, Sense, Stroke, Ui, UiBuilder, pos2, vec2};

/// Draws the legend into the lower left corner of `map`.
pub fn legend_ui(ui: &mut Ui, map: Rect, open: &mut bool) {
    let tokens = Tokens::of(ui.visuals());
    let rows = if *open { 7.0 } else { 0.0 };
    let height = 34.0 + rows * 26.0;
    let rect =
        Rect::from_min_size(pos2(map.left() + 10.0, map.bottom() - height - 10.0), vec2(204.0, height));
    if !map.contains_rect(rect) {
        return;
    }
    let mut ui = ui.new_child(UiBuilder::new().max_rect(rect).id_salt("legend"));
    let frame = Frame::new()
        .fill(tokens.window)
        .stroke(Stroke::new(1.0, tokens.divider))
        .corner_radius(6)
        .inner_margin(Margin::symmetric(8, 4));
    frame.show(&mut ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 2.0);
        ui.horizontal(|ui| {
            let caret = if *open { icon::CARET_DOWN } else { icon::CARET_RIGHT };
            let button = ui.add(egui::Button::new(format!("{caret} Legend")).frame_when_inactive(false));
            button.widget_info(|| {
                egui::WidgetInfo::selected(egui::Role::DisclosureTriangle, true, *open, "Legend")
            });
            if button.clicked() {
                *open = !*open;
            }
        });
        if !*open {
            return;
        }
        for state in [State::Known, State::Identical, State::Undecided, State::Unlike, State::Nothing] {
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(18.0, 18.0), Sense::hover());
                state.paint(ui.painter(), rect.center(), 6.0, tokens);
                ui.label(small(state.word().to_lowercase()));
            });
        }
        for (dotted, text) in [(false, "neighbour of that label"), (true, "neighbour of another label")] {
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(18.0, 18.0), Sense::hover());
                let ends = [rect.left_center(), rect.right_center()];
                if dotted {
                    ui.painter().extend(egui::Shape::dotted_line(&ends, tokens.link, 5.0, 0.8));
                } else {
                    ui.painter().line_segment(ends, Stroke::new(1.0, tokens.link));
                }
                ui.label(small(text));
            });
        }
    });
}
