//! The picture of the cause: what a channel keeps, as a sum, above what is true, on one scale.

use super::parts::number;
use crate::app::paint::{self, Ink};
use crate::app::theme::Tokens;
use crate::batchnorm::{Cause, Reason};
use egui::{Align2, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

/// Width of the names at the left.
const NAMES: f32 = 104.0;
/// Height of a bar, and of a row of text.
const BAR: f32 = 22.0;
/// Room that the sum needs.
const SUM: f32 = 380.0;
/// Rows from the top: what is kept, its sum, what is true, the axis, its numbers and its name.
const HEIGHT: f32 = 118.0;

/// Draws the two bars, the sum and the axis.
pub fn picture_ui(ui: &mut Ui, cause: &Cause) {
    let tokens = Tokens::of(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
    let said = format!(
        "What it keeps {}, what is true {}; {}",
        number(cause.kept),
        number(cause.pooled),
        sum_text(cause)
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));

    // The scale holds 0, both bars, and where the start left the sum.
    let ends = [0.0, cause.kept, cause.pooled, cause.pooled + cause.errors.initial];
    let low = ends.into_iter().fold(0.0, f64::min);
    let high = ends.into_iter().fold(0.0, f64::max).max(low + 1e-12);
    let left = rect.left() + NAMES + 10.0;
    let right = rect.right() - 70.0;
    let step = step(high - low);
    let (first, last) = ((low / step).floor() * step, (high / step).ceil() * step);
    let x = |value: f64| left + ((value - first) / (last - first)) as f32 * (right - left);
    let row = |y: f32| {
        Rect::from_min_max(pos2(rect.left(), rect.top() + y), pos2(rect.right(), rect.top() + y + BAR))
    };
    let name = |ui: &Ui, y: f32, text: &str| {
        let place = row(y).with_max_x(rect.left() + NAMES);
        paint::text(ui, place, Align2::RIGHT_CENTER, text, &Ink::body(tokens.text));
    };
    let bar = |y: f32, from: f64, to: f64| {
        let (a, b) = (x(from.min(to)), x(from.max(to)));
        Rect::from_x_y_ranges(a..=b.max(a + 2.0), row(y).y_range())
    };

    // What it keeps: true, then what is left of the start, then staleness.
    name(ui, 0.0, "What it keeps");
    let (after_true, after_start) = (cause.pooled, cause.pooled + cause.errors.initial);
    let painter = ui.painter().clone();
    let starts = cause.reason == Reason::Start;
    if starts && cause.errors.initial > 0.0 {
        painter.rect_filled(bar(0.0, after_true, cause.kept.min(after_start)), 0.0, tokens.eval_mode);
        if cause.kept > after_start {
            painter.rect_filled(bar(0.0, after_start, cause.kept), 0.0, tokens.link);
        }
        painter.rect_filled(bar(0.0, 0.0, after_true), 0.0, tokens.train_mode);
    } else {
        painter.rect_filled(bar(0.0, 0.0, cause.kept), 0.0, tokens.eval_mode);
    }
    let whole = bar(0.0, 0.0, cause.kept);
    let inside = bar(0.0, after_true, cause.kept).shrink2(vec2(6.0, 0.0));
    let text = format!("{} left of the start", number(cause.errors.initial));
    let ink = Ink::small(tokens.on_accent).weight(500.0);
    if starts && cause.errors.initial > 0.0 && inside.width() > 130.0 {
        paint::text(ui, inside, Align2::CENTER_CENTER, &text, &ink);
    }
    let beside = row(0.0).with_min_x(whole.right().max(x(after_true)) + 8.0);
    paint::text(ui, beside, Align2::LEFT_CENTER, &number(cause.kept), &Ink::body(tokens.text).weight(600.0));
    // The same as a sum, with one digit more so that it adds up.
    let sum = row(BAR + 2.0).with_min_x(x(cause.pooled.max(0.0)) + 8.0);
    // Where little room is left beside the dashes, it covers them.
    let sum = if sum.width() < SUM { row(BAR + 2.0).with_min_x(left) } else { sum };
    paint::text(ui, sum, Align2::LEFT_CENTER, &sum_text(cause), &Ink::small(tokens.text2));

    let below = 2.0 * BAR + 6.0;
    name(ui, below, "What is true");
    painter.rect_filled(bar(below, 0.0, cause.pooled), 0.0, tokens.train_mode);
    let end = bar(below, 0.0, cause.pooled).right() + 8.0;
    let text = number(cause.pooled);
    paint::text(
        ui,
        row(below).with_min_x(end),
        Align2::LEFT_CENTER,
        &text,
        &Ink::body(tokens.text).weight(600.0),
    );
    let dots = [pos2(x(cause.pooled), row(0.0).bottom()), pos2(x(cause.pooled), row(below).top())];
    painter.extend(Shape::dashed_line(&dots, Stroke::new(1.0, tokens.link), 2.0, 2.0));

    // The axis.
    let y = row(below).bottom() + 6.0;
    painter.hline(left..=right, y, Stroke::new(1.0, tokens.link));
    let ticks = ((last - first) / step).round() as i32;
    for i in 0..=ticks {
        let value = first + f64::from(i) * step;
        let at = x(value);
        painter.vline(at, y..=y + 4.0, Stroke::new(1.0, tokens.link));
        let place = Rect::from_center_size(pos2(at, y + 13.0), vec2(60.0, 16.0));
        paint::text(ui, place, Align2::CENTER_CENTER, &tick_text(value, step), &Ink::small(tokens.text2));
    }
    let caption =
        format!("{} of layer {}, channel {}", cause.statistic.name(), cause.layer + 1, cause.channel.index);
    let place = Rect::from_min_max(pos2(left, y + 22.0), pos2(right, y + 38.0));
    paint::text(ui, place, Align2::CENTER_CENTER, &caption, &Ink::small(tokens.text2));
}

/// "0.6711 = 0.0078 true + 0.6638 left of the start − 0.0005 stale".
fn sum_text(cause: &Cause) -> String {
    let digits = if cause.kept.abs().max(cause.pooled.abs()) < 1.0 { 4 } else { 3 };
    let [kept, pooled, start, stale] = cause.sum(digits);
    let decimals = digits.max(0) as usize;
    let signed = |value: f64| {
        let sign = if value < 0.0 { '−' } else { '+' };
        format!("{sign} {:.decimals$}", value.abs())
    };
    if cause.weight > 0.0 {
        format!(
            "{kept:.decimals$} = {pooled:.decimals$} true {} left of the start {} stale",
            signed(start),
            signed(stale)
        )
    } else {
        format!("{kept:.decimals$} = {pooled:.decimals$} true {} stale", signed(stale + start))
    }
}

/// The distance between ticks: 1, 2 or 5 times a power of ten, for about seven of them.
fn step(range: f64) -> f64 {
    let rough = range / 7.0;
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough).unwrap_or(10.0);
    factor * power
}

/// A number of the axis.
fn tick_text(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    if value.abs() < step / 2.0 { "0".to_owned() } else { format!("{value:.decimals$}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_a_few() {
        for (range, expected) in [(0.671, 0.1), (1.3, 0.2), (0.02, 0.005), (40.0, 10.0)] {
            assert!((step(range) - expected).abs() < 1e-12, "{range}: {}", step(range));
        }
        assert_eq!(
            (tick_text(0.3, 0.1), tick_text(0.0, 0.1), tick_text(20.0, 10.0)),
            ("0.3".into(), "0".into(), "20".into())
        );
    }
}
