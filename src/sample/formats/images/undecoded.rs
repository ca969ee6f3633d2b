//! Formats of images that are recognised and not decoded.

use super::head::HEAD;
use super::{bmp, ico, png, svg};
use crate::sample::bytes::{Bytes, Endian};

/// First bytes that are long enough to stand for a format, and its name.
const BY_MAGIC: [(&[u8], &str); 24] = [
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL image"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000 image"),
    (b"\xff\x4f\xff\x51\0", "JPEG 2000 image"),
    (b"8BPS\0\x01\0\0\0\0\0\0", "Photoshop image (PSD)"),
    (b"8BPS\0\x02\0\0\0\0\0\0", "Photoshop image (PSB)"),
    (b"DDS \x7c\0\0\0", "DDS texture"),
    (b"v/1\x01", "OpenEXR image"),
    (b"#?RADIANCE\n", "Radiance HDR image"),
    (b"#?RGBE\n", "Radiance HDR image"),
    (b"gimp xcf ", "GIMP image (XCF)"),
    (b"BPG\xfb", "BPG image"),
    (b"farbfeld", "farbfeld image"),
    (b"AT&TFORM", "DjVu document"),
    (b"\xabKTX 11\xbb\r\n\x1a\n", "KTX texture"),
    (b"\xabKTX 20\xbb\r\n\x1a\n", "KTX texture"),
    (b"\x8aMNG\r\n\x1a\n", "MNG animation"),
    (b"\x8bJNG\r\n\x1a\n", "JNG image"),
    (b"FUJIFILMCCD-RAW ", "Fujifilm raw image (RAF)"),
    (b"IIRO", "Olympus raw image (ORF)"),
    (b"IIU\0\x18\0\0\0", "Panasonic raw image (RW2)"),
    (b"II\xbc\x01", "JPEG XR image"),
    (b"SIMPLE  =                    T", "FITS image"),
    (b"/* XPM */", "XPM image"),
    (b"\xd7\xcd\xc6\x9a\0\0", "Windows metafile (WMF)"),
];

/// The name of the format of an image that is not decoded; `None` for any other file. Only the first bytes are looked
/// at.
pub fn undecoded(head: &[u8]) -> Option<&'static str> {
    let head = head.get(..HEAD).unwrap_or(head);
    let bytes = Bytes::new(head, head.len() as u64);
    let by_magic = || BY_MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name);
    let by_structure = || match () {
        () if png::is_apple(bytes) => Some("PNG image in the variant of iOS (CgBI)"),
        () if svg::is_svg(head) => Some("SVG drawing"),
        () if bmp::is_rare_bmp(bytes) => Some("BMP image of a rare kind"),
        () if ico::is_cursor(bytes) => Some("cursor (CUR)"),
        () if is_qoi(bytes) => Some("QOI image"),
        () if is_emf(bytes) => Some("enhanced metafile (EMF)"),
        () if is_icns(bytes) => Some("icon of macOS (ICNS)"),
        () if bytes.kept().starts_with(b"RIFF") && bytes.get(8, 4) == Some(b"ACON") => {
            Some("animated cursor (ANI)")
        }
        () if bytes.get(128, 4) == Some(b"DICM") => Some("DICOM image"),
        () if is_netpbm(head) => Some("Netpbm image"),
        () if is_pcx(bytes) => Some("PCX image"),
        () if is_xbm(head) => Some("XBM image"),
        () if is_jpeg_xl(head) => Some("JPEG XL image"),
        () => None,
    };
    media_brand(bytes).or_else(by_magic).or_else(by_structure)
}

/// ISO/IEC 14496-12, 4.3: the brands of a file; images are ISO/IEC 23008-12 (HEIF).
fn media_brand(bytes: Bytes<'_>) -> Option<&'static str> {
    let size = bytes.u32(0, Endian::Big)?;
    if bytes.get(4, 4)? != b"ftyp" || !(16..=4096).contains(&size) {
        return None;
    }
    let brands = bytes.get(8, u64::from(size) - 8).unwrap_or_else(|| bytes.from(8));
    let (major, compatible) = brands.split_first_chunk::<4>()?;
    let all = || std::iter::once(major).chain(compatible.as_chunks::<4>().0.iter().skip(1));
    let any = |names: &[&[u8; 4]]| all().any(|brand| names.contains(&brand));
    match () {
        () if major == b"crx " => Some("Canon raw image (CR3)"),
        () if any(&[b"avif", b"avis"]) => Some("AVIF image"),
        () if any(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"]) => {
            Some("HEIC image")
        }
        () if any(&[b"mif1", b"mif2", b"msf1"]) => Some("HEIF image"),
        () => None,
    }
}

/// The QOI specification: width, height, 3 or 4 channels, colour space 0 or 1.
fn is_qoi(bytes: Bytes<'_>) -> bool {
    let size = |at| bytes.u32(at, Endian::Big).is_some_and(|n| n > 0);
    bytes.kept().starts_with(b"qoif") && size(4) && size(8) && matches!(bytes.array(12), Some([3 | 4, 0 | 1]))
}

/// \[MS-EMF\], 2.3.4.2: the header record with its signature.
fn is_emf(bytes: Bytes<'_>) -> bool {
    bytes.u32(0, Endian::Little) == Some(1) && bytes.get(40, 4) == Some(b" EMF")
}

fn is_icns(bytes: Bytes<'_>) -> bool {
    let name = bytes.get(8, 4).unwrap_or_default();
    bytes.kept().starts_with(b"icns")
        && bytes.u32(4, Endian::Big).is_some_and(|n| (17..1 << 26).contains(&n))
        && name.is_ascii()
}

/// P1 to P6 with two numbers, or P7 with its key words.
fn is_netpbm(head: &[u8]) -> bool {
    let Some(rest) = head.strip_prefix(b"P") else { return false };
    match rest {
        [b'7', b'\n', rest @ ..] => rest.starts_with(b"WIDTH ") || rest.starts_with(b"#"),
        [b'1'..=b'6', space, rest @ ..] if space.is_ascii_whitespace() => {
            let rest = rest.get(..256).unwrap_or(rest);
            let lines = rest.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#"));
            let words: Vec<_> = lines
                .flat_map(|line| line.split(u8::is_ascii_whitespace))
                .filter(|word| !word.is_empty())
                .take(2)
                .collect();
            words.len() == 2 && words.iter().all(|word| word.len() < 8 && word.iter().all(u8::is_ascii_digit))
        }
        _ => false,
    }
}

/// ZSoft's PCX: version, run-length encoding, bits, the window, and one to four planes.
fn is_pcx(bytes: Bytes<'_>) -> bool {
    let Some([0x0a, 0 | 2 | 3 | 4 | 5, 1, 1 | 2 | 4 | 8]) = bytes.array(0) else { return false };
    let window = |low, high| match (bytes.u16(low, Endian::Little), bytes.u16(high, Endian::Little)) {
        (Some(low), Some(high)) => low <= high,
        _ => false,
    };
    window(4, 8)
        && window(6, 10)
        && matches!(bytes.array(64), Some([0, 1..=4]))
        && bytes.get(74, 54) == Some(&[0; 54])
}

fn is_xbm(head: &[u8]) -> bool {
    let head = head.get(..1024).unwrap_or(head);
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let words: Vec<_> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    matches!(words[..], [b"#define", name, number] if name.ends_with(b"_width") && number.iter().all(u8::is_ascii_digit))
}

/// ISO/IEC 18181-1, A.2: the size in the header of a bare codestream must be plausible, since its signature is only
/// two bytes long.
fn is_jpeg_xl(head: &[u8]) -> bool {
    let Some(rest) = head.strip_prefix(&[0xff, 0x0a]).and_then(|rest| rest.first_chunk::<12>()) else {
        return false;
    };
    let bits = rest.iter().rev().fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
    let mut at = 0;
    let mut take = |n: u32| {
        let value = (bits >> at) & ((1 << n) - 1);
        at += n;
        value
    };
    let small = take(1) == 1;
    let side = |take: &mut dyn FnMut(u32) -> u128| {
        if small {
            return (take(5) + 1) * 8;
        }
        let n = [9, 13, 18, 30][take(2) as usize];
        take(n) + 1
    };
    let height = side(&mut take);
    // A ratio other than 0 stands for the width.
    let width = if take(3) == 0 { side(&mut take) } else { height };
    width.max(height) <= 1 << 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_are_not_decoded_are_named() {
        let mut emf = [0; 64];
        emf[0] = 1;
        emf[40..44].copy_from_slice(b" EMF");
        let cases: [(&[u8], &str); 14] = [
            (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "AVIF image"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF image"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC image"),
            (b"\0\0\0\x14ftypmif1\0\0\0\0mif1", "HEIF image"),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "SVG drawing"),
            (b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- a -->\n<svg>", "SVG drawing"),
            (b"<?xml version=\"1.0\"?><!DOCTYPE svg PUBLIC \"\">", "SVG drawing"),
            (b"\xff\xfe<\0s\0v\0g\0>\0", "SVG drawing"),
            (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL image"),
            (b"P6\n# made by hand\n12 8\n255\n", "Netpbm image"),
            (b"qoif\0\0\0\x01\0\0\0\x01\x03\0", "QOI image"),
            (&emf, "enhanced metafile (EMF)"),
            (b"#define icon_width 16\n", "XBM image"),
            (b"8BPS\0\x01\0\0\0\0\0\0", "Photoshop image (PSD)"),
        ];
        for (head, name) in cases {
            assert_eq!(undecoded(head), Some(name), "{}", head.escape_ascii());
        }
    }

    #[test]
    fn other_files_are_not_named() {
        let others: [&[u8]; 8] = [
            b"\0\0\0\x1cftypisom\0\0\0\0isomiso2avc1mp41",
            b"<html><svg></svg></html>",
            b"<svgfoo>",
            b"P6 is a train",
            b"P3",
            b"\xff\x0a",
            b"#define WIDTH 16",
            b"",
        ];
        for head in others {
            assert_eq!(undecoded(head), None, "{}", head.escape_ascii());
        }
    }
}
