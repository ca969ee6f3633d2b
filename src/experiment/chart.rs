//! The chart of an experiment: accuracy by step, with batch normalisation in blue and without in pink, train
//! mode solid and eval mode dashed. As PNG or SVG.

use super::row::Row;
use super::setup::Policy;
use crate::job::Stop;
use crate::model::Init;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use std::path::Path;
use std::sync::Once;

const FONT: &str = "lookalike";
/// Columns of the legend, and the height of a row in pixels.
const COLUMNS: usize = 2;
const ROW: u32 = 22;

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartLine {
    /// Its name in the legend.
    pub name: String,
    /// Red, green, blue.
    pub colour: [u8; 3],
    /// Whether it is dashed: eval mode.
    pub dashed: bool,
    /// Step and share, by ascending step.
    pub points: Vec<(f64, f64)>,
}

/// A chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// The lines in the order of the legend.
    pub lines: Vec<ChartLine>,
}

impl Chart {
    /// The chart of rows averaged over their seeds.
    pub fn new(rows: &[Row]) -> Self {
        let mut lines: Vec<ChartLine> = Vec::new();
        let mut add = |name: String, colour, dashed, step: usize, share: f64| {
            let at = lines.iter().position(|line| line.name == name).unwrap_or_else(|| {
                lines.push(ChartLine { name, colour, dashed, points: Vec::new() });
                lines.len() - 1
            });
            let points = &mut lines[at].points;
            if points.last().is_none_or(|(last, _)| *last < step as f64) {
                points.push((step as f64, share));
            }
        };
        for row in rows {
            let [train, eval, _] = row.modes.map(|figures| figures.accuracy);
            let colour = colour(row.policy);
            match row.policy {
                Policy::NoBatchNorm(_) => {
                    add(format!("{}, both modes", row.policy.text()), colour, false, row.step, train);
                }
                _ => {
                    add("with batch norm, train mode".into(), [0x1f, 0x77, 0xd0], false, row.step, train);
                    add(format!("eval mode, {}", row.policy.text()), colour, true, row.step, eval);
                }
            }
        }
        Self { lines }
    }
}

fn colour(policy: Policy) -> [u8; 3] {
    match policy {
        Policy::Moving(m) if m >= 0.05 => [0x1f, 0x77, 0xd0],
        Policy::Moving(_) => [0x56, 0xb4, 0xe9],
        Policy::Average => [0x6a, 0x5a, 0xcd],
        Policy::NoBatchNorm(Init::Default) => [0xe3, 0x5f, 0x9f],
        Policy::NoBatchNorm(Init::He) => [0xf2, 0xa6, 0xc8],
    }
}

/// The file format of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A bitmap.
    Png,
    /// Vectors.
    Svg,
}

impl Format {
    /// The format for the extension of `path`; an error if it has another extension.
    pub fn of(path: &Path) -> Result<Self, Stop> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some(end) if end.eq_ignore_ascii_case("png") => Ok(Self::Png),
            Some(end) if end.eq_ignore_ascii_case("svg") => Ok(Self::Svg),
            _ => Err(Stop::failed(format!(
                "expected a file name that ends in .png or .svg, found {}",
                crate::escape::path(path)
            ))),
        }
    }
}

/// Renders `chart` as the bytes of a file, 1000 × 620.
pub fn render(chart: &Chart, format: Format) -> Result<Vec<u8>, Stop> {
    const SIZE: (u32, u32) = (1000, 620);
    let rendered = match format {
        Format::Png => png(chart, SIZE),
        Format::Svg => svg(chart, SIZE),
    };
    rendered.map_err(Stop::failed)
}

/// Renders `chart` as SVG.
fn svg(chart: &Chart, size: (u32, u32)) -> Result<Vec<u8>, String> {
    let mut text = String::new();
    draw(chart, SVGBackend::with_string(&mut text, size).into_drawing_area())?;
    Ok(text.into_bytes())
}

/// Renders `chart` as PNG.
fn png(chart: &Chart, size: (u32, u32)) -> Result<Vec<u8>, String> {
    let mut pixels = vec![0; size.0 as usize * size.1 as usize * 3];
    draw(chart, BitMapBackend::with_buffer(&mut pixels, size).into_drawing_area())?;
    let image = image::RgbImage::from_raw(size.0, size.1, pixels).ok_or("the chart has no size")?;
    let mut out = std::io::Cursor::new(Vec::new());
    image.write_to(&mut out, image::ImageFormat::Png).map_err(|error| error.to_string())?;
    Ok(out.into_inner())
}

/// Draws the axes, the lines and the legend of `chart`.
fn draw<B: DrawingBackend>(chart: &Chart, area: DrawingArea<B, Shift>) -> Result<(), String> {
    load_font();
    let failed = |error: DrawingAreaErrorKind<B::ErrorType>| format!("the chart could not be drawn: {error}");
    area.fill(&WHITE).map_err(failed)?;
    // The legend is below the chart, where it covers no line.
    let rows = chart.lines.len().div_ceil(COLUMNS) as u32;
    let (area, legend) = area.split_vertically(area.dim_in_pixel().1.saturating_sub(rows * ROW + 12));
    let steps = || chart.lines.iter().flat_map(|line| line.points.iter().map(|(step, _)| *step));
    let first = steps().fold(f64::INFINITY, f64::min);
    let last = steps().fold(0.0, f64::max);
    if !first.is_finite() || last <= 0.0 {
        return Err("expected the rows of an experiment, found none. Run the experiment first".into());
    }
    let range = (first.max(0.5)..(last * 1.02).max(first * 1.5)).log_scale();
    let mut on = ChartBuilder::on(&area)
        .caption("Share of training files classified correctly", (FONT, 20))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(range, 0.0..1.0_f64)
        .map_err(failed)?;
    on.configure_mesh()
        .x_desc("step (logarithmic)")
        .y_label_formatter(&|share| format!("{:.0} %", share * 100.0))
        .x_label_formatter(&|step| format!("{step:.0}"))
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .light_line_style(TRANSPARENT)
        .draw()
        .map_err(failed)?;
    for line in &chart.lines {
        let [r, g, b] = line.colour;
        let style = RGBColor(r, g, b).stroke_width(2);
        let points = line.points.iter().copied();
        let drawn = if line.dashed {
            on.draw_series(DashedLineSeries::new(points, 8, 5, style))
        } else {
            on.draw_series(LineSeries::new(points, style))
        };
        drawn.map_err(failed)?;
    }
    let column = legend.dim_in_pixel().0 as i32 / COLUMNS as i32;
    for (i, line) in chart.lines.iter().enumerate() {
        let x = 60 + (i % COLUMNS) as i32 * column;
        let y = (i / COLUMNS) as i32 * ROW as i32 + 8;
        let [r, g, b] = line.colour;
        let dashes: &[(i32, i32)] = if line.dashed { &[(0, 9), (14, 23), (28, 36)] } else { &[(0, 36)] };
        for (from, to) in dashes {
            let path = PathElement::new(vec![(x + from, y), (x + to, y)], RGBColor(r, g, b).stroke_width(2));
            legend.draw(&path).map_err(failed)?;
        }
        let text = Text::new(line.name.clone(), (x + 44, y - 7), (FONT, 15));
        legend.draw(&text).map_err(failed)?;
    }
    area.present().map_err(failed)
}

/// Registers the font that is compiled into the program: a server may have no fonts.
fn load_font() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT).is_err() {
            tracing::warn!("the font of the chart could not be read");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::row::Figures;
    use super::*;

    fn rows() -> Vec<Row> {
        let row = |policy, step, train, eval| Row {
            policy,
            step,
            modes: [train, eval, train].map(|accuracy| Figures { accuracy, ..Figures::default() }),
            layer_distances: Vec::new(),
        };
        let without = Policy::NoBatchNorm(Init::Default);
        vec![
            row(Policy::Moving(0.1), 10, 0.4, 0.2),
            row(Policy::Moving(0.01), 10, 0.4, 0.1),
            row(without, 10, 0.1, 0.1),
            row(Policy::Moving(0.1), 50, 0.99, 0.8),
            row(Policy::Moving(0.01), 50, 0.99, 0.25),
            row(without, 50, 0.12, 0.12),
        ]
    }

    #[test]
    fn train_mode_is_one_solid_line_and_eval_mode_one_dashed_line_per_policy() {
        let chart = Chart::new(&rows());
        let lines: Vec<_> = chart.lines.iter().map(|l| (l.name.as_str(), l.dashed, l.points.len())).collect();
        assert_eq!(
            lines,
            [
                ("with batch norm, train mode", false, 2),
                ("eval mode, moving average m=0.1", true, 2),
                ("eval mode, moving average m=0.01", true, 2),
                ("no batch norm, both modes", false, 2),
            ]
        );
        assert_eq!(chart.lines[2].points[1], (50.0, 0.25));
    }

    #[test]
    fn both_formats_contain_the_lines() {
        let chart = Chart::new(&rows());
        let text = String::from_utf8(svg(&chart, (900, 560)).unwrap()).unwrap();
        assert!(text.starts_with("<svg") && text.contains("eval mode, moving average m=0.01"));
        let image = image::load_from_memory(&png(&chart, (900, 560)).unwrap()).unwrap().to_rgb8();
        assert_eq!(image.dimensions(), (900, 560));
        let pink = image.pixels().filter(|p| p.0 == [0xe3, 0x5f, 0x9f]).count();
        assert!(pink > 100, "{pink} pixels of the line without batch norm");
        assert!(svg(&Chart::default(), (900, 560)).is_err());
    }
}
