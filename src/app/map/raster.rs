//! Rasterizes points at a cost that does not grow with how much a million points overlap. Few points are drawn
//! as symbols ([`stamps`]), many as a [`field`]. Both visit only points in view, and each thread draws a band of
//! the image.

use super::cloud::Cloud;
use super::field;
use super::stamps::{self, Stamps, Top};
use super::viewport::{Band, Frame, Viewport};
use egui::Color32;

/// Fewer points than this are drawn by one thread.
const FEW: usize = 20_000;

/// Draws clouds and reuses its buffers.
#[derive(Default)]
pub struct Raster {
    stamps: Option<Stamps>,
    /// For each pixel of the frame, the key of its topmost point; 0 for none.
    top: Vec<u32>,
}

impl Raster {
    /// The image of `cloud`, premultiplied, row by row from the top.
    pub fn draw(&mut self, cloud: &Cloud, viewport: &Viewport) -> Vec<Color32> {
        let [width, height] = viewport.size;
        let mut out = vec![Color32::TRANSPARENT; width * height];
        if width == 0 || height == 0 {
            return out;
        }
        let threads = match cloud.grid.len() {
            0..FEW => 1,
            _ => std::thread::available_parallelism().map_or(1, usize::from),
        };
        match viewport.radius {
            Some(radius) => self.draw_stamps(cloud, viewport, radius, threads, &mut out),
            None => self.draw_field(cloud, viewport, threads, &mut out),
        }
        out
    }

    fn draw_stamps(
        &mut self,
        cloud: &Cloud,
        viewport: &Viewport,
        radius: f32,
        threads: usize,
        out: &mut [Color32],
    ) {
        let made_for = (radius, viewport.ink);
        let stamps = match self.stamps.take() {
            Some(stamps) if stamps.made_for == made_for => stamps,
            _ => Stamps::new(radius, viewport.ink),
        };
        let (frame, top) = self.frame(viewport, stamps.reach);
        let taken = in_bands(top, frame.stride, threads, |first, top| {
            stamps::rasterize(cloud, viewport, &frame, first, top)
        });
        let top = Top { keys: top, stride: frame.stride };
        let width = viewport.size[0];
        in_bands(out, width, threads, |first, pixels| {
            stamps::stamp(cloud, &stamps, &top, &taken, &mut Band { first, pixels, width });
        });
        self.stamps = Some(stamps);
    }

    fn draw_field(&mut self, cloud: &Cloud, viewport: &Viewport, threads: usize, out: &mut [Color32]) {
        let (frame, top) = self.frame(viewport, 1);
        in_bands(top, frame.stride, threads, |first, top| {
            field::rasterize(cloud, viewport, &frame, first, top);
        });
        let colours = field::colours(cloud, viewport);
        let width = viewport.size[0];
        in_bands(out, width, threads, |first, pixels| {
            field::fill(top, frame.stride, &colours, &mut Band { first, pixels, width });
        });
    }

    /// An empty frame.
    fn frame(&mut self, viewport: &Viewport, margin: usize) -> (Frame, &mut [u32]) {
        let [stride, rows] = viewport.size.map(|side| side + 2 * margin);
        self.top.clear();
        self.top.resize(stride * rows, 0);
        (Frame { margin, stride }, &mut self.top)
    }
}

/// Gives each thread a band of rows with the number of its first row. The threads are new: those of the pool may
/// be busy with jobs, and a frame must not wait for them.
fn in_bands<T: Send, R: Send>(
    pixels: &mut [T],
    stride: usize,
    threads: usize,
    work: impl Fn(usize, &mut [T]) -> R + Sync,
) -> Vec<R> {
    let rows = (pixels.len() / stride).div_ceil(threads.max(1)).max(1);
    let mut bands = pixels.chunks_mut(stride * rows).enumerate().map(|(i, band)| (i * rows, band));
    let Some((first, own)) = bands.next() else { return Vec::new() };
    std::thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = bands.map(|(first, band)| scope.spawn(move || work(first, band))).collect();
        let mut done = vec![work(first, own)];
        // A thread that panicked ends this one too.
        done.extend(
            others.into_iter().map(|other| other.join().unwrap_or_else(|why| std::panic::resume_unwind(why))),
        );
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::map::viewport::Ink;
    use crate::app::symbol::Symbol;

    const FADED: Color32 = Color32::from_rgba_premultiplied(30, 30, 30, 60);

    fn viewport(radius: f32) -> Viewport {
        Viewport {
            size: [200, 150],
            centre: [0.0; 2],
            scale: [10.0, -10.0],
            radius: Some(radius),
            focus: None,
            ink: Ink { dark: true, faded: FADED, muted: false },
        }
    }

    fn drawn(places: &[[f32; 2]], labels: &[u32], viewport: &Viewport) -> Vec<Color32> {
        let cloud = Cloud::new(places, labels, &[Symbol::of(0), Symbol::of(1), Symbol::NONE]);
        Raster::default().draw(&cloud, viewport)
    }

    #[test]
    fn a_symbol_is_at_its_place_and_has_its_radius() {
        for (x, y) in [(0.0, 0.0), (3.3, -2.7), (-9.9, 7.4)] {
            let pixels = drawn(&[[x, y]], &[0], &viewport(5.0));
            let (mut area, mut middle) = (0.0, [0.0; 2]);
            for (i, pixel) in pixels.iter().enumerate() {
                let a = f32::from(pixel.a()) / 255.0;
                area += a;
                middle[0] += a * ((i % 200) as f32 + 0.5);
                middle[1] += a * ((i / 200) as f32 + 0.5);
            }
            let whole = std::f32::consts::PI * 25.0;
            if x > -9.0 {
                assert!((area - whole).abs() < 2.0, "{area} {whole}");
                assert!((middle[0] / area - (100.0 + 10.0 * x)).abs() < 0.2, "{}", middle[0] / area);
                assert!((middle[1] / area - (75.0 - 10.0 * y)).abs() < 0.2, "{}", middle[1] / area);
            } else {
                // At the corner, only a part of it is in view.
                assert!(area > 10.0 && area < whole / 1.5, "{area}");
            }
        }
    }

    #[test]
    fn bands_and_points_side_by_side_leave_no_seam() {
        // A field of points, one in each pixel: everything is covered, without a hole.
        let places: Vec<[f32; 2]> = (0..200 * 150)
            .map(|i| [(i % 200) as f32 / 10.0 - 9.96, (i / 200) as f32 / 10.0 - 7.43])
            .collect();
        let pixels = drawn(&places, &vec![1; places.len()], &viewport(2.0));
        let want = Symbol::of(1).colour(true).to_array();
        for pixel in pixels {
            // An edge over its own colour may be a step off.
            assert!(pixel.to_array().iter().zip(want).all(|(a, b)| a.abs_diff(b) <= 2), "{pixel:?}");
        }
    }

    #[test]
    fn later_labels_and_the_focus_are_on_top() {
        let at = 75 * 200 + 100;
        let both = [[0.0, 0.0], [0.0, 0.0]];
        assert_eq!(drawn(&both, &[1, 0], &viewport(4.0))[at], Symbol::of(1).colour(true));
        let focus = Viewport { focus: Some(0), ..viewport(4.0) };
        assert_eq!(drawn(&both, &[1, 0], &focus)[at], Symbol::of(0).colour(true));
        assert_eq!(drawn(&both[1..], &[1], &focus)[at], FADED);
        // Labels that are not in focus do not add up.
        assert_eq!(drawn(&[[0.0, 0.0], [0.1, 0.0], [0.0, 0.1]], &[1; 3], &focus)[at], FADED);
    }

    #[test]
    fn a_field_shows_each_point_and_its_four_neighbours() {
        let field = Viewport { radius: None, ..viewport(1.0) };
        let pixels = drawn(&[[0.02, 0.02], [-9.99, 7.49], [0.02, 0.02], [900.0, 0.0]], &[0, 1, 1, 0], &field);
        let mut shown: Vec<usize> = (0..pixels.len()).filter(|i| pixels[*i].a() > 0).collect();
        let at = |x: usize, y: usize| y * 200 + x;
        let mut want = vec![at(0, 0), at(1, 0), at(0, 1)];
        want.extend([at(100, 73), at(99, 74), at(100, 74), at(101, 74), at(100, 75)]);
        want.sort_unstable();
        shown.sort_unstable();
        assert_eq!(shown, want);
        assert_eq!(pixels[at(100, 74)], Symbol::of(1).colour(true));
        let focus = Viewport { focus: Some(0), ..field };
        let pixels = drawn(&[[0.02, 0.02], [-9.99, 7.49], [0.02, 0.02]], &[0, 1, 1], &focus);
        assert_eq!((pixels[at(100, 74)], pixels[0]), (Symbol::of(0).colour(true), FADED));
    }

    #[test]
    fn places_far_out_or_not_finite_are_not_drawn() {
        let places = [[f32::NAN, 0.0], [1e30, -1e30], [f32::MIN, f32::MAX], [-500.0, 3.0]];
        for viewport in [viewport(3.0), Viewport { radius: None, ..viewport(3.0) }] {
            let pixels = drawn(&places, &[0; 4], &viewport);
            assert!(pixels.iter().all(|pixel| pixel.a() == 0));
        }
        let nothing = Viewport { size: [0, 9], ..viewport(3.0) };
        assert!(drawn(&places, &[0; 4], &nothing).is_empty());
    }
}
