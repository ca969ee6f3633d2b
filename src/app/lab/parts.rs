//! Shared by all parts of the panel: the heading that folds, plots that leave the wheel to the page, formats
//! of numbers, and the "Why?" texts.

use egui::{Align, CollapsingHeader, Color32, Response, RichText, Role, ScrollArea, Ui, WidgetInfo};
use egui_plot::{Line, LineStyle, Plot, PlotPoints};

/// Why the modes differ.
pub const WHY_MODES: &str = "In train mode a batch-norm layer normalises each file by the mean and variance of its batch. In eval mode, which all queries use, it normalises by its running mean and variance. The weights are the same. Where the running statistics differ from those of the files, each layer passes on a distorted signal, and the next distorts it further: four layers that each shrink their signal to a third leave a hundredth.\n\nTraining files that are misclassified in eval mode only point to the running statistics. New files that are misclassified while the training files are classified correctly point to overfitting, which is a different problem.\n\nVerdict: sound below 1 point lost and variances within 10 %; repair from 2.5 points or 22 %; useless from 25 points.\n\nIoffe and Szegedy (2015), Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift, arXiv 1502.03167.";
/// Why the running statistics are off.
pub const WHY_LAYERS: &str = "The running mean starts at 0 and the running variance at 1, and each batch enters with weight m. The result has two errors. One comes from the initial value, which still has weight (1−m)^k after k batches; it is known without any data. The rest is staleness: statistics of earlier weights, and the chance of which files were in the last batches. Long training makes both small; short training leaves both.\n\nDistance: √(z² + s²), where z is the error of the running mean in standard deviations and s the error of the running standard deviation on a logarithmic scale. Harm: root mean square change of a channel's output between the modes.\n\nWu and Johnson (2021), Rethinking \"Batch\" in BatchNorm, arXiv 2105.07576: the moving average lags behind changing weights; statistics over a thousand to ten thousand files with frozen weights do not.";
/// Why the other files in a batch matter.
pub const WHY_DEPENDENCE: &str = "In train mode the result for a file depends on the other files in its batch, and more so the fewer there are. With two files per batch every layer sees the file as one above or one below the mean, whatever it contains. So train mode is no alternative for queries: its result does not depend on the file alone.\n\nIoffe (2017), Batch Renormalization, arXiv 1702.03275, corrects the batch statistics towards the running statistics during training. Singh and Shrivastava (2019), EvalNorm: Estimating Batch Normalization Statistics for Evaluation, arXiv 1904.06031, corrects the running statistics for the batch size in eval mode. (We know both by their abstracts only.)";
/// Why momentum is confusing.
pub const WHY_TRY: &str = "running ← (1 − m) · running + m · batch. Here and in PyTorch m is the weight of the new batch, 0.1 by default. TensorFlow and Keras, JAX/Flax and ONNX write the same formula with the weight of the old value, 1 − m: the default 0.99 of TensorFlow, Keras and Flax is m = 0.01, ten times slower than PyTorch's; ONNX's 0.9 is the same as PyTorch's. The weight of the initial value falls below a hundredth after 44 batches with m = 0.1 and after 459 with m = 0.01. A large m forgets quickly but follows the chance of each batch; the noise of the average is about √(m/(2−m)) of the noise of one batch.";
/// What the repairs do.
pub const WHY_REPAIR: &str = "Recomputing passes the files through in train mode once, with the weights frozen, and stores the pooled mean and variance: neither a share of the initial value nor staleness is left. It takes seconds and is what Ioffe and Szegedy's algorithm 2 asks for; Wu and Johnson (2021) call it PreciseBN.\n\nThe plain average of all batches of the training forgets the initial value at once but never the early weights, so after a short training it can be worse than the moving average. Debiasing needs no files, only the momentum and the number of batches. Training longer gives the average time to catch up, if the learning rate is low.\n\nAn article by HarfangLab names an \"average\" batch normalisation by Charles Gaillard and Rémy Brossard as a method to try. No publication of it could be found, so nothing here claims to be it; the two averages above are the documented ones.\n\nA repaired model computes different embeddings. Old and new ones must never be mixed, so the folder is embedded again when a repaired model is used.";
/// What the experiment shows.
pub const WHY_EXPERIMENT: &str = "A plain classifier, trained as most tutorials do, with and without batch normalisation, from the same seed on the same files. With batch normalisation it learns in far fewer steps; its eval mode follows later, depending on the momentum. Without it the two modes are the same. A good part of the lead is due to the initial weights: the paler pink line starts from He's (2015), which are made for rectifiers, and is the fair comparison. At high learning rates batch normalisation wins by far; at low ones the lead disappears with enough steps.";

/// The chosen momentum and staleness, in charts.
pub const COMPARED: Color32 = Color32::from_rgb(0x56, 0xb4, 0xe9);
/// Pooled statistics, in charts.
pub const POOLED: Color32 = Color32::from_rgb(0x00, 0xc0, 0x8a);
/// Running statistics, in charts.
pub const RUNNING: Color32 = Color32::from_rgb(0xe6, 0x9f, 0x00);

/// Draws one part: its heading, which folds it, its content, and its "Why?". With `jump` the page scrolls to it.
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

/// Gives a plot the name that a screen reader reads.
pub fn name_plot(response: &Response, name: &str) {
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, name));
}

/// A line through `points`, few enough to be drawn unreduced.
pub fn line<'a>(name: &str, colour: Color32, style: LineStyle, points: Vec<[f64; 2]>) -> Line<'a> {
    Line::new(name.to_owned(), PlotPoints::from(points)).color(colour).style(style).width(2.0)
}

/// "98.2 %"; "× 41" from ten times the whole.
pub fn percent(share: f64) -> String {
    if share > 9.995 { format!("× {share:.0}") } else { format!("{:.1} %", share * 100.0) }
}

/// "− 0.2", or "+ 0.2" for a negative value: subtracts it from an x before it.
pub fn minus(value: f64) -> String {
    let sign = if value < 0.0 { '+' } else { '−' };
    format!("{sign} {}", number(value.abs()))
}

/// Draws content that may be wider than the page, with its own scroll bar.
pub fn wide_ui(ui: &mut Ui, id: &str, content: impl FnOnce(&mut Ui)) {
    ScrollArea::horizontal().id_salt(id.to_owned()).auto_shrink([false, true]).show(ui, content);
}

/// A number with its significant digits.
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

/// Draws a formula with its numbers.
pub fn formula_ui(ui: &mut Ui, text: impl Into<String>) {
    ui.label(RichText::new(text).monospace());
}
