//! Tables whose columns share the width of the page, so that none is cut or scrolls sideways.

use crate::app::paint::{self, Ink};
use crate::app::theme::Tokens;
use egui::{Align2, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

/// Height of a row.
pub const ROW: f32 = 24.0;

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its heading.
    pub head: &'static str,
    /// What its heading means.
    pub hint: &'static str,
    /// Its share of the width, relative to the others.
    pub share: f32,
    /// Its text is aligned to the right, as numbers are.
    pub right: bool,
}

impl Column {
    /// A column of text.
    pub const fn text(head: &'static str, share: f32) -> Self {
        Self { head, hint: "", share, right: false }
    }

    /// A column of numbers.
    pub const fn number(head: &'static str, hint: &'static str, share: f32) -> Self {
        Self { head, hint, share, right: true }
    }

    fn align(self) -> Align2 {
        if self.right { Align2::RIGHT_CENTER } else { Align2::LEFT_CENTER }
    }
}

/// The cells of a row.
pub fn cells(row: Rect, columns: &[Column]) -> impl Iterator<Item = (Rect, &Column)> {
    const GAP: f32 = 10.0;
    let all: f32 = columns.iter().map(|column| column.share).sum();
    let unit = (row.width() - 16.0) / all.max(f32::MIN_POSITIVE);
    let mut left = row.left() + 8.0;
    columns.iter().map(move |column| {
        let right = left + column.share * unit;
        let gap = if column.right { 0.0 } else { GAP };
        let cell = Rect::from_min_max(pos2(left, row.top()), pos2(right - gap, row.bottom()));
        left = right;
        (cell, column)
    })
}

/// Draws the headings of the columns.
pub fn head_ui(ui: &mut Ui, columns: &[Column]) {
    let tokens = Tokens::of(ui.visuals());
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    for (i, (cell, column)) in cells(row, columns).enumerate() {
        paint::text(ui, cell, column.align(), column.head, &Ink::small(tokens.text2));
        if column.head.is_empty() {
            continue;
        }
        let head = ui.interact(
            cell,
            ui.scope_id().with(("column", column.head, i, row.top() as i32)),
            Sense::hover(),
        );
        head.widget_info(|| WidgetInfo::labeled(Role::ColumnHeader, true, column.head));
        if !column.hint.is_empty() {
            head.on_hover_text(column.hint);
        }
    }
    ui.painter().hline(row.x_range(), row.bottom(), Stroke::new(1.0, tokens.divider));
}

/// Paints the texts of a row, the first with more weight.
pub fn paint_row(ui: &Ui, row: Rect, columns: &[Column], texts: &[String]) {
    let tokens = Tokens::of(ui.visuals());
    for (i, ((cell, column), text)) in cells(row, columns).zip(texts).enumerate() {
        let ink = Ink::body(tokens.text).weight(if i == 0 { 600.0 } else { 400.0 });
        paint::text(ui, cell, column.align(), text, &ink);
    }
}

/// What a screen reader says of a row.
pub fn said(columns: &[Column], texts: &[String]) -> String {
    let pairs = columns.iter().zip(texts).filter(|(_, text)| !text.is_empty());
    let said: Vec<String> = pairs
        .map(
            |(column, text)| {
                if column.head.is_empty() { text.clone() } else { format!("{} {text}", column.head) }
            },
        )
        .collect();
    said.join(", ")
}

/// Draws a row that cannot be chosen.
pub fn row_ui(ui: &mut Ui, columns: &[Column], texts: &[String]) -> Response {
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    paint_row(ui, row, columns, texts);
    response.widget_info(|| WidgetInfo::labeled(Role::Row, true, said(columns, texts)));
    response
}
