//! Points as pixels: what a map of a million points costs each frame must not grow with their
//! overlapping. Few are drawn as symbols ([`point_stamps`]), many as a field ([`point_field`]); both look
//! only at points that are in view, and each thread draws a band of the picture.
//!
//! [`point_stamps`]: super::point_stamps
//! [`point_field`]: super::point_field

use super::point_stamps::{SYMBOLS, Stamps, Top};
use super::{point_field, point_stamps};
use crate::projection::PlaceGrid;
use egui::Color32;

/// Fewer points than this are drawn by one thread.
const FEW: usize = 20_000;

/// Points, their labels, and where they lie.
#[derive(Debug, Default)]
pub struct Cloud {
    /// The places.
    pub grid: PlaceGrid,
    /// The label of each place, in the order of the grid.
    labels: Vec<u16>,
    /// For each label, its symbol.
    pub symbols: Vec<u8>,
}

impl Cloud {
    /// `label_of[row]` is the label of `places[row]`; `named[label]` whether it is a label at all, and not
    /// the lack of one.
    pub fn new(places: &[[f32; 2]], label_of: &[usize], named: &[bool]) -> Self {
        let grid = PlaceGrid::new(places);
        let label = |row: &u32| label_of.get(*row as usize).map_or(0, |label| *label as u16);
        let labels = grid.order().iter().map(label).collect();
        let symbols = named
            .iter()
            .enumerate()
            .map(|(i, named)| if *named { i % (SYMBOLS - 1) } else { SYMBOLS - 1 } as u8);
        Self { labels, symbols: symbols.collect(), grid }
    }

    /// The places that may be in view, and their labels, in runs.
    pub fn within(&self, view: &BandView) -> impl Iterator<Item = (&[[f32; 2]], &[u16])> {
        self.grid
            .within(view.min, view.max)
            .filter_map(|run| Some((self.grid.places().get(run.clone())?, self.labels.get(run)?)))
    }
}

/// What part of the plane is drawn, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Picture {
    /// Pixels, width and height.
    pub size: [usize; 2],
    /// Place in the plane of the middle of the picture.
    pub centre: [f32; 2],
    /// Pixels a unit; upwards is negative.
    pub scale: [f32; 2],
    /// Radius of a symbol, in pixels; `None` for a field.
    pub radius: Option<f32>,
    /// Only this label is in focus.
    pub focus: Option<usize>,
    /// Of what is not in focus; drawn without adding up where symbols overlap.
    pub faded: Color32,
}

/// The picture with its margin, into which fall points whose symbols reach into it.
pub struct Frame {
    /// Pixels about the picture.
    pub margin: usize,
    /// Pixels in a row.
    pub stride: usize,
}

/// Where some rows of a [`Frame`] lie in the plane.
pub struct BandView {
    /// Pixels a unit.
    pub scale: [f32; 2],
    /// The pixel of the plane's origin.
    pub offset: [f32; 2],
    centre: [f32; 2],
    origin: [f32; 2],
    /// The corners.
    pub min: [f32; 2],
    /// The corners.
    pub max: [f32; 2],
}

impl Frame {
    /// `rows` rows from `first` on.
    pub fn band(&self, picture: &Picture, first: usize, rows: usize) -> BandView {
        let (centre, scale, margin) = (picture.centre, picture.scale, self.margin as f32);
        let [width, height] = picture.size.map(|side| side as f32);
        let origin = [width / 2.0 + margin, height / 2.0 + margin - first as f32];
        let corner =
            |x: f32, y: f32| [centre[0] + (x - origin[0]) / scale[0], centre[1] + (y - origin[1]) / scale[1]];
        let corners = [corner(0.0, 0.0), corner(self.stride as f32, rows as f32)];
        BandView {
            scale,
            offset: [0, 1].map(|axis| origin[axis] - centre[axis] * scale[axis]),
            centre,
            origin,
            min: [0, 1].map(|axis| corners[0][axis].min(corners[1][axis])),
            max: [0, 1].map(|axis| corners[0][axis].max(corners[1][axis])),
        }
    }
}

impl BandView {
    /// Where a place falls, in pixels from the upper left corner. Counted from the middle of the picture:
    /// near to it, differences of places are exact.
    #[inline(always)]
    pub fn pixel(&self, place: [f32; 2]) -> [f32; 2] {
        [0, 1].map(|axis| (place[axis] - self.centre[axis]) * self.scale[axis] + self.origin[axis])
    }
}

/// Some rows of the picture.
pub struct Band<'a> {
    /// The number of the first.
    pub first: usize,
    /// Row after row.
    pub pixels: &'a mut [Color32],
    /// Of a row.
    pub width: usize,
}

/// Draws pictures, and keeps what it needs for the next.
#[derive(Default)]
pub struct Raster {
    stamps: Option<Stamps>,
    /// For each pixel, and a margin about the picture, the topmost of what falls into it.
    top: Vec<u32>,
}

impl Raster {
    /// The picture of `cloud`, premultiplied, row after row from the top.
    pub fn draw(&mut self, cloud: &Cloud, picture: &Picture) -> Vec<Color32> {
        let [width, height] = picture.size;
        let mut out = vec![Color32::TRANSPARENT; width * height];
        if width == 0 || height == 0 {
            return out;
        }
        let threads = match cloud.grid.len() {
            0..FEW => 1,
            _ => std::thread::available_parallelism().map_or(1, usize::from),
        };
        match picture.radius {
            Some(radius) => self.draw_stamps(cloud, picture, radius, threads, &mut out),
            None => self.draw_field(cloud, picture, threads, &mut out),
        }
        out
    }

    fn draw_stamps(
        &mut self,
        cloud: &Cloud,
        picture: &Picture,
        radius: f32,
        threads: usize,
        out: &mut [Color32],
    ) {
        let made_for = (radius, picture.faded);
        let stamps = match self.stamps.take() {
            Some(stamps) if stamps.made_for == made_for => stamps,
            _ => Stamps::new(radius, picture.faded),
        };
        let (frame, top) = self.frame(picture, stamps.reach);
        let taken = in_bands(top, frame.stride, threads, |first, top| {
            point_stamps::fall(cloud, picture, &frame, first, top)
        });
        let top = Top { keys: top, stride: frame.stride };
        let width = picture.size[0];
        in_bands(out, width, threads, |first, pixels| {
            point_stamps::stamp(cloud, &stamps, &top, &taken, &mut Band { first, pixels, width });
        });
        self.stamps = Some(stamps);
    }

    fn draw_field(&mut self, cloud: &Cloud, picture: &Picture, threads: usize, out: &mut [Color32]) {
        let (frame, top) = self.frame(picture, 1);
        in_bands(top, frame.stride, threads, |first, top| {
            point_field::fall(cloud, picture, &frame, first, top)
        });
        let colours = point_field::colours(cloud, picture);
        let width = picture.size[0];
        in_bands(out, width, threads, |first, pixels| {
            point_field::fill(top, frame.stride, &colours, &mut Band { first, pixels, width });
        });
    }

    /// Empty pixels for what falls into the picture and its margin.
    fn frame(&mut self, picture: &Picture, margin: usize) -> (Frame, &mut [u32]) {
        let [stride, rows] = picture.size.map(|side| side + 2 * margin);
        self.top.clear();
        self.top.resize(stride * rows, 0);
        (Frame { margin, stride }, &mut self.top)
    }
}

/// Gives each thread a band of rows, with the number of its first row. Threads of their own, since those
/// that jobs share may be busy, and a frame must not wait for them.
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
    use crate::app::theme::Symbol;

    const FADED: Color32 = Color32::from_rgba_premultiplied(30, 30, 30, 60);

    fn picture(radius: f32) -> Picture {
        Picture {
            size: [200, 150],
            centre: [0.0; 2],
            scale: [10.0, -10.0],
            radius: Some(radius),
            focus: None,
            faded: FADED,
        }
    }

    fn drawn(places: &[[f32; 2]], labels: &[usize], picture: &Picture) -> Vec<Color32> {
        let cloud = Cloud::new(places, labels, &[true, true, false]);
        Raster::default().draw(&cloud, picture)
    }

    #[test]
    fn a_symbol_is_where_its_place_is_and_as_large_as_asked() {
        for (x, y) in [(0.0, 0.0), (3.3, -2.7), (-9.9, 7.4)] {
            let pixels = drawn(&[[x, y]], &[0], &picture(5.0));
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
                // At the corner a part of it.
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
        let pixels = drawn(&places, &vec![1; places.len()], &picture(2.0));
        let want = Symbol::of(Some(1)).colour.to_array();
        for pixel in pixels {
            // An edge over its own colour may be a step off.
            assert!(pixel.to_array().iter().zip(want).all(|(a, b)| a.abs_diff(b) <= 2), "{pixel:?}");
        }
    }

    #[test]
    fn later_labels_and_the_focus_lie_on_top() {
        let at = 75 * 200 + 100;
        let both = [[0.0, 0.0], [0.0, 0.0]];
        assert_eq!(drawn(&both, &[1, 0], &picture(4.0))[at], Symbol::of(Some(1)).colour);
        let focus = Picture { focus: Some(0), ..picture(4.0) };
        assert_eq!(drawn(&both, &[1, 0], &focus)[at], Symbol::of(Some(0)).colour);
        assert_eq!(drawn(&both[1..], &[1], &focus)[at], FADED);
        // What is not in focus does not add up.
        assert_eq!(drawn(&[[0.0, 0.0], [0.1, 0.0], [0.0, 0.1]], &[1; 3], &focus)[at], FADED);
    }

    #[test]
    fn a_field_shows_each_point_and_its_four_neighbours() {
        let field = Picture { radius: None, ..picture(1.0) };
        let pixels = drawn(&[[0.02, 0.02], [-9.99, 7.49], [0.02, 0.02], [900.0, 0.0]], &[0, 1, 1, 0], &field);
        let mut shown: Vec<usize> = (0..pixels.len()).filter(|i| pixels[*i].a() > 0).collect();
        let at = |x: usize, y: usize| y * 200 + x;
        let mut want = vec![at(0, 0), at(1, 0), at(0, 1)];
        want.extend([at(100, 73), at(99, 74), at(100, 74), at(101, 74), at(100, 75)]);
        want.sort_unstable();
        shown.sort_unstable();
        assert_eq!(shown, want);
        assert_eq!(pixels[at(100, 74)], Symbol::of(Some(1)).colour);
        let focus = Picture { focus: Some(0), ..field };
        let pixels = drawn(&[[0.02, 0.02], [-9.99, 7.49], [0.02, 0.02]], &[0, 1, 1], &focus);
        assert_eq!((pixels[at(100, 74)], pixels[0]), (Symbol::of(Some(0)).colour, FADED));
    }

    #[test]
    fn what_is_far_out_or_no_number_is_no_trouble() {
        let places = [[f32::NAN, 0.0], [1e30, -1e30], [f32::MIN, f32::MAX], [-500.0, 3.0]];
        for picture in [picture(3.0), Picture { radius: None, ..picture(3.0) }] {
            let pixels = drawn(&places, &[0; 4], &picture);
            assert!(pixels.iter().all(|pixel| pixel.a() == 0));
        }
        let nothing = Picture { size: [0, 9], ..picture(3.0) };
        assert!(drawn(&places, &[0; 4], &nothing).is_empty());
    }
}
