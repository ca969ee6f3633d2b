//! The map: all samples in two dimensions, coloured by label, with the queried samples among them.
//!
//! The axes of a UMAP have no meaning, so none are drawn. The wheel zooms, dragging pans, a click selects, and a
//! double click shows all samples. The list of labels on the left is the legend.

use super::names::Names;
use super::points::MapPoints;
use super::state::MapState;
use crate::app::command::Command;
use crate::app::command_ui::{command_button, command_button_as};
use crate::app::facts::Facts;
use crate::app::focus::Focus;
use crate::app::selection::Selection;
use crate::app::session::Session;
use crate::app::theme::QUERIED;
use crate::app::view::View;
use crate::escape;
use crate::workflow::MapMethod;
use egui::{Align2, Button, Color32, CursorIcon, PopupAnchor, Role, Tooltip, Ui, Vec2, WidgetInfo, vec2};
use egui_plot::{MarkerShape, Plot, PlotBounds, PlotPoint, PlotPoints, PlotTransform, PlotUi, Points};

/// The distance within which the pointer picks a point, in logical pixels.
const REACH: f32 = 10.0;
/// Logarithm of the zoom factor per point of scrolling.
const ZOOM: f32 = 1.0 / 240.0;

/// Draws the controls above the map.
pub fn map_controls_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
    out: &mut Vec<Command>,
) {
    ui.separator();
    for method in [MapMethod::Umap, MapMethod::Pca] {
        let command = Command::ComputeMap(method);
        let button = Button::selectable(view.kept.map_method == method, command.about().text);
        command_button_as(ui, facts, button, command, out);
    }
    command_button(ui, facts, Command::FitMap, out);
    ui.toggle_value(&mut view.kept.names, "Names")
        .on_hover_text("Writes the name of each label where its samples are densest");
    let n = session.contents.places().len();
    ui.weak(match session.contents.others() {
        0 => format!("{n} samples"),
        others => format!("{n} samples; {others} more are not embedded with this model"),
    })
    .on_hover_text("Wheel: zoom. Drag: pan. Click: select.");
}

/// Draws the map, and the name and label of the sample under the pointer.
pub fn map_ui(ui: &mut Ui, session: &Session, view: &mut View, map: &MapState, out: &mut Vec<Command>) {
    if session.contents.places().is_empty() {
        ui.centered_and_justified(|ui| ui.weak("The map is being computed…"));
        return;
    }
    let dark = ui.visuals().dark_mode;
    let plot = Plot::new("map")
        .data_aspect(1.0)
        .show_axes(false)
        .show_grid(false)
        .show_x(false)
        .show_y(false)
        .allow_scroll(false)
        .set_margin_fraction(vec2(0.06, 0.06));
    let focus = Focus::index(view.focus.as_ref(), &session.contents);
    let (fit, centre_on) = (std::mem::take(&mut view.fit), view.centre_on.take());
    let shown = plot.show(ui, |plot| {
        move_view(plot, fit, centre_on);
        plot.add(MapPoints::new(&map.cloud, session.map_edition, focus, &map.drawn));
        draw_rings(plot, session, view, dark);
        draw_queried(plot, session);
    });
    names_ui(ui, session, view, (map, focus), &shown.transform);
    let response = shown.response;
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Canvas, true, format!("Map of {} samples", session.contents.places().len()))
    });
    let Some(pointer) = response.hover_pos() else {
        return;
    };
    let Some(picked) = pick(session, (map, focus), &shown.transform, pointer) else {
        return;
    };
    ui.set_cursor_icon(CursorIcon::PointingHand);
    if response.clicked() {
        out.push(Command::Select(Some(picked)));
    }
    Tooltip::always_open(ui.ctx().clone(), response.layer_id, response.id, PopupAnchor::Pointer)
        .gap(14.0)
        .show(|ui| {
            let (name, label) = name_and_label(session, picked);
            ui.strong(name);
            ui.label(label);
        });
}

/// Applies the wheel and requests to show a place or the whole map.
fn move_view(plot: &mut PlotUi<'_>, fit: bool, centre_on: Option<[f32; 2]>) {
    if fit {
        plot.set_auto_bounds(true);
    }
    if let Some([x, y]) = centre_on.map(|place| place.map(f64::from)) {
        let bounds = plot.plot_bounds();
        // If the place is in view already, the map does not move.
        let inside = |v: f64, range: std::ops::RangeInclusive<f64>| range.contains(&v);
        if !inside(x, bounds.range_x()) || !inside(y, bounds.range_y()) {
            let (w, h) = (bounds.width() / 2.0, bounds.height() / 2.0);
            plot.set_plot_bounds(PlotBounds::from_min_max([x - w, y - h], [x + w, y + h]));
        }
    }
    if plot.response().hovered() {
        let scrolled = plot.ctx().input(|input| input.smooth_scroll_delta.y);
        if scrolled != 0.0 {
            plot.zoom_bounds_around_hovered(Vec2::splat((scrolled * ZOOM).exp()));
        }
    }
}

/// Draws rings around the selection, its neighbours and the marked sample.
fn draw_rings(plot: &mut PlotUi<'_>, session: &Session, view: &View, dark: bool) {
    let plain = if dark { Color32::from_gray(0xd0) } else { Color32::from_gray(0x40) };
    let near: Vec<PlotPoint> =
        session.neighbours().iter().filter_map(|n| point(session, Selection::InLibrary(n.sha256))).collect();
    let mut ring = |name: &str, at: Vec<PlotPoint>, colour, radius| {
        let circle = Points::new(name, PlotPoints::Owned(at)).shape(MarkerShape::Circle).filled(false);
        plot.points(circle.color(colour).radius(radius).allow_hover(false));
    };
    ring("neighbours", near, plain.gamma_multiply(0.7), 7.0);
    let selected = session.selection.and_then(|selection| point(session, selection));
    ring("selected", selected.into_iter().collect(), QUERIED, 10.0);
    let marked = view.marked.and_then(|marked| point(session, marked));
    ring("marked", marked.into_iter().collect(), if dark { Color32::WHITE } else { Color32::BLACK }, 11.0);
}

/// Draws the queried samples.
fn draw_queried(plot: &mut PlotUi<'_>, session: &Session) {
    let places = session.queried.iter().filter_map(|queried| queried.near.place.map(plot_from_place));
    let points = Points::new("queried", PlotPoints::Owned(places.collect())).shape(MarkerShape::Asterisk);
    plot.points(points.color(QUERIED).radius(7.0).allow_hover(false));
}

/// Writes the names of the selected queried sample and of labels, where there is room.
fn names_ui(
    ui: &Ui,
    session: &Session,
    view: &View,
    (map, focus): (&MapState, Option<usize>),
    transform: &PlotTransform,
) {
    let frame = *transform.frame();
    let painter = ui.painter_at(frame);
    let visuals = ui.visuals();
    let behind = visuals.extreme_bg_color.gamma_multiply(0.75);
    let mut names = Names::new(&painter, frame, visuals.strong_text_color(), behind);
    let on_screen = |place| transform.position_from_point(&plot_from_place(place));
    if let Some(selection @ Selection::Queried(_)) = session.selection
        && let Some(place) = session.place_of(selection)
    {
        let (name, _) = name_and_label(session, selection);
        // Beside its ring.
        names.write(&name, &[(on_screen(place) + vec2(13.0, 0.0), Align2::LEFT_CENTER)]);
    }
    if !view.kept.names {
        return;
    }
    for found in &map.name_places {
        if focus.is_some_and(|only| only != found.label) {
            continue;
        }
        if let Some((Some(label), _)) = session.contents.labels().counts().get(found.label) {
            names.write_above(&escape::text(label), on_screen(found.at));
        }
    }
}

/// The place of a sample as a point of the plot.
fn point(session: &Session, selection: Selection) -> Option<PlotPoint> {
    session.place_of(selection).map(plot_from_place)
}

fn plot_from_place([x, y]: [f32; 2]) -> PlotPoint {
    PlotPoint::new(f64::from(x), f64::from(y))
}

/// The nearest sample within reach of the pointer; queried samples come first.
fn pick(
    session: &Session,
    (map, focus): (&MapState, Option<usize>),
    transform: &PlotTransform,
    pointer: egui::Pos2,
) -> Option<Selection> {
    let distance = |place| transform.position_from_point(&plot_from_place(place)).distance_sq(pointer);
    let queried = session
        .queried
        .iter()
        .filter_map(|queried| Some((queried.sample.sha256, distance(queried.near.place?))))
        .filter(|(_, d)| *d <= REACH * REACH)
        .min_by(|a, b| a.1.total_cmp(&b.1));
    if let Some((sha256, _)) = queried {
        return Some(Selection::Queried(sha256));
    }
    let at = transform.value_from_position(pointer);
    let reach = transform.dvalue_dpos().map(|units| (units.abs() as f32) * REACH);
    let labels = session.contents.labels();
    let focused = |row: usize| focus.is_none_or(|only| labels.index_of(row) == Some(only));
    let row = map.cloud.grid.nearest([at.x as f32, at.y as f32], reach, focused, distance)?;
    let entry = session.contents.at(row)?;
    (distance(entry.place?) <= REACH * REACH).then_some(Selection::InLibrary(entry.sha256))
}

/// The file name and the label of a sample.
fn name_and_label(session: &Session, selection: Selection) -> (String, String) {
    let found = match selection {
        Selection::Queried(sha256) => session
            .queried(sha256)
            .map(|queried| (escape::file_name(&queried.sample.path), "queried".to_owned())),
        Selection::InLibrary(sha256) => session
            .contents
            .get(sha256)
            .map(|entry| (escape::file_name(entry.path), escape::label(entry.label))),
    };
    found.unwrap_or_default()
}
