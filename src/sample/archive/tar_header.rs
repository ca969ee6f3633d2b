//! Headers of tar: v7, POSIX.1-1988 (ustar), GNU, and the records of pax (POSIX.1-2001), with sparse files as GNU tar
//! writes them ("Storing Sparse Files" in its manual).

/// Bytes of a block; headers and data are made of blocks.
pub const BLOCK: usize = 512;

/// A block that may be a header.
pub struct Block(pub [u8; BLOCK]);

impl Default for Block {
    fn default() -> Self {
        Self([0; BLOCK])
    }
}

/// What a header begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file, also a contiguous one, or something of a type that is not known (POSIX: read it as a file).
    File,
    /// A sparse file of GNU tar's old format.
    Sparse,
    /// A file that began in another volume.
    Continued,
    /// A link to another member.
    HardLink,
    /// A symbolic link, device or pipe.
    Link,
    /// A folder.
    Folder,
    /// The name of the volume, or a list of a folder's files.
    Label,
    /// The name of the next member.
    LongName,
    /// The target of the next member.
    LongLink,
    /// Pax records for the next member.
    Pax,
    /// Pax records for all following members.
    GlobalPax,
}

/// A sparse file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sparse {
    /// Offset and size of each part that is in the archive.
    pub parts: Vec<(u64, u64)>,
    /// The size of the file.
    pub size: u64,
    /// Whether the parts are listed before the data (pax 1.0).
    pub map_in_data: bool,
    /// An offset whose size was not read yet (pax 0.0).
    offset: Option<u64>,
}

/// What records say about the next member in place of its header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Its name.
    pub name: Option<Vec<u8>>,
    /// Its bytes in the archive.
    pub size: Option<u64>,
    /// That it is sparse.
    pub sparse: Option<Sparse>,
    /// Whether the name is that of a sparse file, which the name of its container must not replace.
    sparse_name: bool,
}

impl Block {
    fn field(&self, at: usize, len: usize) -> &[u8] {
        self.0.get(at..at + len).unwrap_or_default()
    }

    /// Whether there is nothing in it, as at the end of an archive.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// Whether its checksum fits. Some programs of old added signed bytes.
    pub fn is_header(&self) -> bool {
        let checksum = self.field(148, 8);
        let Some(expected) = octal(checksum) else { return false };
        let sum = |of: fn(u8) -> i64| -> i64 {
            // The checksum itself counts as spaces.
            let field: i64 = checksum.iter().map(|byte| of(*byte)).sum();
            self.0.iter().map(|byte| of(*byte)).sum::<i64>() - field + 8 * i64::from(b' ')
        };
        let expected = expected.cast_signed();
        !self.is_zero()
            && (sum(i64::from) == expected || sum(|byte| i64::from(byte.cast_signed())) == expected)
    }

    /// What it begins.
    pub fn kind(&self) -> Kind {
        match self.field(156, 1).first() {
            // Before POSIX, the name of a folder ended with a slash.
            Some(0 | b'0') if self.name().ends_with(b"/") => Kind::Folder,
            Some(b'1') => Kind::HardLink,
            Some(b'2' | b'3' | b'4' | b'6') => Kind::Link,
            Some(b'5') => Kind::Folder,
            Some(b'D' | b'V') => Kind::Label,
            Some(b'K') => Kind::LongLink,
            Some(b'L') => Kind::LongName,
            Some(b'M') => Kind::Continued,
            Some(b'S') => Kind::Sparse,
            Some(b'x' | b'X') => Kind::Pax,
            Some(b'g') => Kind::GlobalPax,
            _ => Kind::File,
        }
    }

    /// Bytes in the archive.
    pub fn size(&self) -> u64 {
        number(self.field(124, 12))
    }

    /// The name, with the prefix that POSIX adds.
    pub fn name(&self) -> Vec<u8> {
        let name = until_zero(self.field(0, 100));
        let prefix = until_zero(self.field(345, 155));
        if self.field(257, 6) == b"ustar\0" && !prefix.is_empty() {
            [prefix, b"/", name].concat()
        } else {
            name.to_vec()
        }
    }

    /// A sparse file of GNU tar's old format: its size and first parts.
    pub fn sparse(&self) -> Sparse {
        let mut sparse = Sparse { size: number(self.field(483, 12)), ..Sparse::default() };
        add_parts(&mut sparse, self.field(386, 96));
        sparse
    }

    /// Whether blocks with more parts follow the header of a sparse file.
    pub fn has_more_parts(&self) -> bool {
        self.field(482, 1) != [0]
    }

    /// Adds the parts in a block that follows; returns whether one more follows.
    pub fn add_parts(&self, sparse: &mut Sparse) -> bool {
        add_parts(sparse, self.field(0, 504));
        self.field(504, 1) != [0]
    }
}

fn add_parts(sparse: &mut Sparse, bytes: &[u8]) {
    for part in bytes.chunks_exact(24) {
        let (offset, size) = part.split_at(12);
        if size.first() != Some(&0) {
            sparse.parts.push((number(offset), number(size)));
        }
    }
}

impl Overrides {
    /// Adds pax records: `LENGTH KEY=VALUE\n`, where the length is that of the whole record.
    pub fn add_records(&mut self, mut bytes: &[u8]) {
        while let Some(space) = bytes.iter().take(20).position(|byte| *byte == b' ') {
            let length = bytes.get(..space).and_then(decimal).unwrap_or(0) as usize;
            let Some(record) = bytes.get(space + 1..length.saturating_sub(1)) else { return };
            if let Some(equals) = record.iter().position(|byte| *byte == b'=') {
                let (key, value) = record.split_at(equals);
                self.add(key, value.get(1..).unwrap_or_default());
            }
            bytes = bytes.get(length..).unwrap_or_default();
        }
    }

    fn add(&mut self, key: &[u8], value: &[u8]) {
        match key {
            b"path" if !self.sparse_name => self.name = Some(value.to_vec()),
            b"size" => self.size = decimal(value),
            b"GNU.sparse.name" => {
                self.name = Some(value.to_vec());
                self.sparse_name = true;
            }
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.sparse().size = decimal(value).unwrap_or(0),
            b"GNU.sparse.major" => self.sparse().map_in_data = value == b"1",
            b"GNU.sparse.offset" => self.sparse().offset = decimal(value),
            b"GNU.sparse.numbytes" => {
                let sparse = self.sparse();
                if let (Some(offset), Some(size)) = (sparse.offset.take(), decimal(value)) {
                    sparse.parts.push((offset, size));
                }
            }
            b"GNU.sparse.map" => {
                let numbers: Vec<u64> = value.split(|byte| *byte == b',').filter_map(decimal).collect();
                let pairs = numbers.as_chunks::<2>().0;
                self.sparse().parts = pairs.iter().map(|[offset, size]| (*offset, *size)).collect();
            }
            _ => {}
        }
    }

    fn sparse(&mut self) -> &mut Sparse {
        self.sparse.get_or_insert_default()
    }
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn decimal(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches([' ', '\0']), 8).ok()
}

/// A number in a header: octal, or binary if the first bit is set (GNU, for sizes from 8 GiB).
fn number(field: &[u8]) -> u64 {
    match field {
        [first, rest @ ..] if first & 0x80 != 0 => {
            let value =
                rest.iter().fold(u128::from(first & 0x7f), |value, byte| value << 8 | u128::from(*byte));
            u64::try_from(value).unwrap_or(u64::MAX)
        }
        _ => octal(until_zero(field)).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        assert_eq!(number(b"00000001750\0"), 1000);
        assert_eq!(number(b"       1750 "), 1000);
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]), 2 << 32);
        assert_eq!(number(&[0xff; 12]), u64::MAX);
    }

    #[test]
    fn records_override_the_header() {
        let mut next = Overrides::default();
        next.add_records(b"12 path=a/b\n15 size=123456\n22 GNU.sparse.size=99\n27 GNU.sparse.map=0,5,10,2\n");
        assert_eq!((next.name.as_deref(), next.size), (Some(&b"a/b"[..]), Some(123456)));
        let sparse = next.sparse.clone().unwrap();
        assert_eq!((sparse.size, &sparse.parts[..]), (99, &[(0, 5), (10, 2)][..]));
        // Lengths that lead nowhere.
        for bad in [&b"0 a=b\n"[..], b"9999 a=b\n", b"x a=b\n", b" ", b"3 a"] {
            next.add_records(bad);
        }
    }
}
