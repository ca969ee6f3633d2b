//! The release of UPX, which it writes into the programs that it packs.

use crate::sample::bytes::Bytes;

/// Bytes at the end of an ELF where the text is, before the header of UPX.
const SEARCHED: u64 = 64 << 10;

/// "4.24", four characters and a zero, before the header of UPX in a PE.
pub fn of_pe(bytes: Bytes<'_>, header: u64) -> Option<String> {
    let [text @ .., 0] = bytes.array::<5>(header.checked_sub(5)?)? else { return None };
    release(&text)
}

/// The same in the text of the stub of an ELF: "$Id: UPX 4.24 Copyright".
pub fn of_elf(bytes: Bytes<'_>, end: u64) -> Option<String> {
    let part = bytes.from(end.saturating_sub(SEARCHED));
    let part = part.get(..usize::try_from(SEARCHED).ok()?).unwrap_or(part);
    let at = memchr::memmem::rfind(part, b"$Id: UPX ")?;
    release(part.get(at + 9..)?.first_chunk()?)
}

fn release(text: &[u8; 4]) -> Option<String> {
    let [first, b'.', second, third] = *text else { return None };
    let digits = [first, second, third].iter().all(u8::is_ascii_digit);
    digits.then(|| text.iter().map(|byte| char::from(*byte)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_three_digits() {
        let of = |file: &[u8]| of_pe(Bytes::new(file, file.len() as u64), 6);
        assert_eq!(of(b"x4.24\0"), Some("4.24".to_owned()));
        assert_eq!((of(b"x4.24 "), of(b"x4,24\0"), of(b"x4.2b\0"), of(b"x4.2")), (None, None, None, None));
        let stub = b"$Info: packed $\n\0$Id: UPX 3.96 Copyright $\n";
        assert_eq!(of_elf(Bytes::new(stub, stub.len() as u64), 46), Some("3.96".to_owned()));
    }
}
