//! The icons: glyphs of Phosphor Regular, drawn as text. `assets/fonts/cut.py` lists those that are in the font.

#![allow(missing_docs, reason = "the names are Phosphor's")]

pub const ARROW_DOWN: &str = "\u{e03e}";
pub const ARROW_UP: &str = "\u{e08e}";
pub const BELL: &str = "\u{e0ce}";
pub const CARET_DOWN: &str = "\u{e136}";
pub const CARET_LEFT: &str = "\u{e138}";
pub const CARET_RIGHT: &str = "\u{e13a}";
pub const CHECK: &str = "\u{e182}";
pub const CHECK_CIRCLE: &str = "\u{e184}";
pub const COPY: &str = "\u{e1ca}";
pub const CORNERS_OUT: &str = "\u{e1d0}";
pub const CPU: &str = "\u{e610}";
pub const DATABASE: &str = "\u{e1de}";
pub const EXPORT: &str = "\u{eaf0}";
pub const FILE: &str = "\u{e230}";
pub const FLASK: &str = "\u{e79e}";
pub const FOLDER_OPEN: &str = "\u{e256}";
pub const INFO: &str = "\u{e2ce}";
pub const LOCK: &str = "\u{e308}";
pub const MAGNIFYING_GLASS: &str = "\u{e30c}";
pub const PLAY: &str = "\u{e3d0}";
pub const SIDEBAR: &str = "\u{ec24}";
pub const TAG: &str = "\u{e478}";
pub const TRAY_ARROW_DOWN: &str = "\u{e010}";
pub const WARNING: &str = "\u{e4e0}";
pub const WARNING_CIRCLE: &str = "\u{e4e2}";
pub const X: &str = "\u{e4f6}";
