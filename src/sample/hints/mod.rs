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

/// Why a program is probably packed, by a packer that is known or by its structure.
pub fn packer(bytes: Bytes<'_>, program: &Program) -> Option<String> {
    let layout = Layout::new(bytes, program);
    let known = || upx::find(&layout).map(|reason| format!("UPX: {reason}"));
    let by_name = || section_names::find(&layout).first().map(|(name, reason)| format!("{name}: {reason}"));
    known().or_else(by_name).or_else(|| packed::find(&layout))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::{Access, Import, ImportedSymbol, Overlay, Section};

    /// A program of one section at offset 512, followed by an overlay.
    fn program(name: &str, bytes: &[u8], overlay: &[u8]) -> (Vec<u8>, Program) {
        let mut file = b"MZ".to_vec();
        file.resize(512, 0);
        file.extend_from_slice(bytes);
        let end = file.len() as u64;
        file.extend_from_slice(overlay);
        let section = Section {
            name: name.to_owned(),
            offset: Some(512),
            size: bytes.len() as u64,
            address: 0x40_1000,
            virtual_size: bytes.len() as u64,
            access: Access { read: true, write: false, execute: name == ".text" },
            entropy: Some(5.0),
        };
        let overlay = (!overlay.is_empty()).then_some(Overlay { offset: end, size: overlay.len() as u64 });
        let program = Program {
            entry: Some(None),
            sections: Some(vec![section]),
            libraries: Some(Vec::new()),
            imports: Some(Vec::new()),
            overlay: Some(overlay),
            ..Program::default()
        };
        (file, program)
    }

    fn hints((file, mut program): (Vec<u8>, Program)) -> Vec<String> {
        add_hints(Bytes::new(&file, file.len() as u64), &mut program);
        program.notes.hints.iter().map(|hint| hint.name.clone()).collect()
    }

    #[test]
    fn a_section_is_known_by_its_name_in_any_case() {
        assert_eq!(hints(program("UPX0", b"x", b"")), ["UPX"]);
        assert_eq!(hints(program(".MPRESS1", b"x", b"")), ["MPRESS"]);
        assert!(hints(program(".text", b"UPX0 .mpress1", b"")).is_empty());
    }

    #[test]
    fn pyinstallers_cookie_needs_lengths_that_fit() {
        let cookie = |length: u32, python: u32| {
            let mut bytes = vec![0; 100];
            bytes.extend_from_slice(b"MEI\x0c\x0b\x0a\x0b\x0e");
            for number in [length, 10, 20, python] {
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            hints(program(".data", b"x", &bytes))
        };
        assert_eq!(
            (cookie(124, 27), cookie(124, 313)),
            (vec!["PyInstaller".to_owned()], vec!["PyInstaller".into()])
        );
        assert!(cookie(1 << 30, 311).is_empty() && cookie(29, 311).is_empty() && cookie(124, 7).is_empty());
    }

    #[test]
    fn nsis_header_is_at_a_multiple_of_512_behind_the_program() {
        let header = b"\x02\0\0\0\xef\xbe\xad\xdeNullsoftInst\x10\0\0\0\x10\0\0\0";
        assert_eq!(hints(program(".text", &[0x90; 512], header)), ["NSIS installer"]);
        let shifted = [&b"x"[..], header].concat();
        assert!(hints(program(".text", &[0x90; 512], &shifted)).is_empty());
        assert!(hints(program(".text", &[&[0x90; 512][..], header].concat(), b"end")).is_empty());
    }

    #[test]
    fn go_has_build_information_at_a_multiple_of_16_in_data() {
        let mut data = b"\xff Go buildinf:\x08\x02".to_vec();
        data.resize(32, 0);
        data.extend_from_slice(b"\x08go1.22.1");
        assert_eq!(hints(program(".data", &data, b"")), ["Go"]);
        assert!(hints(program(".data", &[&b"x"[..], &data].concat(), b"")).is_empty());
        assert!(hints(program(".text", &data, b"")).is_empty());
        assert_eq!(hints(program(".text", b"\xff Go build ID: \"abc\"", b"")), ["Go"]);
    }

    #[test]
    fn the_self_extractor_of_7_zip_has_a_configuration() {
        let configured = b";!@Install@!UTF-8!\nTitle=\"x\"\n;!@InstallEnd@!7z\xbc\xaf\x27\x1c\0\x04";
        assert_eq!(hints(program(".text", b"x", configured)), ["7-Zip self-extractor"]);
        // An archive can be behind any program.
        assert!(hints(program(".text", b"x", b"7z\xbc\xaf\x27\x1c\0\x04")).is_empty());
    }

    #[test]
    fn packed_needs_dense_code_and_a_sign_or_two_signs() {
        let name = |name: &str| Import {
            library: Some("kernel32.dll".to_owned()),
            symbol: ImportedSymbol::Name(name.to_owned()),
            delayed: false,
        };
        let (file, mut dense) = program(".text", &[1; 4096], b"");
        let section = |dense: &mut Program, change: &dyn Fn(&mut Section)| {
            dense.sections.iter_mut().flatten().for_each(change);
        };
        section(&mut dense, &|section| section.entropy = Some(7.1));
        assert!(hints((file.clone(), dense.clone())).is_empty());
        let mut few = dense.clone();
        few.imports = Some(vec![name("LoadLibraryA"), name("GetProcAddress")]);
        assert_eq!(hints((file.clone(), few)), ["packed"]);
        let mut writable = dense.clone();
        section(&mut writable, &|section| section.access.write = true);
        assert_eq!(hints((file.clone(), writable.clone())), ["packed"]);
        section(&mut writable, &|section| section.entropy = Some(5.0));
        assert!(hints((file.clone(), writable.clone())).is_empty());
        writable.entry = Some(Some(0x40_1000));
        assert_eq!(hints((file.clone(), writable.clone())), ["packed"]);
        section(&mut writable, &|section| section.name = "INIT".to_owned());
        assert!(hints((file.clone(), writable)).is_empty());
        section(&mut dense, &|section| section.entropy = Some(7.9));
        assert_eq!(hints((file.clone(), dense.clone())), ["packed"]);
        dense.notes.hint(".NET", "x");
        assert_eq!(hints((file, dense)), [".NET"]);
    }
}
