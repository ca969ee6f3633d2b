//! A PE that is packed with UPX: the decompressed sections with the original headers, as a file.
//!
//! The first section has no bytes and is where the stub decompresses to; the second one has the compressed bytes and the
//! stub; the others have what Windows reads before the stub runs. The header that `pack_header` reads is before the
//! compressed bytes. Where it is damaged, the stub says where they begin, and each method is tried. What was
//! decompressed ends with the original headers, so that a wrong method is not taken for the right one.

use super::budget::{Budget, MAX_UNPACKED};
use super::filter::Filter;
use super::guess_filter::guess;
use super::methods::Method;
use super::pack_header::{PackHeader, SIZE};
use super::pe_headers::PeHeaders;
use super::pe_image;
use super::pe_memory::Memory;
use super::pe_original::Original;
use super::pe_stub::{self, Stub};
use super::release;
use super::unpacked::{How, UnpackError, Unpacked};
use crate::sample::bytes::Bytes;
use adler2::adler32_slice;

/// Bytes before and after the start of the second section where the header is searched.
const BEFORE: u64 = 64;
const AFTER: u64 = 1024;
/// Places behind the start of the second section where the compressed bytes may begin: a part of the header and of the text
/// before it can be there.
const NEAR: u64 = 48;
/// Sections that may be the one with the compressed bytes.
const SECTIONS: usize = 4;
/// x86 and x86-64.
const X86: [u16; 2] = [0x14c, 0x8664];

/// What was decompressed.
struct Stream {
    bytes: Vec<u8>,
    original: Original,
    method: Method,
    /// Whether both checksums agree.
    exact: bool,
}

/// Unpacks a PE; `None` if it is not packed with UPX.
pub fn unpack(bytes: Bytes<'_>) -> Option<Result<Unpacked, UnpackError>> {
    let packed = PeHeaders::of_file(bytes)?;
    let is_shaped = packed.has_sections_of_upx();
    let anywhere = || is_shaped.then(|| pe_stub::search(bytes, &packed)).flatten();
    let stub = pe_stub::find(bytes, &packed).or_else(anywhere);
    let header = find_header(bytes, &packed, stub);
    // The magic alone is in other programs too, as in UPX itself.
    let is_known = header.is_some_and(|header| header.valid && header.has_magic) || packed.has_names_of_upx();
    if header.is_none() && !is_known && stub.is_none() && !is_shaped {
        return None;
    }
    match restore(bytes, &packed, stub, header) {
        Ok(unpacked) => Some(Ok(unpacked)),
        // Other packers start with the same instructions.
        Err(why) => is_known.then_some(Err(UnpackError::Damaged(why))),
    }
}

/// The header of UPX: before the compressed bytes, or near the start of a section.
fn find_header(bytes: Bytes<'_>, packed: &PeHeaders, stub: Option<Stub>) -> Option<PackHeader> {
    let before_source = stub.and_then(|stub| PackHeader::read(bytes, stub.source.checked_sub(SIZE)?));
    let sections = packed.sections.iter().filter(|section| section.size > 0).take(SECTIONS);
    before_source.filter(|header| header.valid || header.has_magic).or_else(|| {
        sections
            .filter_map(|section| {
                let start = u64::from(section.offset);
                PackHeader::find(bytes, start.saturating_sub(BEFORE), start.saturating_add(AFTER))
            })
            .find(|header| header.has_magic)
    })
}

fn restore(
    bytes: Bytes<'_>,
    packed: &PeHeaders,
    stub: Option<Stub>,
    header: Option<PackHeader>,
) -> Result<Unpacked, String> {
    let mut budget = Budget::default();
    let mut remarks = Vec::new();
    let mut why = None;
    let mut stream = None;
    // As the header says.
    if let Some(header) = header {
        match by_header(bytes, packed, header, &mut budget) {
            Ok(found) => stream = Some(found),
            Err(error) => why = Some(error),
        }
        if !header.has_magic {
            remarks.push("its header has another magic".to_owned());
        } else if !header.valid {
            remarks.push("its header is damaged".to_owned());
        }
    } else {
        remarks.push("its header was removed".to_owned());
    }
    // As the stub or the sections say.
    if stream.is_none() {
        let mut starts: Vec<u64> = stub.iter().map(|stub| stub.source).collect();
        starts.extend(header.map(|header| header.end()));
        if let Some(section) = packed.sections.iter().find(|section| section.size > 0) {
            starts.extend((0..=NEAR).map(|behind| u64::from(section.offset) + behind));
        }
        for start in starts {
            match by_structure(bytes, packed, start, stub, &mut budget) {
                Ok(found) => {
                    stream = Some(found);
                    break;
                }
                Err(error) => why = why.or(Some(error)),
            }
        }
        if header.is_some_and(|header| header.valid) && stream.is_some() {
            remarks.push("its header does not fit the compressed bytes".to_owned());
        }
    }
    let Some(stream) = stream else {
        return Err(why.unwrap_or_else(|| "expected compressed bytes, found none".to_owned()));
    };
    Ok(finish(bytes, packed, stream, header, remarks))
}

/// Decompresses as the header says.
fn by_header(
    bytes: Bytes<'_>,
    packed: &PeHeaders,
    header: PackHeader,
    budget: &mut Budget,
) -> Result<Stream, String> {
    let method = Method::of(header.method).ok_or_else(|| format!("method {} is unknown", header.method))?;
    let compressed = bytes.get(header.end(), header.packed_size.into()).ok_or_else(|| {
        format!("expected {} compressed bytes, found the end of the file", header.packed_size)
    })?;
    let unpacked = method.exactly(compressed, header.unpacked_size as usize, budget)?;
    let original = Original::at_end(&unpacked, packed)
        .ok_or("expected the original headers at the end of the decompressed bytes, found other bytes")?;
    let sums = (adler32_slice(compressed), adler32_slice(&unpacked));
    let exact = sums == (header.packed_adler, header.unpacked_adler);
    Ok(Stream { bytes: unpacked, original, method, exact })
}

/// Decompresses what begins at `start` with each method, up to the stub or the end of the section.
fn by_structure(
    bytes: Bytes<'_>,
    packed: &PeHeaders,
    start: u64,
    stub: Option<Stub>,
    budget: &mut Budget,
) -> Result<Stream, String> {
    let section = packed.sections.iter().find(|section| {
        start.checked_sub(section.offset.into()).is_some_and(|inside| inside < section.size.into())
    });
    let section_end = section.map(|section| u64::from(section.offset) + u64::from(section.size));
    let end = stub.map(|stub| stub.entry).filter(|entry| *entry > start).or(section_end);
    let compressed = bytes.from(start);
    let size = end.and_then(|end| usize::try_from(end.checked_sub(start)?).ok());
    let compressed = size.and_then(|size| compressed.get(..size)).unwrap_or(compressed);
    // The decompressed bytes are where the first two sections are.
    let room = packed.sections.iter().take(2).map(|section| u64::from(section.virtual_size)).sum::<u64>();
    let most = usize::try_from(room).unwrap_or(MAX_UNPACKED).clamp(1 << 16, MAX_UNPACKED) + (1 << 16);
    let hint = start.checked_sub(SIZE).and_then(|at| PackHeader::read(bytes, at));
    let first = hint.and_then(|hint| Method::of(hint.method));
    let others = Method::OF_PE.into_iter().filter(|method| Some(*method) != first);
    let mut why = String::new();
    for method in first.filter(|method| *method != Method::Deflate).into_iter().chain(others) {
        let found = method.to_the_end(compressed, most, budget).and_then(|decoded| {
            let original = if method == Method::Lzma {
                Original::search(&decoded.bytes, packed)
            } else {
                Original::at_end(&decoded.bytes, packed)
            };
            let original = original.ok_or_else(|| format!("{method}: no original headers at the end"))?;
            Ok((decoded, original))
        });
        match found {
            Ok((decoded, original)) => {
                let mut unpacked = decoded.bytes;
                unpacked.truncate(original.size);
                // Its checksums may be right still. The end of LZMA is not known.
                let exact = hint.is_some_and(|hint| {
                    let read = if method == Method::Lzma { hint.packed_size as usize } else { decoded.read };
                    hint.unpacked_adler == adler32_slice(&unpacked)
                        && compressed.get(..read).map(adler32_slice) == Some(hint.packed_adler)
                });
                return Ok(Stream { bytes: unpacked, original, method, exact });
            }
            Err(error) if why.is_empty() => why = error,
            Err(error) => why = format!("{why}; {error}"),
        }
    }
    Err(format!("expected compressed bytes at offset {start}: {why}"))
}

/// Undoes the filter and puts the file together.
fn finish(
    bytes: Bytes<'_>,
    packed: &PeHeaders,
    stream: Stream,
    header: Option<PackHeader>,
    mut remarks: Vec<String>,
) -> Unpacked {
    let Stream { bytes: unpacked, original, method, mut exact } = stream;
    let base = original.headers.sections.first().map_or(0, |section| section.address);
    let mut memory = Memory { bytes: unpacked, base };
    let mut filter = header.map(|header| header.filter).unwrap_or_default();
    let add = original.headers.code_base.wrapping_sub(base);
    let code = (add as usize).checked_add(original.headers.code_size as usize);
    match code.and_then(|end| memory.bytes.get_mut(add as usize..end)) {
        Some(code) => {
            if header.is_none_or(|header| !header.valid) && X86.contains(&packed.machine) {
                filter = guess(code, add, packed.wide);
            }
            if let Err(why) = filter.undo(code, add) {
                remarks.push(why);
                exact = false;
            }
        }
        None => filter = Filter::default(),
    }
    let image = pe_image::build(bytes, packed, &original, memory, &mut remarks);
    let end = packed.sections.iter().map(|section| u64::from(section.offset) + u64::from(section.size)).max();
    let mut how = How::new(method, end.unwrap_or(bytes.size()).min(bytes.size()), &image);
    how.release = header.and_then(|header| release::of_pe(bytes, header.at));
    how.version = header.filter(|header| header.valid).map(|header| header.version);
    how.filter = filter.id;
    how.exact = exact;
    if let Some(header) = header.filter(|header| header.valid && !exact) {
        remarks.push(format!(
            "expected checksums {:08x} and {:08x}, found others",
            header.packed_adler, header.unpacked_adler
        ));
    }
    how.remarks = remarks;
    Unpacked { image, how }
}
