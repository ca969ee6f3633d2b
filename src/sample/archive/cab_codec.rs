//! The compressions of cabinets, block by block: MSZIP ([MS-MCI]) by miniz_oxide, and LZX ([MS-PATCH]) by lzxd.

use lzxd::{Lzxd, WindowSize};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a block decompresses to at most, and how far MSZIP refers back.
pub const BLOCK: usize = 32 << 10;

/// The error of damaged bytes.
pub fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// The decompressor of a folder.
pub enum Codec {
    Stored,
    /// The block before, to which the next one may refer.
    MsZip {
        state: Box<DecompressorOxide>,
        history: Vec<u8>,
    },
    Lzx {
        decoder: Box<Lzxd>,
        translation: Translation,
    },
}

impl Codec {
    /// The decompressor of this type, or the name of the compression that cannot be read.
    pub fn new(compression: u16, memory_kib: u32) -> Result<Self, String> {
        let bits = (compression >> 8) & 31;
        match compression & 15 {
            0 => Ok(Self::Stored),
            1 => Ok(Self::MsZip { state: Box::default(), history: Vec::new() }),
            2 => Err("Quantum compression".to_owned()),
            3 => {
                let window = match bits {
                    15 => WindowSize::KB32,
                    16 => WindowSize::KB64,
                    17 => WindowSize::KB128,
                    18 => WindowSize::KB256,
                    19 => WindowSize::KB512,
                    20 => WindowSize::MB1,
                    21 => WindowSize::MB2,
                    bits => return Err(format!("LZX compression with a window of 2^{bits} bytes")),
                };
                if (1 << bits) >> 10 > memory_kib {
                    return Err("LZX compression with more memory than an archive may take".to_owned());
                }
                Ok(Self::Lzx { decoder: Box::new(Lzxd::new(window)), translation: Translation::Unknown })
            }
            other => Err(format!("compression {other}")),
        }
    }

    /// Appends the `size` bytes that a block decompresses to.
    pub fn decompress(&mut self, packed: &[u8], size: usize, to: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Stored => {
                if packed.len() != size {
                    return Err(damaged("the size of a block is wrong"));
                }
                to.extend_from_slice(packed);
            }
            Self::MsZip { state, history } => {
                let Some(packed) = packed.strip_prefix(b"CK") else {
                    return Err(damaged("a block of MSZIP has no mark"));
                };
                let before = history.len();
                history.resize(before + size, 0);
                state.init();
                let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
                let (status, _, written) = decompress(state, packed, history, before, flags);
                if status != TINFLStatus::Done || written != size {
                    return Err(damaged("a block of MSZIP does not decompress to its size"));
                }
                to.extend_from_slice(history.get(before..).unwrap_or_default());
                let old = history.len().saturating_sub(BLOCK);
                history.drain(..old);
            }
            Self::Lzx { decoder, translation } => {
                let first = translation.read(packed);
                // Damaged blocks can make it panic.
                let result = catch_unwind(AssertUnwindSafe(|| {
                    let packed = first.as_deref().unwrap_or(packed);
                    decoder
                        .decompress_next(packed, size)
                        .map(<[u8]>::to_vec)
                        .map_err(|error| error.to_string())
                }));
                match result {
                    Ok(Ok(mut bytes)) if bytes.len() == size => {
                        translation.undo(&mut bytes);
                        to.extend_from_slice(&bytes);
                    }
                    Ok(Err(why)) => return Err(damaged(&format!("a block of LZX is damaged: {why}"))),
                    Ok(Ok(_)) | Err(_) => return Err(damaged("a block of LZX is damaged")),
                }
            }
        }
        Ok(())
    }
}

/// How the addresses in calls of x86 programs were changed before they were compressed by LZX. Lzxd 0.2.7 changes those
/// that are zero to wrong ones, so this is done here, and it gets a stream that says that nothing was changed.
pub enum Translation {
    /// No block was read.
    Unknown,
    /// Nothing was changed.
    None,
    /// The size of the file that the compressor took for its limit, and the bytes before the next block.
    Calls { size: i32, before: i32 },
}

impl Translation {
    /// Reads the start of the first block. Returns the block without the mark of a translation, if it has one.
    fn read(&mut self, packed: &[u8]) -> Option<Vec<u8>> {
        if !matches!(self, Self::Unknown) {
            return None;
        }
        *self = Self::None;
        // Words of 16 bits, the highest bit first: the mark, the size in 32 bits, and the blocks.
        let ([a, b, c, d, e, f], rest) = packed.split_first_chunk()?;
        let [first, second, third] =
            [[*a, *b], [*c, *d], [*e, *f]].map(|word| u32::from(u16::from_le_bytes(word)));
        if first & 0x8000 == 0 {
            return None;
        }
        let size = (first & 0x7fff) << 17 | second << 1 | third >> 15;
        *self = Self::Calls { size: size.cast_signed(), before: 0 };
        let mut stream = ((third & 0x7fff) as u16).to_le_bytes().to_vec();
        stream.extend_from_slice(rest);
        Some(stream)
    }

    /// Restores the addresses in a block ([MS-PATCH] 2.1).
    fn undo(&mut self, block: &mut [u8]) {
        let Self::Calls { size, before } = self else { return };
        let mut at = 0;
        while at + 10 < block.len() {
            let Some([0xe8, address @ ..]) = block.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<5>)
            else {
                at += 1;
                continue;
            };
            let here = before.saturating_add(at as i32);
            let absolute = i32::from_le_bytes(*address);
            if absolute >= -here && absolute < *size {
                let relative =
                    if absolute >= 0 { absolute.wrapping_sub(here) } else { absolute.wrapping_add(*size) };
                *address = relative.to_le_bytes();
            }
            at += 5;
        }
        *before = before.saturating_add(block.len() as i32);
        // Only the first GiB is changed.
        if *before >= 1 << 30 {
            *self = Self::None;
        }
    }
}
