//! Names on the map: each label's name is written above the places where its samples are densest, so the map
//! can be read without the legend.

use crate::app::paint::{self, Ink};
use crate::app::theme::Tokens;
use egui::{Align2, Color32, Painter, Pos2, Rect, Stroke, vec2};

/// Cells along a side of the map, in which the parts of a label are found.
const SIDE: usize = 16;
/// A label is named at each part with at least this share of its samples: a family may form several parts.
const SHARE: f32 = 0.1;
/// With more labels than this none is named: the names would hide the samples.
const MOST: usize = 1000;
/// Distance between a name and its samples, in logical pixels.
const GAP: f32 = 5.0;
/// A name farther than this from its samples has a line to them, in logical pixels.
const LEADER: f32 = 9.0;
/// Characters of a name, at most.
const LONGEST: usize = 40;

/// A place for the name of one label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NamePlace {
    /// The index of the label.
    pub label: usize,
    /// The place on the map: above the centre of the densest cells.
    pub at: [f32; 2],
    /// Samples in this part of the label.
    pub samples: u32,
}

/// Samples of one label in one cell.
#[derive(Clone, Copy, Default)]
struct Heap {
    samples: u32,
    /// Sum of their x.
    x: f64,
    /// The largest y.
    top: f32,
}

impl Heap {
    fn add(&mut self, other: Self) {
        if other.samples > 0 {
            self.top = if self.samples == 0 { other.top } else { self.top.max(other.top) };
            self.samples += other.samples;
            self.x += other.x;
        }
    }
}

/// The places for names, largest parts first. `label_of[row]` is the label of `places[row]`, less than
/// `labels`; `bounds` are the least and the largest coordinates.
pub fn name_places(
    places: &[[f32; 2]],
    label_of: &[u32],
    labels: usize,
    bounds: [[f32; 2]; 2],
) -> Vec<NamePlace> {
    if labels > MOST {
        return Vec::new();
    }
    let [min, max] = bounds;
    let cell = |axis: usize, v: f32| {
        let share = (v - min[axis]) / (max[axis] - min[axis]).max(f32::MIN_POSITIVE);
        ((share * SIDE as f32) as usize).min(SIDE - 1)
    };
    let mut heaps = vec![[Heap::default(); SIDE * SIDE]; labels];
    for (place, label) in places.iter().zip(label_of) {
        let [x, y] = *place;
        let heap = heaps.get_mut(*label as usize).and_then(|of| of.get_mut(cell(1, y) * SIDE + cell(0, x)));
        if let Some(heap) = heap {
            heap.add(Heap { samples: 1, x: f64::from(x), top: y });
        }
    }
    let mut out = Vec::new();
    for (label, cells) in heaps.iter().enumerate() {
        out.extend(parts(cells).into_iter().map(|(at, samples)| NamePlace { label, at, samples }));
    }
    out.sort_by(|a, b| b.samples.cmp(&a.samples).then(a.label.cmp(&b.label)));
    out
}

/// The parts of a label, which are groups of adjacent cells: for each, the place of its name and its number of
/// samples. The three by three cells with most samples determine x; the name is above all samples that continue
/// upwards from them without a gap.
fn parts(cells: &[Heap; SIDE * SIDE]) -> Vec<([f32; 2], u32)> {
    let mut out = Vec::new();
    let mut seen = [false; SIDE * SIDE];
    for first in 0..cells.len() {
        let (mut samples, mut densest) = (0, (Heap::default(), first));
        let mut waiting = vec![first];
        while let Some(i) = waiting.pop() {
            if cells[i].samples == 0 || std::mem::replace(&mut seen[i], true) {
                continue;
            }
            samples += cells[i].samples;
            let square = row_around(i).flat_map(column_around);
            waiting.extend(square.clone());
            let square = sum(cells, square);
            if square.samples > densest.0.samples {
                densest = (square, i);
            }
        }
        if samples > 0 {
            let (square, mut at) = densest;
            let mut top = square.top;
            while at + SIDE < cells.len() {
                at += SIDE;
                let above = sum(cells, row_around(at));
                if above.samples == 0 {
                    break;
                }
                top = top.max(above.top);
            }
            out.push(([(square.x / f64::from(square.samples)) as f32, top], samples));
        }
    }
    let all: u32 = cells.iter().map(|heap| heap.samples).sum();
    let most = out.iter().map(|(_, samples)| *samples).max().unwrap_or(0);
    out.retain(|(_, samples)| *samples == most || *samples as f32 >= SHARE * all as f32);
    out
}

/// A cell and those to its left and right.
fn row_around(i: usize) -> std::ops::RangeInclusive<usize> {
    let x = i % SIDE;
    i - x.min(1)..=i + usize::from(x + 1 < SIDE)
}

/// A cell and those below and above it.
fn column_around(i: usize) -> impl Iterator<Item = usize> + Clone {
    (i % SIDE..SIDE * SIDE).step_by(SIDE).filter(move |other| i.abs_diff(*other) <= SIDE)
}

fn sum(cells: &[Heap; SIDE * SIDE], of: impl Iterator<Item = usize>) -> Heap {
    let mut out = Heap::default();
    of.for_each(|i| out.add(cells[i]));
    out
}

/// Names drawn at once, at most.
const DRAWN: usize = 24;
/// How many points of the map a place for a name may cover more than another, for each step that it is farther away.
const FARTHER: usize = 2;

/// Writes names into a frame, without overlap, where they cover few points.
pub struct Names<'a> {
    painter: &'a Painter,
    frame: Rect,
    ink: Ink,
    behind: Color32,
    line: Color32,
    covered: &'a dyn Fn(Rect) -> usize,
    taken: Vec<Rect>,
    written: usize,
}

impl<'a> Names<'a> {
    /// Writes within `frame`, in the colours of `tokens`. `covered` counts the points of the map in a rectangle.
    pub fn new(
        painter: &'a Painter,
        frame: Rect,
        tokens: &Tokens,
        covered: &'a dyn Fn(Rect) -> usize,
    ) -> Self {
        let behind = tokens.sunken.gamma_multiply(0.8);
        let ink = Ink::small(tokens.text2);
        Self { painter, frame, ink, behind, line: tokens.link, covered, taken: Vec::new(), written: 0 }
    }

    /// Keeps names off a rectangle.
    pub fn reserve(&mut self, rect: Rect) {
        self.taken.push(rect);
    }

    /// A free place for a tag of this size near `at`, which is reserved; `None` if there is none.
    pub fn place_tag(&mut self, at: Pos2, size: egui::Vec2) -> Option<Rect> {
        let beside = |x: f32, y: f32| Rect::from_center_size(at + vec2(x, y), size);
        let (dx, dy) = (size.x / 2.0 + 16.0, size.y / 2.0 + 16.0);
        let places = [1.0, 1.8, 3.0].into_iter().flat_map(|far| {
            [
                beside(0.0, dy * far),
                beside(0.0, -dy * far),
                beside(dx, dy * (far - 1.0)),
                beside(-dx, dy * (far - 1.0)),
            ]
        });
        let places: Vec<Rect> = places.map(|rect| into(rect, self.frame)).collect();
        let rect = self.best(places.into_iter())?;
        self.taken.push(rect);
        Some(rect)
    }

    /// Writes `name` near `at`, the top of its samples, or farther away with a line to them, or not at all if there is no
    /// room. `strong` names are brighter.
    pub fn write(&mut self, name: &str, at: Pos2, strong: bool, text: Color32) {
        if self.written >= DRAWN || !self.frame.contains(at) {
            return;
        }
        let ink =
            if strong { Ink { colour: text, ..self.ink.clone() }.weight(600.0) } else { self.ink.clone() };
        let galley = paint::layout(self.painter, &shortened(name), &ink, f32::INFINITY);
        let size = galley.size() + vec2(8.0, 2.0);
        let near = [
            Align2::CENTER_BOTTOM.anchor_size(at - vec2(0.0, GAP), size),
            Align2::LEFT_CENTER.anchor_size(at + vec2(2.0 * GAP, GAP), size),
            Align2::RIGHT_CENTER.anchor_size(at + vec2(-2.0 * GAP, GAP), size),
        ];
        let around = [1.0_f32, 1.8].into_iter().flat_map(|far| {
            (0..8).map(move |i| {
                let angle = std::f32::consts::TAU * (i as f32 / 8.0 - 0.25);
                let away = vec2(angle.cos() * (22.0 + size.x / 2.0), angle.sin() * (20.0 + size.y / 2.0));
                Rect::from_center_size(at + away * far, size)
            })
        });
        let places: Vec<Rect> = near.into_iter().chain(around).map(|rect| into(rect, self.frame)).collect();
        let Some(rect) = self.best(places.into_iter()) else { return };
        self.painter.rect_filled(rect, 4.0, self.behind);
        if rect.expand(LEADER).contains(at) {
            // Beside its samples.
        } else {
            let from = rect.clamp(at);
            self.painter.line_segment([from, at], Stroke::new(1.0, self.line));
        }
        self.painter.galley(rect.center() - galley.size() / 2.0, galley, ink.colour);
        self.taken.push(rect);
        self.written += 1;
    }

    /// The free place that covers fewest points; each place later in the list has to cover fewer.
    fn best(&self, places: impl Iterator<Item = Rect>) -> Option<Rect> {
        places
            .enumerate()
            .filter(|(_, rect)| !self.taken.iter().any(|taken| taken.intersects(*rect)))
            .min_by_key(|(i, rect)| (self.covered)(*rect) + i * FARTHER)
            .map(|(_, rect)| rect)
    }
}

/// A name cut to the longest that is written.
fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// `rect` moved into `frame`, by as little as possible.
fn into(rect: Rect, frame: Rect) -> Rect {
    let by = (frame.min - rect.min).max(vec2(0.0, 0.0)) + (frame.max - rect.max).min(vec2(0.0, 0.0));
    rect.translate(by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::pos2;

    const UNIT: [[f32; 2]; 2] = [[0.0, 0.0], [1.0, 1.0]];

    #[test]
    fn each_part_of_a_label_is_named_above_where_it_is_densest() {
        // A heap with a tail to the right and one sample above it; and a separate part, far away.
        let mut places = vec![[0.1, 0.1], [0.11, 0.12], [0.105, 0.11], [0.105, 0.17], [0.9, 0.9]];
        places.extend((1..8).map(|i| [0.1 + i as f32 * 0.05, 0.1]));
        let mut label_of = vec![0_u32; places.len()];
        places.extend([[0.5, 0.5], [1.0, 1.0]]);
        label_of.extend([1, 2]);
        let found = name_places(&places, &label_of, 3, UNIT);
        let of = |label| found.iter().filter(|place| place.label == label).collect::<Vec<_>>();
        let [tailed] = of(0)[..] else { panic!("one of twelve is no part: {found:?}") };
        assert_eq!(tailed.samples, 11);
        assert_eq!(tailed.at[1], 0.17);
        assert!((0.1..0.15).contains(&tailed.at[0]), "at the heap, not at the middle of the tail");
        assert_eq!((of(1).len(), of(2).len()), (1, 1), "the corner belongs to the last cell");
        assert_eq!(found[0].label, 0, "most samples first");

        places.extend([[0.9, 0.9], [0.92, 0.9]]);
        label_of.extend([0, 0]);
        let found = name_places(&places, &label_of, 3, UNIT);
        let parts = found.iter().filter(|place| place.label == 0).map(|place| place.samples);
        assert_eq!(parts.collect::<Vec<_>>(), [11, 3]);
    }

    #[test]
    fn cells_at_the_edges_have_no_neighbours_beyond_them() {
        let about = |i| row_around(i).flat_map(column_around).collect::<Vec<_>>();
        assert_eq!(about(0), [0, SIDE, 1, SIDE + 1]);
        assert_eq!(about(SIDE * SIDE - 1).len(), 4);
        assert_eq!(about(SIDE).len(), 6);
        assert_eq!(about(SIDE + 1).len(), 9);
        // The end of one row does not touch the beginning of the next.
        let found = name_places(&[[1.0, 0.1], [0.0, 0.16]], &[0, 0], 1, UNIT);
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn unusual_places_and_too_many_labels_are_handled() {
        assert!(name_places(&[], &[], 0, UNIT).is_empty());
        assert!(name_places(&[[0.5, 0.5]], &[7], 3, UNIT).is_empty(), "a label that is not there");
        assert!(name_places(&[[0.5, 0.5]], &[0], MOST + 1, UNIT).is_empty());
        let same = [[2.0, 2.0], [2.0, 2.0]];
        assert_eq!(name_places(&same, &[0, 0], 1, [[2.0, 2.0]; 2]).len(), 1, "all at the same place");
    }

    #[test]
    fn names_stay_inside_and_are_cut() {
        let frame = Rect::from_min_max(pos2(0.0, 0.0), pos2(100.0, 100.0));
        let moved = into(Rect::from_min_size(pos2(90.0, -5.0), vec2(20.0, 10.0)), frame);
        assert_eq!(moved, Rect::from_min_size(pos2(80.0, 0.0), vec2(20.0, 10.0)));
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"x".repeat(50)).chars().count(), LONGEST);
    }
}
