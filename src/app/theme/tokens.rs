//! The colours of the window, by role: one set for dark and one for light. Contrasts follow WCAG 2.2, which the tests
//! compute: text at least 4.5 against what it is drawn on, graphics at least 3.

use egui::Color32;

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// The colours of one theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Whether it is the dark theme.
    pub dark: bool,
    /// Panels and bars.
    pub window: Color32,
    /// The map, plots and fields.
    pub sunken: Color32,
    /// Cards, menus and toasts.
    pub raised: Color32,
    /// A hovered row, a secondary button.
    pub hover: Color32,
    /// A pressed button, a chosen segment.
    pub pressed: Color32,
    /// A selected row.
    pub select: Color32,
    /// Lines between panels.
    pub divider: Color32,
    /// Text that is read first.
    pub text: Color32,
    /// Units, captions.
    pub text2: Color32,
    /// Disabled text, hints in fields.
    pub text3: Color32,
    /// Edges of fields and boxes.
    pub border: Color32,
    /// Leader lines of the map.
    pub link: Color32,
    /// Links, focus, the chosen tab, progress.
    pub accent: Color32,
    /// The primary button, a ticked box.
    pub accent_fill: Color32,
    /// The primary button under the pointer.
    pub accent_hover: Color32,
    /// Text on the primary button.
    pub on_accent: Color32,
    /// A job has ended well.
    pub good: Color32,
    /// To be noted.
    pub warn: Color32,
    /// A failure of ours.
    pub bad: Color32,
    /// The verdicts identical and known.
    pub known: Color32,
    /// The verdict undecided.
    pub undecided: Color32,
    /// The verdict unlike anything known.
    pub unlike: Color32,
    /// The verdict nothing to go by.
    pub nothing: Color32,
    /// Train mode, in the lab.
    pub train_mode: Color32,
    /// Eval mode, in the lab; also dashed.
    pub eval_mode: Color32,
}

/// The dark theme.
pub const DARK: Tokens = Tokens {
    dark: true,
    window: rgb(0x0015_171c),
    sunken: rgb(0x000e_1014),
    raised: rgb(0x001e_2128),
    hover: rgb(0x0028_2c35),
    pressed: rgb(0x0033_3844),
    select: rgb(0x002a_2f5c),
    divider: rgb(0x002b_2f38),
    text: rgb(0x00e9_ebef),
    text2: rgb(0x00a7_aeba),
    text3: rgb(0x007b_828f),
    border: rgb(0x006b_7280),
    link: rgb(0x008a_919e),
    accent: rgb(0x00a0_aaff),
    accent_fill: rgb(0x0092_9dff),
    accent_hover: rgb(0x00a9_b2ff),
    on_accent: rgb(0x0014_161b),
    good: rgb(0x0056_c08a),
    warn: rgb(0x00f0_a93b),
    bad: rgb(0x00ff_8577),
    known: rgb(0x0036_aef2),
    undecided: rgb(0x00f0_a93b),
    unlike: rgb(0x00ff_b0e0),
    nothing: rgb(0x009a_9ea8),
    train_mode: rgb(0x007c_c4ff),
    eval_mode: rgb(0x00f3_a810),
};

/// The light theme.
pub const LIGHT: Tokens = Tokens {
    dark: false,
    window: rgb(0x00f3_f4f6),
    sunken: rgb(0x00ff_ffff),
    raised: rgb(0x00ff_ffff),
    hover: rgb(0x00e6_e8ec),
    pressed: rgb(0x00d9_dce2),
    select: rgb(0x00df_e2fb),
    divider: rgb(0x00d8_dbe1),
    text: rgb(0x0019_1c22),
    text2: rgb(0x0051_5863),
    text3: rgb(0x0069_707c),
    border: rgb(0x007d_8592),
    link: rgb(0x006f_7683),
    accent: rgb(0x003b_45c4),
    accent_fill: rgb(0x0046_50cf),
    accent_hover: rgb(0x003a_43b8),
    on_accent: rgb(0x00ff_ffff),
    good: rgb(0x0016_6a40),
    warn: rgb(0x008a_5200),
    bad: rgb(0x00b3_261e),
    known: rgb(0x0000_5f92),
    undecided: rgb(0x008a_5200),
    unlike: rgb(0x0097_104f),
    nothing: rgb(0x0068_6d77),
    train_mode: rgb(0x001d_6fb8),
    eval_mode: rgb(0x009a_6200),
};

/// The colours of labels, dark and light. Labels beyond the twelfth repeat a colour with another shape.
pub const LABELS: [(Color32, Color32); 12] = [
    (rgb(0x00f3_a810), rgb(0x00b9_7b00)),
    (rgb(0x008c_cbff), rgb(0x0027_8ddd)),
    (rgb(0x004a_ce7a), rgb(0x000c_8a5f)),
    (rgb(0x00e2_6daa), rgb(0x00e0_399c)),
    (rgb(0x00ec_5532), rgb(0x00b9_420c)),
    (rgb(0x006c_82e6), rgb(0x002b_35b0)),
    (rgb(0x00c5_83ff), rgb(0x008b_33d4)),
    (rgb(0x00e6_e56a), rgb(0x008a_7400)),
    (rgb(0x009d_f2e6), rgb(0x0010_909a)),
    (rgb(0x008c_a152), rgb(0x0052_671f)),
    (rgb(0x00f1_bdc2), rgb(0x00c7_5674)),
    (rgb(0x00a0_8460), rgb(0x006a_4220)),
];

impl Tokens {
    /// The colours of the theme that is drawn.
    pub fn of(visuals: &egui::Visuals) -> &'static Self {
        Self::by(visuals.dark_mode)
    }

    /// The dark or the light theme.
    pub const fn by(dark: bool) -> &'static Self {
        if dark { &DARK } else { &LIGHT }
    }

    /// A verdict's colour as the fill of its card: a share of it over `raised`.
    pub fn tint(&self, colour: Color32) -> Color32 {
        mix(self.raised, colour, if self.dark { 0.12 } else { 0.09 })
    }

    /// A verdict's colour as the edge of its card.
    pub fn edge(&self, colour: Color32) -> Color32 {
        mix(self.raised, colour, if self.dark { 0.42 } else { 0.35 })
    }
}

/// `share` of `over` on top of `under`, both opaque.
pub fn mix(under: Color32, over: Color32, share: f32) -> Color32 {
    let [r, g, b] = [(under.r(), over.r()), (under.g(), over.g()), (under.b(), over.b())]
        .map(|(a, b)| (f32::from(a) + (f32::from(b) - f32::from(a)) * share).round() as u8);
    Color32::from_rgb(r, g, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, WCAG 2.2.
    fn luminance(colour: Color32) -> f64 {
        let linear = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn contrast_is_that_of_the_specification() {
        assert!((contrast(Color32::BLACK, Color32::WHITE) - 21.0).abs() < 1e-9);
        // The example of a grey that just passes on white.
        assert!((contrast(rgb(0x0076_7676), Color32::WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn text_and_graphics_have_enough_contrast() {
        for t in [&DARK, &LIGHT] {
            for under in [t.window, t.sunken, t.raised, t.hover, t.select] {
                for (name, text) in [
                    ("text", t.text),
                    ("text2", t.text2),
                    ("accent", t.accent),
                    ("good", t.good),
                    ("warn", t.warn),
                    ("bad", t.bad),
                ] {
                    assert!(contrast(text, under) >= 4.5, "{name} on {under:?}: {}", contrast(text, under));
                }
            }
            for under in [t.window, t.sunken] {
                assert!(contrast(t.text3, under) >= 4.5, "text3 on {under:?}");
                assert!(
                    contrast(t.border, under) >= 3.0 && contrast(t.link, under) >= 3.0,
                    "lines on {under:?}"
                );
                for mode in [t.train_mode, t.eval_mode] {
                    assert!(contrast(mode, under) >= 4.5, "{mode:?} on {under:?}");
                }
                for (dark, light) in LABELS {
                    let label = if t.dark { dark } else { light };
                    assert!(contrast(label, under) >= 3.0, "{label:?} on {under:?}");
                }
            }
            assert!(
                contrast(t.on_accent, t.accent_fill) >= 4.5 && contrast(t.on_accent, t.accent_hover) >= 4.5
            );
            for verdict in [t.known, t.undecided, t.unlike, t.nothing] {
                let tint = t.tint(verdict);
                for text in [verdict, t.text, t.text2] {
                    assert!(contrast(text, tint) >= 4.5, "{text:?} on {tint:?}: {}", contrast(text, tint));
                }
            }
        }
    }
}
