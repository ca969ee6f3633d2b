//! The digests by which analysts look a sample up: SHA-256, SHA-1 (FIPS 180-4) and MD5 (RFC 1321).
//!
//! A sample is identified by its SHA-256 alone; the others can be forged and are only for looking up.

use super::sha256::Sha256;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

/// The digests of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// SHA-256.
    pub sha256: Sha256,
    /// SHA-1.
    pub sha1: [u8; 20],
    /// MD5.
    pub md5: [u8; 16],
}

/// Computes the digests of a content that comes in chunks.
#[derive(Clone, Debug, Default)]
pub struct DigestBuilder {
    sha1: sha1::Sha1,
    md5: md5::Md5,
}

impl DigestBuilder {
    /// Adds a chunk.
    pub fn push(&mut self, chunk: &[u8]) {
        self.sha1.update(chunk);
        self.md5.update(chunk);
    }

    /// The SHA-1 and the MD5.
    pub fn sha1_and_md5(self) -> ([u8; 20], [u8; 16]) {
        (self.sha1.finalize().into(), self.md5.finalize().into())
    }

    /// The digests. The SHA-256 is computed by the caller, who streams the file.
    pub fn finish(self, sha256: Sha256) -> Digests {
        let (sha1, md5) = self.sha1_and_md5();
        Digests { sha256, sha1, md5 }
    }
}

/// A digest as hexadecimal digits.
pub fn hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::with_capacity(digest.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of FIPS 180 and RFC 1321.
    #[test]
    fn the_digests_of_abc() {
        let mut digests = DigestBuilder::default();
        digests.push(b"a");
        digests.push(b"bc");
        let digests = digests.finish(Sha256::of(b"abc"));
        assert_eq!(hex(&digests.sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex(&digests.md5), "900150983cd24fb0d6963f7d28e17f72");
    }
}
