//! The samples on the map: a plot item drawn as one texture, which is redrawn only when the view or the samples
//! change.

use super::cloud::Cloud;
use super::raster::Raster;
use super::viewport::{Ink, Viewport};
use crate::app::theme::Tokens;
use egui::{Color32, ColorImage, Rect, Shape, TextureHandle, TextureOptions, Ui, pos2, vec2};
use egui_plot::{PlotBounds, PlotGeometry, PlotItem, PlotItemBase, PlotTransform};
use std::cell::RefCell;
use std::ops::RangeInclusive;

/// The map as last drawn.
#[derive(Default)]
pub struct Drawn {
    raster: Raster,
    /// The edition of the cloud and the viewport that the texture shows.
    of: Option<(u64, Viewport)>,
    texture: Option<TextureHandle>,
}

/// The samples, for one frame.
pub struct MapPoints<'a> {
    base: PlotItemBase,
    cloud: &'a Cloud,
    /// Changes whenever the cloud changes.
    edition: u64,
    focus: Option<usize>,
    muted: bool,
    drawn: &'a RefCell<Drawn>,
}

impl<'a> MapPoints<'a> {
    /// The samples of `cloud`, whose `edition` changes whenever it does. `focus` is the label in focus, if only one
    /// is; `muted` points stand back behind what is drawn on top of them.
    pub fn new(
        cloud: &'a Cloud,
        edition: u64,
        focus: Option<usize>,
        muted: bool,
        drawn: &'a RefCell<Drawn>,
    ) -> Self {
        Self { base: PlotItemBase::new("samples".to_owned()), cloud, edition, focus, muted, drawn }
    }

    /// The radius of a symbol, in points; `None` if there are too many symbols to be distinguished. It depends on
    /// the zoom and not on the position, so panning does not change it.
    pub fn radius(&self, view: &PlotBounds) -> Option<f32> {
        let all = self.bounds();
        let share = |axis: fn(&PlotBounds) -> f64| (axis(view) / axis(&all).max(1e-30)).min(1.0);
        let shown = self.cloud.grid.len() as f64 * share(PlotBounds::width) * share(PlotBounds::height);
        match shown as usize {
            0..1000 => Some(3.8),
            1000..10_000 => Some(3.0),
            10_000..40_000 => Some(2.0),
            _ => None,
        }
    }
}

impl PlotItem for MapPoints<'_> {
    fn shapes(&self, ui: &Ui, transform: &PlotTransform, shapes: &mut Vec<Shape>) {
        let density = ui.pixels_per_point();
        // Whole pixels, so that the texture is not resampled.
        let frame = transform.frame();
        let corner = |pos: egui::Pos2, round: fn(f32) -> f32| {
            pos2(round(pos.x * density) / density, round(pos.y * density) / density)
        };
        let rect = Rect::from_min_max(corner(frame.min, f32::floor), corner(frame.max, f32::ceil));
        let side = |points: f32| ((points * density).round() as usize).min(ui.input(|i| i.max_texture_side));
        let centre = transform.value_from_position(rect.center());
        let scale = transform.dpos_dvalue().map(|pixels| pixels as f32 * density);
        if !scale.iter().all(|scale| scale.is_finite() && *scale != 0.0) {
            return;
        }
        let viewport = Viewport {
            size: [side(rect.width()), side(rect.height())],
            centre: [centre.x as f32, centre.y as f32],
            scale,
            radius: self.radius(transform.bounds()).map(|radius| radius * density),
            focus: self.focus,
            ink: Ink {
                dark: ui.visuals().dark_mode,
                faded: Tokens::of(ui.visuals()).link.gamma_multiply(0.3),
                muted: self.muted,
            },
        };
        let drawn = &mut *self.drawn.borrow_mut();
        if drawn.of != Some((self.edition, viewport)) {
            let pixels = drawn.raster.draw(self.cloud, &viewport);
            let image = ColorImage::new(viewport.size, pixels);
            match &mut drawn.texture {
                Some(texture) => texture.set(image, TextureOptions::NEAREST),
                none => *none = Some(ui.ctx().load_texture("map", image, TextureOptions::NEAREST)),
            }
            drawn.of = Some((self.edition, viewport));
        }
        if let Some(texture) = &drawn.texture {
            let whole = Rect::from_min_size(pos2(0.0, 0.0), vec2(1.0, 1.0));
            shapes.push(Shape::image(texture.id(), rect, whole, Color32::WHITE));
        }
    }

    fn initialize(&mut self, _: RangeInclusive<f64>) {}

    fn color(&self) -> Color32 {
        Color32::TRANSPARENT
    }

    fn geometry(&self) -> PlotGeometry<'_> {
        PlotGeometry::None
    }

    fn bounds(&self) -> PlotBounds {
        match self.cloud.grid.bounds() {
            Some([min, max]) => PlotBounds::from_min_max(min.map(f64::from), max.map(f64::from)),
            None => PlotBounds::NOTHING,
        }
    }

    fn base(&self) -> &PlotItemBase {
        &self.base
    }

    fn base_mut(&mut self) -> &mut PlotItemBase {
        &mut self.base
    }
}
