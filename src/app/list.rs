//! A list: one stop for the keyboard, in which the arrow keys choose a row, and one element with rows for screen
//! readers. Only the rows in view are drawn.

use super::theme::Tokens;
use egui::{
    CursorIcon, EventFilter, Id, Key, Modifiers, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui,
    WidgetInfo, pos2, vec2,
};

/// A list of rows of one height.
pub struct List<'a> {
    id: &'a str,
    name: &'a str,
    row: f32,
    rows: usize,
    chosen: Option<usize>,
}

/// What the user did with a list.
#[derive(Clone, Copy, Debug)]
pub struct ListReply {
    /// The row that was clicked or chosen by an arrow key.
    pub chosen: Option<usize>,
    /// The row that was opened, by a double click or Enter.
    pub opened: Option<usize>,
    /// The list has the keyboard's focus.
    pub focused: bool,
    /// By which the list can be given the focus.
    pub id: Id,
    /// The row that was chosen when the list was drawn.
    at: Option<usize>,
}

/// A row while it is drawn.
pub struct Row<'a> {
    /// Its place.
    pub rect: Rect,
    /// Its response, which senses clicks.
    pub response: &'a Response,
}

impl<'a> List<'a> {
    /// A list of `rows` rows of this height; `name` is for screen readers.
    pub fn new(id: &'a str, name: &'a str, row: f32, rows: usize) -> Self {
        Self { id, name, row, rows, chosen: None }
    }

    /// The chosen row.
    pub fn chosen(self, chosen: Option<usize>) -> Self {
        Self { chosen, ..self }
    }

    /// Draws the rows in view at the cursor: `draw` paints one and returns what a screen reader says of it.
    pub fn show(self, ui: &mut Ui, mut draw: impl FnMut(&mut Ui, usize, &Row<'_>) -> String) -> ListReply {
        let tokens = Tokens::of(ui.visuals());
        let (rect, _) =
            ui.allocate_exact_size(vec2(ui.available_width(), self.row * self.rows as f32), Sense::hover());
        let id = ui.make_persistent_id(self.id);
        let list = ui.interact(rect.intersect(ui.clip_rect()), id, Sense::focusable_noninteractive());
        list.widget_info(|| WidgetInfo::labeled(Role::List, true, self.name));
        let mut reply =
            ListReply { chosen: None, opened: None, focused: list.has_focus(), id, at: self.chosen };
        if list.has_focus() {
            self.keys(ui, id, &mut reply);
        }
        let view = ui.clip_rect();
        let first = ((view.top() - rect.top()) / self.row).floor().max(0.0) as usize;
        let last = (((view.bottom() - rect.top()) / self.row).ceil().max(0.0) as usize).min(self.rows);
        for i in first..last {
            let top = rect.top() + i as f32 * self.row;
            let row = Rect::from_min_max(pos2(rect.left(), top), pos2(rect.right(), top + self.row));
            // Clicked, but no stop of its own for the keyboard.
            let response =
                ui.interact(row, id.with(i), Sense::CLICK).on_hover_cursor(CursorIcon::PointingHand);
            let chosen = self.chosen == Some(i);
            let fill = match (chosen, response.hovered()) {
                (true, _) => Some(tokens.select),
                (false, true) => Some(tokens.hover),
                _ => None,
            };
            if let Some(fill) = fill {
                ui.painter().rect_filled(row, 4.0, fill);
            }
            if chosen && reply.focused {
                ui.painter().rect_stroke(row, 4.0, Stroke::new(1.0, tokens.accent), StrokeKind::Inside);
            }
            let said = draw(ui, i, &Row { rect: row, response: &response });
            response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, chosen, &said));
            if response.double_clicked() {
                reply.opened = Some(i);
            } else if response.clicked() {
                reply.chosen = Some(i);
                ui.memory_mut(|memory| memory.request_focus(id));
            }
        }
        if let Some(to) = reply.chosen.filter(|_| list.has_focus()) {
            let top = rect.top() + to as f32 * self.row;
            ui.scroll_to_rect(Rect::from_min_size(pos2(rect.left(), top), vec2(1.0, self.row)), None);
        }
        reply
    }

    fn keys(&self, ui: &Ui, id: Id, reply: &mut ListReply) {
        let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
        let Some(end) = self.rows.checked_sub(1) else { return };
        let page = 10;
        let at = self.chosen;
        let next = |step: usize| at.map_or(0, |at| (at + step).min(end));
        let before = |step: usize| at.map_or(end, |at| at.saturating_sub(step));
        for (key, to) in [
            (Key::ArrowDown, next(1)),
            (Key::ArrowUp, before(1)),
            (Key::PageDown, next(page)),
            (Key::PageUp, before(page)),
            (Key::Home, 0),
            (Key::End, end),
        ] {
            if ui.input_mut(|input| input.consume_key(Modifiers::NONE, key)) {
                reply.chosen = Some(to);
            }
        }
        if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter)) {
            reply.opened = self.chosen;
        }
    }
}

impl ListReply {
    /// Whether this key was pressed while the list had the focus and a row was chosen: that row.
    pub fn key(&self, ui: &Ui, key: Key) -> Option<usize> {
        let at = self.at.filter(|_| self.focused)?;
        ui.input_mut(|input| input.consume_key(Modifiers::NONE, key)).then_some(at)
    }
}
