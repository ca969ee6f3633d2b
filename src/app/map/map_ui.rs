//! The map: all samples in two dimensions, coloured by label, with the dropped files among them.
//!
//! The axes of a UMAP have no meaning, so none are drawn. The wheel zooms, dragging pans, a click selects, and a
//! double click shows all samples. The list of labels on the left is the legend.

use super::legend_ui::legend_ui;
use super::names::Names;
use super::overlay::{DROPPED, Overlay};
use super::points::MapPoints;
use super::state::MapState;
use crate::app::command::Command;
use crate::app::command_ui::{command_button_as, command_entry, hint_text};
use crate::app::controls::icon_button;
use crate::app::facts::Facts;
use crate::app::focus::Focus;
use crate::app::paint::{self, Ink};
use crate::app::selection::Selection;
use crate::app::session::Session;
use crate::app::theme::{Tokens, icon};
use crate::app::view::View;
use crate::escape;
use crate::library::Layout;
use crate::workflow::{MapMethod, count};
use egui::{Align2, Button, CursorIcon, PopupAnchor, Pos2, Rect, Role, Tooltip, Ui, Vec2, WidgetInfo, vec2};
use egui_plot::{Plot, PlotBounds, PlotPoint, PlotTransform, PlotUi};

/// The distance within which the pointer picks a point, in logical pixels.
const REACH: f32 = 10.0;
/// Width of the controls above the map. In less room they are a menu.
const CONTROLS: f32 = 220.0;
/// Logarithm of the zoom factor per point of scrolling.
const ZOOM: f32 = 1.0 / 240.0;

/// Points counted under a name, at most.
const COUNTED: usize = 50;

/// Draws the controls above the map, from the right.
pub fn map_controls_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
    out: &mut Vec<Command>,
) {
    if ui.available_width() < CONTROLS {
        let menu = ui.menu_button(icon::CARET_DOWN, |ui| {
            for command in
                [Command::FitMap, Command::ComputeMap(MapMethod::Umap), Command::ComputeMap(MapMethod::Pca)]
            {
                command_entry(ui, facts, command, out);
            }
            ui.checkbox(&mut view.kept.names, "Names");
        });
        menu.response.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Map"));
        return;
    }
    let fit = Command::FitMap.about();
    let button = icon_button(ui, icon::CORNERS_OUT, fit.text);
    if button.on_hover_text(hint_text(ui, fit.hint, fit.key)).clicked() {
        out.push(Command::FitMap);
    }
    let names = ui.toggle_value(&mut view.kept.names, "Names");
    names.on_hover_text(Command::MapNames(true).about().hint);
    ui.add_space(6.0);
    // Until the map is laid out, the two main directions are shown.
    let method =
        if session.contents.layout() == Layout::Sketch { MapMethod::Pca } else { view.kept.map_method };
    for wanted in [MapMethod::Pca, MapMethod::Umap] {
        let command = Command::ComputeMap(wanted);
        let button = Button::selectable(method == wanted, command.about().text);
        command_button_as(ui, facts, button, command, out);
    }
}

/// Draws the map, and the name and label of the sample under the pointer.
pub fn map_ui(ui: &mut Ui, session: &Session, view: &mut View, map: &MapState, out: &mut Vec<Command>) {
    if session.contents.places().is_empty() {
        ui.centered_and_justified(|ui| ui.weak("The map is being computed…"));
        return;
    }
    let plot = Plot::new("map")
        .data_aspect(1.0)
        .show_axes(false)
        .show_grid(false)
        .show_x(false)
        .show_y(false)
        .allow_scroll(false)
        .set_margin_fraction(vec2(0.06, 0.06));
    let focus = Focus::index(view.focus.as_ref(), &session.contents);
    let (fit, zoom) = (std::mem::take(&mut view.fit), view.zoom.take());
    let centre_on = view.centre_on.take().and_then(|selection| map.place_of(session, selection));
    let muted = session.selection.is_some() && !session.neighbours().is_empty();
    let mut radius = 0.0;
    let shown = plot.show(ui, |plot| {
        move_view(plot, fit, zoom, centre_on);
        let points = MapPoints::new(&map.cloud, map.drawing, focus, muted, &map.drawn);
        radius = points.radius(&plot.plot_bounds()).unwrap_or(1.5);
        plot.add(points);
    });
    let frame = *shown.transform.frame();
    let to_screen = |place: [f32; 2]| shown.transform.position_from_point(&plot_from_place(place));
    let overlay = Overlay { session, map, to_screen: &to_screen, frame, radius };
    overlay.draw(ui, view);
    names_ui(ui, &overlay, view, focus, &shown.transform);
    overlay.arrow_at_edge(ui);
    count_ui(ui, session, frame);
    let response = shown.response;
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Canvas, true, format!("Map of {} samples", session.contents.places().len()))
    });
    if let Some(pointer) = response.hover_pos()
        && let Some(picked) = pick(&overlay, focus, &shown.transform, pointer)
    {
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
    legend_ui(ui, frame, &mut view.kept.sections.legend);
}

/// Draws how many samples the map has.
fn count_ui(ui: &Ui, session: &Session, frame: Rect) {
    let tokens = Tokens::of(ui.visuals());
    let mut text = count(session.contents.places().len(), "sample");
    if !session.queried.is_empty() {
        text = format!("{text}, {}", count(session.queried.len(), "dropped file"));
    }
    if session.contents.others() > 0 {
        text = format!("{text}; {} more wait for this model", session.contents.others());
    }
    let place = frame.shrink(12.0);
    paint::text(ui, place, Align2::RIGHT_BOTTOM, &text, &Ink::small(tokens.text2));
}

/// Applies the wheel and requests to show a place or the whole map.
fn move_view(plot: &mut PlotUi<'_>, fit: bool, zoom: Option<f32>, centre_on: Option<[f32; 2]>) {
    if fit {
        plot.set_auto_bounds(true);
    }
    if let Some(zoom) = zoom {
        let bounds = plot.plot_bounds();
        let [x, y] = [0, 1].map(|axis| (bounds.min()[axis] + bounds.max()[axis]) / 2.0);
        let by = f64::from(zoom) * 2.0;
        let (w, h) = (bounds.width() / by, bounds.height() / by);
        plot.set_plot_bounds(PlotBounds::from_min_max([x - w, y - h], [x + w, y + h]));
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

/// Writes the name of the selected file and of labels, where there is room: the label of the selected file first, then
/// those of its neighbours, then by number of samples.
fn names_ui(ui: &Ui, overlay: &Overlay<'_>, view: &View, focus: Option<usize>, transform: &PlotTransform) {
    let (session, map) = (overlay.session, overlay.map);
    let painter = ui.painter_at(overlay.frame);
    let tokens = Tokens::of(ui.visuals());
    let value = |at: Pos2| {
        let at = transform.value_from_position(at);
        [at.x as f32, at.y as f32]
    };
    let covered = |rect: Rect| {
        let (a, b) = (value(rect.left_bottom()), value(rect.right_top()));
        let (min, max) = ([a[0].min(b[0]), a[1].min(b[1])], [a[0].max(b[0]), a[1].max(b[1])]);
        let inside = |place: &&[f32; 2]| (0..2).all(|axis| (min[axis]..=max[axis]).contains(&place[axis]));
        let grid = &map.cloud.grid;
        grid.within(min, max)
            .filter_map(|run| grid.places().get(run))
            .flatten()
            .filter(inside)
            .take(COUNTED)
            .count()
    };
    let mut names = Names::new(&painter, overlay.frame, tokens, &covered);
    overlay.reserve(ui, &mut names);
    if !view.kept.names {
        return;
    }
    let label_of = |sha256| session.contents.get(sha256).map(|entry| entry.label_index);
    let mut first: Vec<usize> = Vec::new();
    if let Some(Selection::InLibrary(sha256)) = session.selection {
        first.extend(label_of(sha256));
    }
    first.extend(session.neighbours().iter().filter_map(|neighbour| label_of(neighbour.sha256)));
    let rank = |label: usize| first.iter().position(|near| *near == label).unwrap_or(usize::MAX);
    let mut order: Vec<_> = map.name_places.iter().collect();
    order.sort_by_key(|found| rank(found.label));
    for found in order {
        if focus.is_some_and(|only| only != found.label) {
            continue;
        }
        if let Some((Some(label), _)) = session.contents.labels().counts().get(found.label) {
            let at = transform.position_from_point(&plot_from_place(found.at));
            let strong = first.first() == Some(&found.label);
            names.write(&escape::text(label), at - vec2(0.0, overlay.radius), strong, tokens.text);
        }
    }
}

fn plot_from_place([x, y]: [f32; 2]) -> PlotPoint {
    PlotPoint::new(f64::from(x), f64::from(y))
}

/// The nearest sample within reach of the pointer; dropped files come first.
fn pick(
    overlay: &Overlay<'_>,
    focus: Option<usize>,
    transform: &PlotTransform,
    pointer: Pos2,
) -> Option<Selection> {
    let (session, map) = (overlay.session, overlay.map);
    let distance = |place| (overlay.to_screen)(place).distance_sq(pointer);
    let dropped = session
        .queried
        .iter()
        .take(DROPPED)
        .map(|queried| Selection::Queried(queried.sample.sha256))
        .filter_map(|this| Some((this, overlay.at(this)?.distance_sq(pointer))))
        .filter(|(_, d)| *d <= REACH * REACH)
        .min_by(|a, b| a.1.total_cmp(&b.1));
    if let Some((dropped, _)) = dropped {
        return Some(dropped);
    }
    let at = transform.value_from_position(pointer);
    let reach = transform.dvalue_dpos().map(|units| (units.abs() as f32) * REACH);
    let labels = session.contents.labels();
    let focused = |row: usize| focus.is_none_or(|only| labels.index_of(row) == Some(only));
    let row = map.cloud.grid.nearest([at.x as f32, at.y as f32], reach, focused, distance)?;
    let this = Selection::InLibrary(session.contents.at(row)?.sha256);
    (overlay.at(this)?.distance_sq(pointer) <= REACH * REACH).then_some(this)
}

/// The file name and the label of a sample.
fn name_and_label(session: &Session, selection: Selection) -> (String, String) {
    let found = match selection {
        Selection::Queried(sha256) => session
            .queried(sha256)
            .map(|queried| (escape::file_name(&queried.sample.path), "dropped".to_owned())),
        Selection::InLibrary(sha256) => session
            .contents
            .get(sha256)
            .map(|entry| (escape::file_name(entry.path), escape::label(entry.label))),
    };
    found.unwrap_or_default()
}
