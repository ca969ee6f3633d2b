//! How a verdict looks: a glyph, a word and a colour, so that verdicts also differ without colour. Colours say how sure
//! the answer is, never how good the file is.

use super::theme::Tokens;
use crate::workflow::Verdict;
use egui::{Color32, Painter, Pos2, Shape, Stroke, Vec2, vec2};
use std::f32::consts::TAU;

/// What is known of a dropped file, in the order in which files are listed: what needs attention first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Of none of the families.
    Unlike,
    /// Of one of two families.
    Undecided,
    /// No view has anything to go by.
    Nothing,
    /// The library has nothing to compare with, or its model cannot say.
    Open,
    /// Of the family of a sample.
    Known,
    /// The library has a file with the same content.
    Identical,
}

impl State {
    /// All states, in order.
    pub const ALL: [Self; 6] =
        [Self::Unlike, Self::Undecided, Self::Nothing, Self::Open, Self::Known, Self::Identical];

    /// The state of a file with this verdict.
    pub fn of(verdict: Option<&Verdict>) -> Self {
        match verdict {
            Some(Verdict::Unlike { .. }) => Self::Unlike,
            Some(Verdict::Undecided { .. }) => Self::Undecided,
            Some(Verdict::Nothing) => Self::Nothing,
            Some(Verdict::Known { .. }) => Self::Known,
            Some(Verdict::Identical { .. }) => Self::Identical,
            None => Self::Open,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unlike => "Unlike anything known",
            Self::Undecided => "Undecided",
            Self::Nothing => "Nothing to go by",
            Self::Open => "No verdict",
            Self::Known => "Known",
            Self::Identical => "Identical",
        }
    }

    /// The same, short enough for a chip.
    pub fn chip(self) -> &'static str {
        match self {
            Self::Unlike => "Unlike anything",
            other => other.word(),
        }
    }

    /// Its colour.
    pub fn colour(self, tokens: &Tokens) -> Color32 {
        match self {
            Self::Unlike => tokens.unlike,
            Self::Undecided => tokens.undecided,
            Self::Nothing | Self::Open => tokens.nothing,
            Self::Known | Self::Identical => tokens.known,
        }
    }

    /// Draws its glyph around `centre`.
    pub fn paint(self, painter: &Painter, centre: Pos2, radius: f32, tokens: &Tokens) {
        let colour = self.colour(tokens);
        let stroke = Stroke::new((radius * 0.26).max(1.2), colour);
        let ring = || painter.circle_stroke(centre, radius * 0.87, stroke);
        match self {
            Self::Known => {
                ring();
                painter.circle_filled(centre, radius * 0.42, colour);
            }
            Self::Identical => {
                ring();
                for y in [-0.22, 0.22] {
                    let half = vec2(radius * 0.42, 0.0);
                    let at = centre + vec2(0.0, y * radius);
                    painter.line_segment([at - half, at + half], stroke);
                }
            }
            Self::Undecided => {
                ring();
                let half = (0..=16).map(|i| {
                    let angle = TAU * (0.25 + i as f32 / 32.0);
                    centre + Vec2::angled(angle) * radius * 0.87
                });
                painter.add(Shape::convex_polygon(half.collect(), colour, Stroke::NONE));
            }
            Self::Unlike => {
                // Four tips: each is a kite of two triangles.
                for i in 0..4 {
                    let tip = Vec2::angled(TAU * i as f32 / 4.0) * radius * 1.15;
                    let side = |turn: f32| Vec2::angled(TAU * (i as f32 / 4.0 + turn)) * radius * 0.38;
                    let points = vec![centre + side(-0.125), centre + tip, centre + side(0.125), centre];
                    painter.add(Shape::convex_polygon(points, colour, Stroke::NONE));
                }
            }
            Self::Nothing | Self::Open => {
                const DASHES: usize = 6;
                for i in 0..DASHES {
                    let arc = (0..=4).map(|k| {
                        let angle = TAU * (i as f32 + k as f32 * 0.15) / DASHES as f32;
                        centre + Vec2::angled(angle) * radius * 0.87
                    });
                    painter.add(Shape::line(arc.collect(), stroke));
                }
            }
        }
    }
}
