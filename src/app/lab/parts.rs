//! What all parts of the panel share: a heading that folds, a "why", plots that leave the wheel to
//! the page; and the texts of the whys.

use egui::{Align, CollapsingHeader, Color32, Response, RichText, Role, ScrollArea, Ui, WidgetInfo};
use egui_plot::{Line, LineStyle, Plot, PlotPoints};

/// Why the modes differ.
pub const WHY_MODES: &str = "In train mode a batch-norm layer normalises each file by the mean and variance of the batch in which it stands. In eval mode, which is how files are looked up, it uses the mean and variance that it has kept. The weights are the same. Where what was kept is not what the files have, each layer hands on a distorted picture, and the next distorts it further: four layers that each shrink their signal to a third leave a hundredth.\n\nFiles of the training that are wrong in eval mode alone are a matter of these statistics. New files that are wrong while the training's are right are over-fitting, which is another thing.\n\nVerdict: sound below 1 point lost and variances within 10 %; repair from 2.5 points or 22 % on; useless from 25 points on.\n\nIoffe and Szegedy (2015), Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift, arXiv 1502.03167.";
/// Why the kept statistics are off.
pub const WHY_LAYERS: &str = "A layer starts with mean 0 and variance 1 and takes in a share m of each batch. Two errors are mixed in what it keeps. What is left of the start weighs (1−m)^k after k batches; it is known without any data. Staleness is what remains: statistics of weights that have since changed, and the chance of which files stood in the last batches. Long training makes both small; short training leaves both.\n\nDistance: how far the kept mean is off in deviations, and the kept deviation on a logarithmic scale, together as √(z² + s²). Harm: by how much the layer's output changes between the modes, root mean square.\n\nWu and Johnson (2021), Rethinking \"Batch\" in BatchNorm, arXiv 2105.07576: the moving average lags behind weights that move; statistics over a thousand to ten thousand files with frozen weights do not.";
/// Why company matters.
pub const WHY_DEPENDENCE: &str = "In train mode the answer for a file depends on which other files stand in its batch. The fewer they are, the more. With two files to a batch every layer sees the file as one above or one below the middle, whatever it holds. So train mode is no way out for looking files up: its answer is not the file's own.\n\nIoffe (2017), Batch Renormalization, arXiv 1702.03275, corrects the batch's statistics towards the kept ones while training. Singh and Shrivastava (2019), EvalNorm: Estimating Batch Normalization Statistics for Evaluation, arXiv 1904.06031, corrects the kept ones for the batch size when looking up. (Known to us by their abstracts.)";
/// Why momentum is confusing.
pub const WHY_TRY: &str = "kept ← (1 − m) · kept + m · batch. Here and in PyTorch m is the weight of the new batch, 0.1 by default. TensorFlow and Keras, JAX/Flax and ONNX write the same thing as the weight of the old value, 1 − m: their default 0.99 is m = 0.01, ten times slower than PyTorch's. Until less than a hundredth of the start is left takes 44 batches with m = 0.1 and 459 with m = 0.01. A large m forgets quickly but follows the chance of each batch; the noise of the average is about √(m/(2−m)) of the noise of one batch.";
/// What the repairs do.
pub const WHY_REPAIR: &str = "Recomputing passes the files through in train mode once, with the weights frozen, and keeps the pooled mean and variance: neither start nor staleness is left. It takes seconds and is what Ioffe and Szegedy's algorithm 2 asks for; Wu and Johnson (2021) call it PreciseBN.\n\nThe plain average of all batches of the training forgets the start at once but never the early weights, so after a short training it can be worse than the moving average. Taking the start out needs no files, only the momentum and the number of batches. Training on gives the average time to catch up, if the learning rate is low.\n\nAn article by HarfangLab names an \"average\" batch normalisation by Charles Gaillard and Rémy Brossard as a method to try. No publication of it could be found, so nothing here claims to be it; the two averages above are the documented ones.\n\nA repaired model gives other vectors: old and new ones must never be mixed, which is why the folder is embedded anew when a repaired model is used.";
/// What the experiment shows.
pub const WHY_EXPERIMENT: &str = "A plain classifier, trained as most tutorials do, with and without batch normalisation, from the same seed on the same files. Batch normalisation learns in far fewer steps; its eval mode follows later, by its momentum. Without it the two modes are one. A good part of its lead is the initial weights: the paler pink line starts from He's (2015), which are made for rectifiers, and is the fair comparison. At high learning rates batch normalisation wins by far; at low ones and with patience the lead goes.";

/// Batch normalisation, in charts.
pub const WITH: Color32 = Color32::from_rgb(0x56, 0xb4, 0xe9);
/// The truth, in charts.
pub const TRUTH: Color32 = Color32::from_rgb(0x00, 0xc0, 0x8a);
/// What was kept, in charts.
pub const KEPT: Color32 = Color32::from_rgb(0xe6, 0x9f, 0x00);

/// One part: a heading that folds, its content, and its why.
/// With `jump` the page scrolls to it.
pub fn part_ui(
    ui: &mut Ui,
    (number, title): (usize, &str),
    jump: bool,
    why: &str,
    content: impl FnOnce(&mut Ui),
) {
    ui.add_space(8.0);
    let part = CollapsingHeader::new(RichText::new(format!("{number}   {title}")).size(16.0).strong())
        .id_salt(("lab-part", number))
        .default_open(true)
        .show(ui, |ui| {
            content(ui);
            CollapsingHeader::new(RichText::new("Why?").weak()).id_salt(("lab-why", number)).show(ui, |ui| {
                ui.label(why);
            });
        });
    if jump {
        part.header_response.scroll_to_me(Some(Align::TOP));
    }
}

/// A plot that neither zooms nor pans, so that the wheel scrolls the page.
pub fn still_plot<'a>(id: &str, height: f32) -> Plot<'a> {
    Plot::new(id.to_owned())
        .height(height)
        .allow_scroll(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_boxed_zoom(false)
        .show_x(false)
        .show_y(false)
}

/// What a screen reader says of a plot.
pub fn name_plot(response: &Response, name: &str) {
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, name));
}

/// A line through `points`, which are few enough to be drawn whole.
pub fn line<'a>(name: &str, colour: Color32, style: LineStyle, points: Vec<[f64; 2]>) -> Line<'a> {
    Line::new(name.to_owned(), PlotPoints::from(points)).color(colour).style(style).width(2.0)
}

/// "98.2 %"; "× 41" for what is many times the whole.
pub fn percent(share: f64) -> String {
    if share > 9.995 { format!("× {share:.0}") } else { format!("{:.1} %", share * 100.0) }
}

/// "− 0.2", or "+ 0.2" for what is below zero: to stand behind an x.
pub fn minus(value: f64) -> String {
    let sign = if value < 0.0 { '+' } else { '−' };
    format!("{sign} {}", number(value.abs()))
}

/// What may be wider than the page scrolls by itself.
pub fn wide_ui(ui: &mut Ui, id: &str, content: impl FnOnce(&mut Ui)) {
    ScrollArea::horizontal().id_salt(id.to_owned()).auto_shrink([false, true]).show(ui, content);
}

/// A number with as many digits as say something.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "not a number".into()
    } else if size == 0.0 {
        "0".into()
    } else if size < 1e-3 {
        format!("{value:.1e}")
    } else if size < 1.0 {
        format!("{value:.3}")
    } else {
        format!("{value:.2}")
    }
}

/// A formula with numbers in it.
pub fn formula_ui(ui: &mut Ui, text: impl Into<String>) {
    ui.label(RichText::new(text).monospace());
}
