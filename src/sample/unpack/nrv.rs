//! NRV2B, NRV2D and NRV2E, as the UCL library defines them: literals and matches in the style of LZ77, chosen by single
//! bits, with whole bytes between them.
//!
//! A match is an offset back, in a code of alternating data bits and stop bits followed by a byte, and a length. The
//! variants differ in these codes. The offset 2^32 - 1 ends the stream.

/// The codes of offsets and lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    B,
    D,
    E,
}

/// How many bytes of bits are stored together, the lowest byte first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Byte,
    Two,
    Four,
}

/// The largest value of the code of an offset.
const MAX_CODE: u32 = 0x0100_0002;

/// Reads single bits, and the bytes between them.
struct Bits<'a> {
    packed: &'a [u8],
    at: usize,
    unit: Unit,
    bits: u32,
    left: u32,
}

impl Bits<'_> {
    fn byte(&mut self) -> Result<u8, &'static str> {
        let byte = self.packed.get(self.at).ok_or("the compressed bytes end too early")?;
        self.at += 1;
        Ok(*byte)
    }

    fn bit(&mut self) -> Result<u32, &'static str> {
        if self.left == 0 {
            let size = match self.unit {
                Unit::Byte => 1,
                Unit::Two => 2,
                Unit::Four => 4,
            };
            self.bits = 0;
            for index in 0..size {
                self.bits |= u32::from(self.byte()?) << (8 * index);
            }
            self.left = 8 * size;
        }
        self.left -= 1;
        Ok(self.bits >> self.left & 1)
    }

    /// A number of any size: its bits after the first one, each followed by whether it is the last.
    fn number(&mut self) -> Result<u32, &'static str> {
        let mut number = 1_u32;
        loop {
            number = number << 1 | self.bit()?;
            if self.bit()? == 1 {
                return Ok(number);
            }
            if number > MAX_CODE {
                return Err("a number is too large");
            }
        }
    }

    /// The code of an offset of NRV2D and NRV2E, which saves a stop bit for every second data bit.
    fn dense_number(&mut self) -> Result<u32, &'static str> {
        let mut number = 1_u32;
        loop {
            number = number << 1 | self.bit()?;
            if self.bit()? == 1 {
                return Ok(number);
            }
            number = (number - 1) << 1 | self.bit()?;
            if number > MAX_CODE {
                return Err("an offset is too large");
            }
        }
    }
}

/// Decompresses into `out` up to the end of the stream, and returns the number of compressed bytes; fails beyond `most`
/// bytes.
pub fn decode(
    variant: Variant,
    unit: Unit,
    packed: &[u8],
    most: usize,
    out: &mut Vec<u8>,
) -> Result<usize, &'static str> {
    let mut bits = Bits { packed, at: 0, unit, bits: 0, left: 0 };
    out.reserve(most.min(packed.len().saturating_mul(4)));
    let mut last = 1_u32;
    loop {
        while bits.bit()? == 1 {
            if out.len() >= most {
                return Err(TOO_LONG);
            }
            let byte = bits.byte()?;
            out.push(byte);
        }
        let code = if variant == Variant::B { bits.number()? } else { bits.dense_number()? };
        let mut length_bit = None;
        let offset = match code.checked_sub(3) {
            None => last,
            Some(high) => {
                // Only the low 32 bits count, as in the registers of a stub.
                let value = high << 8 | u32::from(bits.byte()?);
                if value == u32::MAX {
                    return Ok(bits.at);
                }
                last = match variant {
                    Variant::B => value.wrapping_add(1),
                    Variant::D | Variant::E => {
                        length_bit = Some(!value & 1);
                        (value >> 1).wrapping_add(1)
                    }
                };
                last
            }
        };
        let first = match length_bit {
            Some(bit) => bit,
            None => bits.bit()?,
        };
        let length = match variant {
            Variant::B | Variant::D => two_bits(&mut bits, first)?,
            Variant::E => short_first(&mut bits, first)?,
        };
        let far = if variant == Variant::B { 0xd00 } else { 0x500 };
        let length = length as usize + 1 + usize::from(offset > far);
        repeat(out, offset as usize, length, most)?;
    }
}

const TOO_LONG: &str = "more bytes than expected";

/// The length of NRV2B and NRV2D, after its first bit: 1 to 3 in two bits, or more.
fn two_bits(bits: &mut Bits<'_>, first: u32) -> Result<u32, &'static str> {
    match first << 1 | bits.bit()? {
        0 => Ok(bits.number()? + 2),
        short => Ok(short),
    }
}

/// The length of NRV2E, after its first bit: 1 or 2, 3 or 4, or more.
fn short_first(bits: &mut Bits<'_>, first: u32) -> Result<u32, &'static str> {
    if first == 1 {
        Ok(1 + bits.bit()?)
    } else if bits.bit()? == 1 {
        Ok(3 + bits.bit()?)
    } else {
        Ok(bits.number()? + 3)
    }
}

/// Appends `length` bytes from `offset` bytes before the end, which may overlap with what is appended.
fn repeat(out: &mut Vec<u8>, offset: usize, length: usize, most: usize) -> Result<(), &'static str> {
    let from = out.len().checked_sub(offset).ok_or("an offset is before the start")?;
    if length > most.saturating_sub(out.len()) {
        return Err(TOO_LONG);
    }
    let mut left = length;
    while left > 0 {
        // What was appended continues the pattern.
        let now = left.min(out.len() - from);
        out.extend_from_within(from..from + now);
        left -= now;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes bits in units of one byte, each where its first bit is read.
    #[derive(Default)]
    struct Writer {
        bytes: Vec<u8>,
        unit: usize,
        left: u32,
    }

    impl Writer {
        fn bits(mut self, bits: &str) -> Self {
            for bit in bits.bytes().filter(u8::is_ascii_digit) {
                if self.left == 0 {
                    self.unit = self.bytes.len();
                    self.bytes.push(0);
                    self.left = 8;
                }
                self.left -= 1;
                self.bytes[self.unit] |= (bit - b'0') << self.left;
            }
            self
        }

        fn byte(mut self, byte: u8) -> Self {
            self.bytes.push(byte);
            self
        }

        fn literals(self, text: &[u8]) -> Self {
            text.iter().fold(self, |writer, byte| writer.bits("1").byte(*byte))
        }
    }

    fn text(variant: Variant, writer: Writer) -> Result<String, &'static str> {
        let mut out = Vec::new();
        let read = decode(variant, Unit::Byte, &writer.bytes, 64, &mut out)?;
        assert_eq!(read, writer.bytes.len());
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn matches_of_nrv2b() {
        // Offset code 3 is the high part 0; the byte 2 is an offset of 3; the length 2 and one more.
        let start = || Writer::default().literals(b"abc").bits("0 11").byte(2).bits("10");
        assert_eq!(text(Variant::B, end_b(start())).unwrap(), "abcabc");
        // Code 2 repeats the offset; a length of 0 in two bits is followed by a number: 2 + 2 and one more.
        assert_eq!(text(Variant::B, end_b(start().bits("0 01 00 01"))).unwrap(), "abcabcabcab");
        assert!(
            text(Variant::B, Writer::default().literals(b"abc").bits("0 11").byte(3).bits("10")).is_err()
        );
        assert!(text(Variant::B, start()).is_err());
    }

    /// The end of a stream: an offset of 2^32 - 1.
    fn end_b(writer: Writer) -> Writer {
        // The code 2^24 + 2 in bits: 1 for the first one, then 24 with a stop bit each.
        let code = 0x0100_0002_u32;
        let bits: String =
            (0..24).rev().map(|at| format!("{}{}", code >> at & 1, u8::from(at == 0))).collect();
        writer.bits("0").bits(&bits).byte(0xff)
    }

    #[test]
    fn matches_of_nrv2d_and_nrv2e() {
        // The lowest bit of the byte, inverted, is the first bit of the length: byte 5 is offset 3 and bit 0.
        let start = || Writer::default().literals(b"abc").bits("0 11").byte(5);
        // NRV2D: length 1 and one more. NRV2E: 3 and one more.
        let d = text(Variant::D, end_d(start().bits("1")));
        let e = text(Variant::E, end_d(start().bits("1 0")));
        assert_eq!((d.unwrap(), e.unwrap()), ("abcab".to_owned(), "abcabca".to_owned()));
        // Byte 4: offset 3 and bit 1.
        let start = || Writer::default().literals(b"abc").bits("0 11").byte(4);
        let d = text(Variant::D, end_d(start().bits("1")));
        let e = text(Variant::E, end_d(start().bits("0")));
        assert_eq!((d.unwrap(), e.unwrap()), ("abcabca".to_owned(), "abcab".to_owned()));
    }

    fn end_d(writer: Writer) -> Writer {
        // Pairs of bits: 2^24 + 2 = ((1 * 2 + a - 1) * 2 + b) and so on, with a stop bit after each first bit.
        let mut pairs = Vec::new();
        let mut code = 0x0100_0002_u32;
        let last = code & 1;
        code >>= 1;
        while code > 1 {
            let second = code & 1;
            let first = (code >> 1) + 1;
            pairs.push((first & 1, second));
            code = first >> 1;
        }
        let bits: String = pairs.iter().rev().map(|(first, second)| format!("{first}0{second}")).collect();
        writer.bits("0").bits(&bits).bits(&format!("{last}1")).byte(0xff)
    }

    #[test]
    fn a_stream_stays_within_its_limit() {
        // A match of a million bytes, from one literal.
        let long = Writer::default()
            .literals(b"a")
            .bits("0 11")
            .byte(0)
            .bits("00")
            .bits(&"10".repeat(20))
            .bits("11");
        assert_eq!(text(Variant::B, long), Err(TOO_LONG));
        let endless = Writer::default().literals(b"a").bits("0").bits(&"00".repeat(200));
        assert!(text(Variant::B, endless).is_err());
        assert_eq!(text(Variant::B, Writer::default().literals(&[b'x'; 65])), Err(TOO_LONG));
    }
}
