//! What is drawn over the points of the map: lines from the selected file to its neighbours, hits of a search, dropped
//! files by their verdict, the selected one with its name.

use super::names::Names;
use super::state::MapState;
use crate::app::paint::{self, Ink};
use crate::app::selection::Selection;
use crate::app::session::Session;
use crate::app::theme::Tokens;
use crate::app::verdict_look::State;
use crate::app::view::View;
use crate::escape;
use crate::workflow::Verdict;
use egui::{Align2, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Ui, vec2};

/// Radius of a dropped file's glyph.
const GLYPH: f32 = 6.5;
/// Other labels that a dotted line is drawn to, at most.
const OTHERS: usize = 3;
/// Dropped files marked, at most, and of these those that names keep off.
pub const DROPPED: usize = 2000;
const RESERVED: usize = 200;
/// Hits marked, at most.
const HITS: usize = 2000;

/// Places on the screen of what is on the map.
pub struct Overlay<'a> {
    /// The session.
    pub session: &'a Session,
    /// The drawn map.
    pub map: &'a MapState,
    /// From a place on the map to the screen.
    pub to_screen: &'a dyn Fn([f32; 2]) -> Pos2,
    /// The part of the screen that the map is drawn in.
    pub frame: Rect,
    /// The radius of points, as drawn.
    pub radius: f32,
}

/// Draws the verdict of a dropped file, with a gap around it.
fn glyph(painter: &Painter, tokens: &Tokens, at: Pos2, state: State) {
    painter.circle_filled(at, GLYPH + 3.0, tokens.sunken);
    state.paint(painter, at, GLYPH, tokens);
}

impl Overlay<'_> {
    /// Where a sample is on the screen.
    pub fn at(&self, selection: Selection) -> Option<Pos2> {
        self.map.place_of(self.session, selection).map(self.to_screen)
    }

    /// Draws lines, neighbours, hits, dropped files and the mark.
    pub fn draw(&self, ui: &Ui, view: &View) {
        let painter = ui.painter_at(self.frame);
        let tokens = Tokens::of(ui.visuals());
        for hit in view.hits.iter().take(HITS) {
            if let Some(at) = self.at(Selection::InLibrary(*hit)) {
                painter.circle_stroke(at, self.radius + 3.5, Stroke::new(1.5, tokens.accent));
            }
        }
        self.neighbours(&painter, tokens);
        for queried in self.session.queried.iter().take(DROPPED) {
            let this = Selection::Queried(queried.sample.sha256);
            let in_view = |at: &Pos2| self.frame.contains(*at) && self.session.selection != Some(this);
            if let Some(at) = self.at(this).filter(in_view) {
                glyph(&painter, tokens, at, State::of(queried.near.verdict.as_ref()));
            }
        }
        if let Some(selection) = self.session.selection
            && let Some(at) = self.at(selection)
        {
            self.selected(&painter, tokens, selection, at);
        }
        if let Some(at) = view.marked.and_then(|marked| self.at(marked)) {
            painter.circle_stroke(at, self.radius + 6.0, Stroke::new(2.0, tokens.text));
        }
    }

    /// Draws a line to each neighbour of the verdict's label, a dotted one to the nearest of each other label, and the
    /// neighbours on top of the muted points.
    fn neighbours(&self, painter: &Painter, tokens: &Tokens) {
        let session = self.session;
        let Some(from) = session.selection.and_then(|selection| self.at(selection)) else { return };
        let verdict = session.near().and_then(|near| near.verdict.as_ref());
        if verdict == Some(&Verdict::Nothing) {
            // No sample is nearer than another, as the list says.
            return;
        }
        let labels = verdict.map(Verdict::labels).unwrap_or_default();
        let mut others: Vec<Option<&str>> = Vec::new();
        for neighbour in session.neighbours() {
            let Some(entry) = session.contents.get(neighbour.sha256) else { continue };
            let Some(at) = self.at(Selection::InLibrary(neighbour.sha256)) else { continue };
            let same = entry.label.is_some_and(|label| labels.contains(&label));
            let stroke = Stroke::new(1.0, tokens.link);
            if same {
                painter.line_segment([from, at], stroke);
            } else {
                if !others.contains(&entry.label) && others.len() < OTHERS {
                    others.push(entry.label);
                    painter.extend(Shape::dotted_line(&[from, at], tokens.link, 5.0, 0.8));
                }
                painter.circle_stroke(at, self.radius + 3.5, stroke);
                continue;
            }
            let radius = self.radius + 1.2;
            painter.circle_filled(at, radius + 1.5, tokens.text);
            painter.circle_filled(at, radius + 0.5, tokens.sunken);
            session.slots.symbol(entry.label).paint(painter, at, radius, tokens.dark);
        }
    }

    fn selected(&self, painter: &Painter, tokens: &Tokens, selection: Selection, at: Pos2) {
        match selection {
            Selection::Queried(_) => {
                let verdict = self.session.near().and_then(|near| near.verdict.as_ref());
                glyph(painter, tokens, at, State::of(verdict));
            }
            Selection::InLibrary(sha256) => {
                let label = self.session.contents.get(sha256).and_then(|entry| entry.label);
                painter.circle_filled(at, self.radius + 3.0, tokens.sunken);
                self.session.slots.symbol(label).paint(painter, at, self.radius + 1.2, tokens.dark);
            }
        }
        painter.circle_stroke(at, 10.5, Stroke::new(2.0, tokens.text));
    }

    /// Keeps names off the markers and writes the tag of the selected file.
    pub fn reserve(&self, ui: &Ui, names: &mut Names<'_>) {
        let square = |at: Pos2, side: f32| Rect::from_center_size(at, vec2(side, side));
        // The legend's button and the number of samples.
        let foot = self.frame.bottom() - 40.0;
        names.reserve(Rect::from_min_max(
            egui::pos2(self.frame.left(), foot),
            self.frame.left_bottom() + vec2(120.0, 0.0),
        ));
        names.reserve(Rect::from_min_max(
            egui::pos2(self.frame.right() - 260.0, foot),
            self.frame.right_bottom(),
        ));
        for queried in self.session.queried.iter().take(RESERVED) {
            let at = self.at(Selection::Queried(queried.sample.sha256));
            if let Some(at) = at.filter(|at| self.frame.contains(*at)) {
                names.reserve(square(at, 2.0 * GLYPH + 4.0));
            }
        }
        for neighbour in self.session.neighbours() {
            if let Some(at) = self.at(Selection::InLibrary(neighbour.sha256)) {
                names.reserve(square(at, 2.0 * self.radius + 4.0));
            }
        }
        let Some(selection) = self.session.selection else { return };
        let Some(at) = self.at(selection).filter(|at| self.frame.contains(*at)) else { return };
        names.reserve(square(at, 24.0));
        self.tag(ui, names, selection, at);
    }

    /// Writes the name of the selected file in a frame, where it covers fewest points.
    fn tag(&self, ui: &Ui, names: &mut Names<'_>, selection: Selection, at: Pos2) {
        let tokens = Tokens::of(ui.visuals());
        let ink = Ink::body(tokens.text).weight(500.0);
        let name = match selection {
            Selection::Queried(sha256) => {
                self.session.queried(sha256).map(|queried| escape::file_name(&queried.sample.path))
            }
            Selection::InLibrary(sha256) => {
                self.session.contents.get(sha256).map(|entry| escape::file_name(entry.path))
            }
        };
        let name = paint::cut(ui, &name.unwrap_or_default(), &ink, 230.0);
        let galley = paint::layout(ui.painter(), &name, &ink, f32::INFINITY);
        let size = galley.size() + vec2(16.0, 8.0);
        let Some(rect) = names.place_tag(at, size) else { return };
        let painter = ui.painter_at(self.frame);
        let edge = rect.clamp(at);
        painter.line_segment([at + (edge - at).normalized() * 11.0, edge], Stroke::new(1.0, tokens.text2));
        painter.rect(rect, 5.0, tokens.raised, Stroke::new(1.0, tokens.text2), StrokeKind::Inside);
        painter.galley(
            Align2::CENTER_CENTER.align_size_within_rect(galley.size(), rect).min,
            galley,
            tokens.text,
        );
    }

    /// Draws an arrow at the edge of the map towards the selected file, if it is outside of the view.
    pub fn arrow_at_edge(&self, ui: &Ui) {
        let tokens = Tokens::of(ui.visuals());
        let Some(at) = self.session.selection.and_then(|selection| self.at(selection)) else { return };
        if self.frame.contains(at) || !at.x.is_finite() || !at.y.is_finite() {
            return;
        }
        let inner = self.frame.shrink(16.0);
        let tip = at.clamp(inner.min, inner.max);
        let way = (at - tip).normalized();
        let side = vec2(-way.y, way.x);
        let points = vec![tip + way * 9.0, tip - way * 5.0 + side * 7.0, tip - way * 5.0 - side * 7.0];
        ui.painter_at(self.frame).add(Shape::convex_polygon(points, tokens.accent, Stroke::NONE));
    }
}
