//! Reading one member of a zip: its headers may contradict each other, and what fits its CRC-32 is right.

use super::directory::{Entry, Header};
use super::end::number;
use super::splice::Splice;
use crate::sample::archive::error::ArchiveError;
use crate::sample::archive::extents::read_up_to;
use crate::sample::archive::limits::Budget;
use crate::sample::archive::member::{Member, Note};
use crate::sample::archive::source::Source;
use crate::sample::passwords::Passwords;
use crate::sample::sparse_bytes::SparseBytes;
use std::io::{self, BufReader, Read, SeekFrom};
use zip::ZipArchive;
use zip::result::ZipError;

/// Bit 6 of the flags: PKWARE's strong encryption. Bit 13: the central directory is encrypted and its values masked.
const STRONG: u16 = 1 << 6 | 1 << 13;
/// The method number of WinZip's AES; the real one is in the extra field.
const AES: u16 = 99;
/// LZMA.
const LZMA: u16 = 14;
/// Zstandard.
const ZSTD: u16 = 93;
/// Xz.
const XZ: u16 = 95;

/// Reads members of one zip.
pub struct Reader<'a> {
    source: &'a mut dyn Source,
    size: u64,
    passwords: &'a Passwords,
    /// The password that opened the last member.
    likeliest: Option<Vec<u8>>,
}

impl<'a> Reader<'a> {
    /// A reader of a zip in `source`.
    pub fn new(source: &'a mut dyn Source, passwords: &'a Passwords) -> io::Result<Self> {
        let size = source.seek(SeekFrom::End(0))?;
        Ok(Self { source, size, passwords, likeliest: None })
    }

    /// Reads the content of a member.
    pub fn read(&mut self, budget: &mut Budget, entry: &Entry) -> Result<Member, ArchiveError> {
        if entry.central.is_none()
            && entry
                .local
                .as_ref()
                .is_some_and(|local| local.flags & 8 != 0 && local.size == 0 && local.crc == 0)
        {
            return Err(ArchiveError::damaged("its end, and the sizes that follow it, are missing"));
        }
        let Some(local) = &entry.local else {
            return Err(ArchiveError::damaged(format!(
                "expected the header of this file at offset {}, found something else",
                entry.offset
            )));
        };
        let mut member = self.read_content(budget, entry, local)?;
        if entry.central.is_none() {
            let offset = entry.offset;
            member.notes.push(Note::problem(format!(
                "not in the zip's central directory; found by its own header at offset {offset}"
            )));
        }
        Ok(member)
    }

    /// The first bytes of a member; `None` if it is damaged or encrypted.
    pub fn peek(&mut self, budget: &mut Budget, entry: &Entry, most: u64) -> Option<Vec<u8>> {
        let header = entry.header().filter(|header| !header.encrypted())?;
        let compressed = self.size.checked_sub(entry.data)?.min(entry.compressed);
        readable(header).ok()?;
        self.check_dictionary(budget, entry.data, header).ok()?;
        let splice = Splice::new(self.source, entry.data, compressed, header);
        let mut bytes = Vec::new();
        let mut archive = ZipArchive::new(splice).ok()?;
        archive.by_index(0).ok()?.take(most).read_to_end(&mut bytes).ok()?;
        budget.take_bytes(bytes.len() as u64, 0).ok()?;
        Some(bytes)
    }

    fn read_content(
        &mut self,
        budget: &mut Budget,
        entry: &Entry,
        local: &Header,
    ) -> Result<Member, ArchiveError> {
        let headers = variants(entry, local);
        // Sizes in the local header are not the found size if they follow the data.
        let left = self.size.saturating_sub(entry.data);
        let best = headers.first().unwrap_or(local);
        let (encrypted, plain): (Vec<&Header>, Vec<&Header>) =
            headers.iter().partition(|header| header.encrypted());
        let mut failed = None;
        // Two headers of which only one says that it is encrypted: one of them lies.
        for header in plain {
            match self.read_plain(budget, entry.data, left.min(header.compressed), header) {
                Ok(bytes) => {
                    let mut member = Member::from(bytes);
                    if !encrypted.is_empty() {
                        let which = "one of its two headers says that it is encrypted; it is not";
                        member.notes.push(Note::problem(which));
                    }
                    return Ok(member);
                }
                Err(error) if error.is_final() => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if best.encrypted() || !encrypted.is_empty() {
            for header in &encrypted {
                match self.read_encrypted(budget, entry.data, left.min(header.compressed), header) {
                    Ok(bytes) => return Ok(bytes.into()),
                    Err(error) if error.is_final() => return Err(error),
                    Err(error) => failed = Some(error),
                }
            }
            // Both headers may lie: what fits the CRC-32 without decryption was never encrypted.
            for header in &encrypted {
                if header.crc != 0
                    && header.method != AES
                    && let Ok(bytes) =
                        self.read_plain(budget, entry.data, left.min(header.compressed), header)
                {
                    let mut member = Member::from(bytes);
                    member.notes.push(Note::problem("its headers say that it is encrypted; it is not"));
                    return Ok(member);
                }
            }
        }
        Err(failed.unwrap_or_else(|| ArchiveError::damaged("it has no header")))
    }

    fn read_plain(
        &mut self,
        budget: &mut Budget,
        offset: u64,
        compressed: u64,
        header: &Header,
    ) -> Result<SparseBytes, ArchiveError> {
        // The method of AES says nothing without it.
        let mut header = Header { flags: header.flags & !(1 | STRONG), ..header.clone() };
        if header.method == AES {
            header.method = real_method(&header);
            header.extra.clear();
        }
        if matches!(header.method, ZSTD | XZ) {
            return self.read_stream(budget, offset, compressed, &header);
        }
        readable(&header)?;
        self.check_dictionary(budget, offset, &header)?;
        let mut archive =
            ZipArchive::new(Splice::new(self.source, offset, compressed, &header)).map_err(damaged)?;
        let mut reader = archive.by_index(0).map_err(damaged)?;
        let bytes = budget.read(&mut reader, ArchiveError::damaged)?;
        check_size(&header, bytes)
    }

    /// Fails if LZMA needs more memory than the limit: its dictionary, or the content if that is smaller.
    fn check_dictionary(
        &mut self,
        budget: &Budget,
        offset: u64,
        header: &Header,
    ) -> Result<(), ArchiveError> {
        let most = u64::from(budget.limits.memory_kib) << 10;
        if header.method != LZMA || header.size <= most {
            return Ok(());
        }
        // Encrypted, it cannot be seen before.
        let dictionary = if header.encrypted() {
            header.size
        } else {
            let start = read_up_to(self.source, offset, 9).map_err(ArchiveError::damaged)?;
            number::<4>(&start, 5).unwrap_or_default()
        };
        if dictionary <= most {
            return Ok(());
        }
        Err(ArchiveError::Method(format!(
            "a dictionary of {} MiB, more than {} MiB",
            dictionary >> 20,
            most >> 20
        )))
    }

    /// Reads a member whose compression has its own limit of memory.
    fn read_stream(
        &mut self,
        budget: &mut Budget,
        offset: u64,
        compressed: u64,
        header: &Header,
    ) -> Result<SparseBytes, ArchiveError> {
        self.source.seek(SeekFrom::Start(offset)).map_err(ArchiveError::damaged)?;
        let window = u64::from(budget.limits.memory_kib) << 10;
        let data = BufReader::new((&mut *self.source).take(compressed));
        let bytes = if header.method == XZ {
            let memory = budget.limits.memory_kib;
            budget
                .read(&mut lzma_rust2::XzReader::new_mem_limit(data, false, memory), ArchiveError::damaged)?
        } else {
            let mut reader = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(data, window)
                .map_err(ArchiveError::damaged)?;
            budget.read(&mut reader, ArchiveError::damaged)?
        };
        let mut crc = crc32fast::Hasher::new();
        bytes.chunks().for_each(|chunk| crc.update(chunk));
        if crc.finalize() != header.crc {
            return Err(ArchiveError::damaged("the content does not fit its CRC-32"));
        }
        check_size(header, bytes)
    }

    fn read_encrypted(
        &mut self,
        budget: &mut Budget,
        offset: u64,
        compressed: u64,
        header: &Header,
    ) -> Result<SparseBytes, ArchiveError> {
        if header.flags & STRONG != 0 {
            return Err(ArchiveError::Method("PKWARE's strong encryption".to_owned()));
        }
        readable(header)?;
        self.check_dictionary(budget, offset, &Header { method: real_or(header), ..header.clone() })?;
        let aes = header.method == AES;
        // Of two ways to check a password, most programs use the one for this flag.
        let other = Header { flags: header.flags ^ 8, ..header.clone() };
        let checks: &[&Header] = if aes { &[header] } else { &[header, &other] };
        let likeliest = self.likeliest.take();
        let mut accepted = false;
        for password in likeliest.into_iter().chain(self.passwords.in_code_pages()) {
            for check in checks {
                let splice = Splice::new(self.source, offset, compressed, check);
                let mut archive = ZipArchive::new(splice).map_err(damaged)?;
                let read = match archive.by_index_decrypt(0, &password) {
                    Ok(mut reader) => budget.read(&mut reader, ArchiveError::damaged),
                    Err(ZipError::InvalidPassword) => continue,
                    Err(error) => return Err(damaged(error)),
                };
                match read.and_then(|bytes| check_size(header, bytes)) {
                    Ok(bytes) => {
                        self.likeliest = Some(password);
                        return Ok(bytes);
                    }
                    // ZipCrypto accepts one wrong password in 256, and then decrypts to garbage.
                    Err(ArchiveError::Damaged(_)) if !aes => accepted = true,
                    // AES accepts one wrong password in 65,536: it is damaged.
                    Err(error) => return Err(error),
                }
            }
        }
        let count = self.passwords.len();
        Err(if accepted { ArchiveError::PasswordOrDamage(count) } else { ArchiveError::Password(count) })
    }
}

/// The descriptions of a member to try in order: as the central directory says, as its local header says.
fn variants(entry: &Entry, local: &Header) -> Vec<Header> {
    let mut all = Vec::new();
    if let Some(central) = &entry.central {
        let mut central = central.clone();
        if central.extra_field(0x9901).is_none() {
            central.extra.clone_from(&local.extra);
        }
        all.push(central);
    }
    // Without the directory, and where the local header says something else.
    let sized = local.compressed != 0 || local.flags & 8 == 0;
    let mut second = Header { extra: local.extra.clone(), ..local.clone() };
    second.compressed = if sized && entry.central.is_some() { local.compressed } else { entry.compressed };
    if let Some(first) = all.first() {
        if !sized {
            (second.crc, second.size) = (first.crc, first.size);
        }
        let same = |a: &Header, b: &Header| {
            (a.encrypted(), a.method, a.crc, a.compressed, a.size)
                == (b.encrypted(), b.method, b.crc, b.compressed, b.size)
        };
        if same(first, &second) {
            return all;
        }
    }
    all.push(second);
    all
}

/// Fails if a method is not supported.
fn readable(header: &Header) -> Result<(), ArchiveError> {
    let method = real_or(header);
    let name = match method {
        0..=6 | 8 | 9 | 12 | 14 | 98 => return Ok(()),
        7 => "tokenizing",
        10 => "PKWARE's DCL implode",
        16 => "IBM CMPSC",
        18 => "IBM TERSE",
        19 => "IBM LZ77",
        93 => "Zstandard with encryption",
        95 => "xz with encryption",
        94 => "MP3",
        96 => "JPEG",
        97 => "WavPack",
        other => return Err(ArchiveError::Method(format!("zip compression method {other}"))),
    };
    Err(ArchiveError::Method(format!("{name} compression")))
}

/// The compression method, whatever the encryption.
fn real_or(header: &Header) -> u16 {
    if header.method == AES { real_method(header) } else { header.method }
}

/// The method of a member encrypted with AES.
fn real_method(header: &Header) -> u16 {
    header
        .extra_field(0x9901)
        .and_then(|field| field.get(5..)?.first_chunk().copied())
        .map_or(AES, u16::from_le_bytes)
}

/// Fails if a content has another size than its header says. Sizes that follow the data are not known.
fn check_size(header: &Header, bytes: SparseBytes) -> Result<SparseBytes, ArchiveError> {
    let known = header.size != 0 || header.flags & 8 == 0;
    if known && bytes.size() != header.size {
        return Err(ArchiveError::damaged(format!("expected {} bytes, found {}", header.size, bytes.size())));
    }
    Ok(bytes)
}

fn damaged(error: ZipError) -> ArchiveError {
    ArchiveError::damaged(error)
}
