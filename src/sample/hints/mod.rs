//! Hints: traces that compilers, packers and installers leave in a program, each with where it is.
//!
//! A trace is a structure in its own place: a section's name, a header with valid fields, an archive's cookie. A text
//! alone is none, since a program may contain the name of any tool. Traces are easily forged and easily removed.

mod autoit;
mod compilers;
mod installers;
mod layout;
mod packed;
mod python;
mod section_names;
mod segments;
mod upx;

use super::bytes::Bytes;
use super::facts::{Hint, Program};
use layout::Layout;

/// Adds the tools that left traces in a program.
pub fn add_hints(bytes: Bytes<'_>, program: &mut Program) {
    let layout = Layout::new(bytes, program);
    let mut found = Vec::new();
    let mut add = |name: &str, reason: Option<String>| {
        found.extend(reason.map(|reason| Hint { name: name.to_owned(), reason }));
    };
    add("UPX", upx::find(&layout));
    for (name, reason) in section_names::find(&layout) {
        add(name, Some(reason));
    }
    add("PyInstaller", python::pyinstaller(&layout));
    add("py2exe", python::py2exe(&layout));
    add("Nuitka", python::nuitka(&layout));
    add("AutoIt", autoit::find(&layout));
    add("NSIS installer", installers::nsis(&layout));
    add("Inno Setup installer", installers::inno_setup(&layout));
    add("WiX installer", installers::wix(&layout));
    add("7-Zip self-extractor", installers::seven_zip(&layout));
    add("WinRAR self-extractor", installers::win_rar(&layout));
    add("Go", compilers::go(&layout));
    add("Rust", compilers::rust(&layout));
    add("Delphi", compilers::delphi(&layout));
    add("Visual Basic 6", compilers::visual_basic(&layout));
    add(".NET single file", compilers::dotnet_bundle(&layout));
    add("packed", packed::find(&layout));
    for hint in found {
        program.notes.hint(&hint.name, hint.reason);
    }
}
