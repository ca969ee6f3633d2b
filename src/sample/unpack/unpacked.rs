//! What unpacking results in.

use super::methods::Method;
use std::fmt;

/// The program that was packed.
#[derive(Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// Its file. Of an ELF byte for byte, if it is exact. Of a PE as close as the packed one allows.
    pub image: Vec<u8>,
    /// How it was packed.
    pub how: How,
}

/// How a program was packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct How {
    /// The release of UPX as it writes it, where it does: "4.24" for 4.2.4.
    pub release: Option<String>,
    /// The version of the format, where the header of UPX says it: 13 or 14 of today's releases.
    pub version: Option<u8>,
    /// The method of compression: "NRV2E".
    pub method: &'static str,
    /// The filter's number; 0 for none.
    pub filter: u8,
    /// The size of the packed file without its overlay, in bytes.
    pub packed: u64,
    /// The size of the unpacked program, in bytes.
    pub size: u64,
    /// Whether both checksums, of the compressed and of the decompressed bytes, agree.
    pub exact: bool,
    /// What is unusual: the header was damaged, or parts could not be restored.
    pub remarks: Vec<String>,
}

impl fmt::Debug for Unpacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacked").field("how", &self.how).finish_non_exhaustive()
    }
}

impl How {
    /// For an unpacked `image`.
    pub(super) fn new(method: Method, packed: u64, image: &[u8]) -> Self {
        Self {
            release: None,
            version: None,
            method: method.name(),
            filter: 0,
            packed,
            size: image.len() as u64,
            exact: false,
            remarks: Vec::new(),
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { release, version, method, filter, packed, size, exact, remarks } = self;
        match (release, version) {
            (Some(release), _) => write!(f, "UPX {release}, {method}")?,
            (None, Some(version)) => write!(f, "format version {version}, {method}")?,
            (None, None) => f.write_str(method)?,
        }
        if *filter != 0 {
            write!(f, ", filter 0x{filter:02x}")?;
        }
        write!(f, ", unpacked: {packed} -> {size} bytes")?;
        f.write_str(if *exact { ", checksums agree" } else { ", not verified by checksums" })?;
        remarks.iter().try_for_each(|remark| write!(f, "; {remark}"))
    }
}

/// Why a program that is packed with UPX could not be unpacked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// Where its structure is not as expected: what was expected, and what was found.
    #[error("it is packed with UPX and could not be unpacked: {0}")]
    Damaged(String),
    /// A format that is not unpacked: "Mach-O".
    #[error("it is packed with UPX, and {0} is not unpacked")]
    Format(&'static str),
}
