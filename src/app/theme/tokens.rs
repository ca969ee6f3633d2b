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
    window: rgb(0x15_17_1c),
    sunken: rgb(0x0e_10_14),
    raised: rgb(0x1e_21_28),
    hover: rgb(0x28_2c_35),
    pressed: rgb(0x33_38_44),
    select: rgb(0x2a_2f_5c),
    divider: rgb(0x2b_2f_38),
    text: rgb(0xe9_eb_ef),
    text2: rgb(0xa7_ae_ba),
    text3: rgb(0x7b_82_8f),
    border: rgb(0x6b_72_80),
    link: rgb(0x8a_91_9e),
    accent: rgb(0xa0_aa_ff),
    accent_fill: rgb(0x92_9d_ff),
    accent_hover: rgb(0xa9_b2_ff),
    on_accent: rgb(0x14_16_1b),
    good: rgb(0x56_c0_8a),
    warn: rgb(0xf0_a9_3b),
    bad: rgb(0xff_85_77),
    known: rgb(0x36_ae_f2),
    undecided: rgb(0xf0_a9_3b),
    unlike: rgb(0xff_b0_e0),
    nothing: rgb(0x9a_9e_a8),
    train_mode: rgb(0x7c_c4_ff),
    eval_mode: rgb(0xf3_a8_10),
};

/// The light theme.
pub const LIGHT: Tokens = Tokens {
    dark: false,
    window: rgb(0xf3_f4_f6),
    sunken: rgb(0xff_ff_ff),
    raised: rgb(0xff_ff_ff),
    hover: rgb(0xe6_e8_ec),
    pressed: rgb(0xd9_dc_e2),
    select: rgb(0xdf_e2_fb),
    divider: rgb(0xd8_db_e1),
    text: rgb(0x19_1c_22),
    text2: rgb(0x51_58_63),
    text3: rgb(0x69_70_7c),
    border: rgb(0x7d_85_92),
    link: rgb(0x6f_76_83),
    accent: rgb(0x3b_45_c4),
    accent_fill: rgb(0x46_50_cf),
    accent_hover: rgb(0x3a_43_b8),
    on_accent: rgb(0xff_ff_ff),
    good: rgb(0x16_6a_40),
    warn: rgb(0x8a_52_00),
    bad: rgb(0xb3_26_1e),
    known: rgb(0x00_5f_92),
    undecided: rgb(0x8a_52_00),
    unlike: rgb(0x97_10_4f),
    nothing: rgb(0x68_6d_77),
    train_mode: rgb(0x1d_6f_b8),
    eval_mode: rgb(0x9a_62_00),
};

/// The colours of labels, dark and light. Labels beyond the twelfth repeat a colour with another shape.
pub const LABELS: [(Color32, Color32); 12] = [
    (rgb(0xf3_a8_10), rgb(0xb9_7b_00)),
    (rgb(0x8c_cb_ff), rgb(0x27_8d_dd)),
    (rgb(0x4a_ce_7a), rgb(0x0c_8a_5f)),
    (rgb(0xe2_6d_aa), rgb(0xe0_39_9c)),
    (rgb(0xec_55_32), rgb(0xb9_42_0c)),
    (rgb(0x6c_82_e6), rgb(0x2b_35_b0)),
    (rgb(0xc5_83_ff), rgb(0x8b_33_d4)),
    (rgb(0xe6_e5_6a), rgb(0x8a_74_00)),
    (rgb(0x9d_f2_e6), rgb(0x10_90_9a)),
    (rgb(0x8c_a1_52), rgb(0x52_67_1f)),
    (rgb(0xf1_bd_c2), rgb(0xc7_56_74)),
    (rgb(0xa0_84_60), rgb(0x6a_42_20)),
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
        assert!((contrast(rgb(0x76_76_76), Color32::WHITE) - 4.54).abs() < 0.01);
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
