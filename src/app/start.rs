//! Starts the window: chooses the renderer and the window system, and explains a failure to open it.
//!
//! Analysts work in virtual machines and over remote desktop, so a software renderer is accepted. winit 0.30
//! delivers no dropped files on Wayland (rust-windowing/winit#1881), so an X server is used where there is one,
//! XWayland included.

use super::options::Options;
use super::priority;
use super::window::App;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// The library that draws the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renderer {
    /// Vulkan, Metal, DirectX 12 or OpenGL ES, in hardware or software.
    Wgpu,
    /// OpenGL 2 or later.
    Glow,
}

/// The window system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WindowSystem {
    X11,
    Wayland,
    /// Windows or macOS.
    Own,
    /// No display was found.
    None,
}

impl WindowSystem {
    fn detect() -> Self {
        if !cfg!(all(unix, not(target_os = "macos"))) {
            return Self::Own;
        }
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if set("DISPLAY") {
            Self::X11
        } else if set("WAYLAND_DISPLAY") || set("WAYLAND_SOCKET") {
            Self::Wayland
        } else {
            Self::None
        }
    }
}

/// Opens the window and returns when it is closed; `Err` is one sentence for the user.
pub fn run(renderer: Renderer, mut options: Options) -> Result<(), String> {
    let system = WindowSystem::detect();
    if system == WindowSystem::None {
        return Err("expected a display to open the window on, found neither DISPLAY nor WAYLAND_DISPLAY. Start it from a desktop, or use the command line (lookalike --help)".into());
    }
    options.no_drops = system == WindowSystem::Wayland;
    priority::lower_pool();
    let native = native_options(renderer, system);
    let panic_text = Arc::new(Mutex::new(String::new()));
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new({
        let text = Arc::clone(&panic_text);
        // A missing shared library makes winit panic: the text goes into the error instead of to stderr.
        move |info| {
            tracing::debug!("{info}");
            *text.lock().unwrap_or_else(PoisonError::into_inner) = info.to_string();
        }
    }));
    let result = catch_unwind(AssertUnwindSafe(|| {
        eframe::run_native("Lookalike", native, Box::new(|cc| Ok(Box::new(App::new(cc, options)))))
    }));
    std::panic::set_hook(previous);
    match result {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(advice(&error.to_string(), renderer)),
        Err(_) => Err(advice(&panic_text.lock().unwrap_or_else(PoisonError::into_inner), renderer)),
    }
}

fn native_options(renderer: Renderer, system: WindowSystem) -> eframe::NativeOptions {
    let mut viewport = egui::ViewportBuilder::default()
        .with_title("Lookalike")
        .with_app_id("lookalike")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([880.0, 560.0])
        .with_drag_and_drop(true);
    match eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon-256.png")) {
        Ok(icon) => viewport = viewport.with_icon(icon),
        Err(error) => tracing::warn!("the window has no icon: {error}"),
    }
    eframe::NativeOptions {
        viewport,
        renderer: match renderer {
            Renderer::Wgpu => eframe::Renderer::Wgpu,
            Renderer::Glow => eframe::Renderer::Glow,
        },
        event_loop_builder: prefer_x11(system),
        ..eframe::NativeOptions::default()
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn prefer_x11(system: WindowSystem) -> Option<eframe::EventLoopBuilderHook> {
    use winit::platform::x11::EventLoopBuilderExtX11 as _;
    (system == WindowSystem::X11).then(|| -> eframe::EventLoopBuilderHook {
        Box::new(|builder| {
            builder.with_x11();
        })
    })
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn prefer_x11(_: WindowSystem) -> Option<eframe::EventLoopBuilderHook> {
    None
}

/// Shared libraries loaded at run time, and the Debian packages that contain them.
const LIBRARIES: [(&str, &str); 9] = [
    ("xkbcommon-x11", "libxkbcommon-x11-0"),
    ("xkbcommon", "libxkbcommon0"),
    ("X11-xcb", "libx11-xcb1"),
    ("Xcursor", "libxcursor1"),
    ("Xrandr", "libxrandr2"),
    ("Xi.", "libxi6"),
    ("X11", "libx11-6"),
    ("wayland-client", "libwayland-client0"),
    ("EGL", "libegl1"),
];

/// The error with what to install or set.
fn advice(error: &str, renderer: Renderer) -> String {
    let error = error.split_whitespace().collect::<Vec<_>>().join(" ");
    let lower = error.to_lowercase();
    let missing =
        LIBRARIES.iter().find(|(library, _)| lower.contains(&format!("lib{}", library.to_lowercase())));
    let advice = if let Some((_, package)) = missing {
        format!("A shared library is missing. On Debian and Ubuntu: apt-get install {package}")
    } else if lower.contains("adapter")
        || lower.contains("surface")
        || lower.contains("vulkan")
        || lower.contains("wgpu")
    {
        "Neither a graphics card nor a software renderer was found. On Debian and Ubuntu: apt-get install mesa-vulkan-drivers libvulkan1; or try --renderer glow".to_owned()
    } else if renderer == Renderer::Glow {
        "OpenGL 2 or later is needed for --renderer glow. On Debian and Ubuntu: apt-get install libgl1-mesa-dri libegl1; or omit --renderer".to_owned()
    } else if lower.contains("display") || lower.contains("connection") || lower.contains("x11") {
        "The display could not be reached: check DISPLAY (or WAYLAND_DISPLAY) and your permission to use it"
            .to_owned()
    } else {
        "Run again with RUST_LOG=debug for details; the command line works without a window (lookalike --help)".to_owned()
    };
    format!("the window could not be opened: {error}. {advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_names_what_to_install() {
        let cases = [
            ("Library libxkbcommon-x11.so could not be loaded.", "libxkbcommon-x11-0"),
            ("libXcursor.so.1: cannot open shared object file", "libxcursor1"),
            ("No suitable graphics adapter found", "mesa-vulkan-drivers"),
            ("failed to open display", "check DISPLAY"),
            ("something else", "RUST_LOG=debug"),
        ];
        for (error, expected) in cases {
            let text = advice(error, Renderer::Wgpu);
            assert!(text.contains(expected) && text.contains(error), "{text}");
            assert_eq!(text.lines().count(), 1);
        }
        assert!(advice("no config", Renderer::Glow).contains("libegl1"));
    }
}
