//! The signature at the end of a kernel module (Linux, `include/linux/module_signature.h`): the signature itself, a
//! structure with its sizes, and a text.

use crate::sample::bytes::{Bytes, Endian};

/// The text at the end of a signed module.
const MARKER: &[u8] = b"~Module signature appended~\n";
/// Bytes of the structure before the text.
const STRUCTURE: u64 = 12;
/// `id_type` of a PKCS#7 signature, which has its own fields for the signer and the algorithms.
const PKCS7: u8 = 2;

/// What is at the end of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleSignature {
    /// No signature.
    Absent,
    /// A signature: its size with the structure and the text, in bytes.
    Present(u64),
    /// The text without a signature of a possible size before it.
    Malformed,
}

/// Reads the end of a file; `None` if the end is not in memory.
pub fn module_signature(bytes: Bytes<'_>) -> Option<ModuleSignature> {
    let size = bytes.size();
    if (bytes.kept().len() as u64) < size {
        return None;
    }
    if !bytes.kept().ends_with(MARKER) {
        return Some(ModuleSignature::Absent);
    }
    Some(sizes(bytes).map_or(ModuleSignature::Malformed, ModuleSignature::Present))
}

fn sizes(bytes: Bytes<'_>) -> Option<u64> {
    let structure = bytes.size().checked_sub(MARKER.len() as u64 + STRUCTURE)?;
    let [algorithm, hash, kind, signer, key, ..] = bytes.array::<8>(structure)?;
    let signature = bytes.u32(structure + 8, Endian::Big)?;
    let old = u64::from(signer) + u64::from(key);
    let valid = match kind {
        PKCS7 => algorithm == 0 && hash == 0 && old == 0,
        // PGP and X.509 in older kernels.
        0 | 1 => true,
        _ => false,
    };
    let before = old + u64::from(signature);
    (valid && signature > 0 && before <= structure).then(|| before + STRUCTURE + MARKER.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(content: usize, structure: [u8; 12]) -> Vec<u8> {
        [&vec![7; content][..], &structure, MARKER].concat()
    }

    fn read(file: &[u8]) -> Option<ModuleSignature> {
        module_signature(Bytes::new(file, file.len() as u64))
    }

    #[test]
    fn the_sizes_of_a_signature_are_checked() {
        let pkcs7 = [0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0];
        assert_eq!(read(&signed(256, pkcs7)), Some(ModuleSignature::Present(296)));
        assert_eq!(read(&signed(255, pkcs7)), Some(ModuleSignature::Malformed));
        assert_eq!(
            read(&signed(300, [0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0])),
            Some(ModuleSignature::Malformed)
        );
        // An X.509 signature of an older kernel: the names of the signer and the key precede it.
        let x509 = [1, 4, 1, 10, 20, 0, 0, 0, 0, 0, 0, 100];
        assert_eq!(read(&signed(130, x509)), Some(ModuleSignature::Present(170)));
        assert_eq!(read(MARKER), Some(ModuleSignature::Malformed));
        assert_eq!(read(b"\x7fELF"), Some(ModuleSignature::Absent));
        assert_eq!(module_signature(Bytes::new(MARKER, 1 << 30)), None);
    }
}
