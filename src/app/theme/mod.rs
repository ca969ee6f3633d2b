//! The look of the window: colours by role, fonts, icons, and egui's style made of them.

mod fonts;
pub mod icon;
mod style;
pub mod tokens;

use super::message::Tone;
use egui::{Color32, RichText, Visuals};
pub use style::apply;
pub use tokens::Tokens;

/// The weight of headings.
const SEMIBOLD: f32 = 600.0;
/// The weight of the text on primary buttons.
const MEDIUM: f32 = 500.0;

/// The mark and the colour of a tone.
pub fn tone_mark(visuals: &Visuals, tone: Tone) -> (&'static str, Color32) {
    let tokens = Tokens::of(visuals);
    match tone {
        Tone::Good => (icon::CHECK_CIRCLE, tokens.good),
        Tone::Note => (icon::INFO, tokens.warn),
        Tone::Bad => (icon::WARNING_CIRCLE, tokens.bad),
    }
}

/// A heading: body text with more weight.
pub fn heading(text: impl Into<String>) -> RichText {
    RichText::new(text).variation("wght", SEMIBOLD)
}

/// A title, at most two on a screen outside of cards.
pub fn title(text: impl Into<String>) -> RichText {
    RichText::new(text).heading().variation("wght", SEMIBOLD)
}

/// The text of a primary button.
pub fn medium(text: impl Into<String>) -> RichText {
    RichText::new(text).variation("wght", MEDIUM)
}

/// Units and captions.
pub fn small(text: impl Into<String>) -> RichText {
    RichText::new(text).small().weak()
}
