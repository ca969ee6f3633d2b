//! Egui's style, made of the tokens: sizes, spacing, and the colours of widgets, dark and light.

use super::fonts;
use super::tokens::Tokens;
use egui::style::WidgetVisuals;
use egui::{
    Color32, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle, Theme,
    ThemePreference, Vec2, vec2,
};

/// Corners of buttons and fields.
const CONTROL: u8 = 5;
/// Corners of cards, menus and toasts.
const CARD: u8 = 6;

/// Sets fonts, sizes and colours of the whole window, dark and light.
pub fn apply(ctx: &egui::Context, preference: ThemePreference) {
    ctx.set_fonts(fonts::definitions());
    ctx.set_theme(preference);
    for (theme, tokens) in [(Theme::Dark, Tokens::by(true)), (Theme::Light, Tokens::by(false))] {
        ctx.style_mut_of(theme, |style| {
            sizes(style);
            colours(style, tokens);
        });
    }
}

fn sizes(style: &mut Style) {
    style.text_styles = [
        (TextStyle::Heading, 20.0, FontFamily::Proportional),
        (TextStyle::Body, 13.0, FontFamily::Proportional),
        (TextStyle::Button, 13.0, FontFamily::Proportional),
        (TextStyle::Small, 12.0, FontFamily::Proportional),
        (TextStyle::Monospace, 12.0, FontFamily::Monospace),
    ]
    .into_iter()
    .map(|(style, size, family)| (style, FontId::new(size, family)))
    .collect();
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(8.0, 6.0);
    spacing.button_padding = vec2(10.0, 4.0);
    spacing.interact_size = vec2(28.0, 24.0);
    spacing.menu_margin = Margin::same(6);
    spacing.window_margin = Margin::same(16);
    spacing.combo_width = 60.0;
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 9.0;
    spacing.tooltip_width = 380.0;
    spacing.indent = 14.0;
    style.interaction.selectable_labels = true;
}

fn colours(style: &mut Style, t: &Tokens) {
    let visuals = &mut style.visuals;
    visuals.dark_mode = t.dark;
    visuals.override_text_color = None;
    visuals.weak_text_color = Some(t.text2);
    visuals.weak_text_alpha = 1.0;
    visuals.hyperlink_color = t.accent;
    visuals.faint_bg_color = super::tokens::mix(t.window, t.text, 0.025);
    visuals.extreme_bg_color = t.sunken;
    visuals.text_edit_bg_color = Some(t.sunken);
    visuals.code_bg_color = t.hover;
    visuals.warn_fg_color = t.warn;
    visuals.error_fg_color = t.bad;
    visuals.panel_fill = t.window;
    visuals.window_fill = t.raised;
    visuals.window_stroke = Stroke::new(1.0, t.divider);
    visuals.window_corner_radius = CornerRadius::same(CARD);
    visuals.menu_corner_radius = CornerRadius::same(CARD);
    let shadow = Shadow {
        offset: [0, 4],
        blur: 16,
        spread: 0,
        color: Color32::from_black_alpha(if t.dark { 120 } else { 40 }),
    };
    visuals.window_shadow = shadow;
    visuals.popup_shadow = shadow;
    visuals.striped = false;
    visuals.slider_trailing_fill = true;
    visuals.selection.bg_fill = t.select;
    visuals.selection.stroke = Stroke::new(1.0, t.text);
    let widget = |fill: Color32, edge: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, edge),
        corner_radius: CornerRadius::same(CONTROL),
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let clear = Color32::TRANSPARENT;
    let widgets = &mut visuals.widgets;
    widgets.noninteractive = widget(t.window, t.divider, t.text);
    widgets.inactive = widget(t.hover, clear, t.text);
    widgets.hovered = widget(t.pressed, clear, t.text);
    widgets.active = widget(t.pressed, clear, t.text);
    widgets.open = widget(t.pressed, clear, t.text);
    // Boxes and fields are seen by their edges.
    widgets.inactive.bg_fill = t.hover;
    style.spacing.default_area_size = Vec2::new(600.0, 400.0);
}
