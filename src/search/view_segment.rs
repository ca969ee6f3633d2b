//! A view segment: what the views see of some files, in a file, so that a query reads only the terms that it has itself.
//!
//! For each bin of text and header it lists the rows that have the term, as a [`ViewIndex`](super::ViewIndex) does in memory. Of the
//! code it has the byte pairs and the codes of the embeddings of all rows. Everything that is read has a checksum.

use super::codes::Codes;
use super::look::Looks;
use super::segment_file::{Magic, damaged, new_body, read_at, read_header, write_file};
use crate::model::Embeddings;
use crate::view::{HEADER_BINS, PAIR_NUMBERS, Pairs, TEXT_BINS, Terms};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Write};

const MAGIC: Magic = *b"LKALvew1";
/// Rows of a segment, at most: a row, and their number, are two bytes in the list of a term.
pub const MOST_ROWS: usize = u16::MAX as usize;
/// Bins whose lists lie together: most are short.
const TOGETHER: usize = 16;
/// Bytes of an entry of a table of terms: where the lists of some bins begin, and their checksum.
const ENTRY: usize = 8;
/// In place of a number of rows that is larger than a byte.
const LONG: u8 = u8::MAX;
/// Bytes of a row in the list of a term: the row, and the weight of the term.
const POSTING: usize = 3;

/// A stretch of the file, with its CRC-32.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Section {
    /// Where it begins, counted from the end of the header.
    at: u64,
    length: u64,
    sum: u32,
}

/// The lists of the terms of one view: a table with an entry for each group of bins and one more, and the groups. A group is the numbers of
/// rows of its bins, then for each bin its rows and their weights; or nothing, if there are none.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Lists {
    bins: u32,
    table: u64,
    lists: u64,
}

#[derive(Serialize, Deserialize)]
struct Header {
    /// What the segment is known by.
    token: [u8; 16],
    dimension: u32,
    /// The number of the first row: all others are counted from it.
    first: i64,
    rows: u32,
    /// The processors that code is for.
    architectures: Vec<Option<String>>,
    /// The largest rounding errors of the codes of embeddings and of pairs, and the lengths of the shortest and the longest embedding.
    errors: [f32; 2],
    lengths: [f32; 2],
    /// Offsets of the numbers; what products of text and of header are multiplied by; the processor of each row, as a position in
    /// `architectures`.
    about: Section,
    embeddings: Section,
    pairs: Section,
    text: Lists,
    header: Lists,
}

/// The terms of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermView {
    /// Of text.
    Text,
    /// Of headers.
    Header,
}

/// An open view segment.
pub struct ViewSegment {
    file: File,
    header: Header,
    /// Where the sections begin.
    begin: u64,
}

/// The rows of a segment, but for their terms.
pub struct Rows {
    /// The number of each.
    pub numbers: Vec<i64>,
    /// What products of text are multiplied by; NaN where the view abstains.
    pub text: Vec<f32>,
    /// What products of header terms are multiplied by.
    pub header: Vec<f32>,
    /// The processor that the code is for, as a position; [`NO_CODE`] where the view abstains.
    pub architecture: Vec<u16>,
    /// Codes of embeddings.
    pub embeddings: Codes,
    /// Codes of byte pairs.
    pub pairs: Codes,
}

/// The position of no processor: there is no code.
pub const NO_CODE: u16 = u16::MAX;

/// Writes sections to a file and remembers where they are.
struct Body {
    file: io::BufWriter<File>,
    at: u64,
}

impl Body {
    fn put(&mut self, bytes: &[u8]) -> io::Result<Section> {
        let section = Section { at: self.at, length: bytes.len() as u64, sum: crc32fast::hash(bytes) };
        self.file.write_all(bytes)?;
        self.at += section.length;
        Ok(section)
    }

    /// The lists of the terms of all rows.
    fn put_lists<'a, F: Iterator<Item = Option<&'a Terms>>>(
        &mut self,
        bins: usize,
        rows: impl Fn() -> F,
    ) -> io::Result<Lists> {
        let mut starts = vec![0_u32; bins + 1];
        for (bin, _) in rows().flatten().flat_map(Terms::stored) {
            if let Some(start) = starts.get_mut(bin as usize + 1) {
                *start += 1;
            }
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        let mut postings = vec![(0_u16, 0_u8); total as usize];
        let mut next = starts.clone();
        for (row, terms) in rows().enumerate() {
            for (bin, weight) in terms.into_iter().flat_map(Terms::stored) {
                let Some(at) = next.get_mut(bin as usize) else { continue };
                if let Some(posting) = postings.get_mut(*at as usize) {
                    *posting = (row as u16, weight);
                }
                *at += 1;
            }
        }
        let (mut table, mut lists) = (Vec::new(), Vec::new());
        for first in (0..bins).step_by(TOGETHER) {
            let begin = lists.len();
            let own: Vec<&[(u16, u8)]> = starts
                .get(first..=(first + TOGETHER).min(bins))
                .unwrap_or_default()
                .windows(2)
                .map(|ends| postings.get(ends[0] as usize..ends[1] as usize).unwrap_or_default())
                .collect();
            if own.iter().any(|list| !list.is_empty()) {
                own.iter().for_each(|list| put_count(list.len(), &mut lists));
            }
            for list in own {
                list.iter().for_each(|(row, _)| lists.extend(row.to_le_bytes()));
                lists.extend(list.iter().map(|(_, weight)| weight));
            }
            table.extend((begin as u32).to_le_bytes());
            table.extend(crc32fast::hash(&lists[begin..]).to_le_bytes());
        }
        table.extend(u32::try_from(lists.len()).map_err(io::Error::other)?.to_le_bytes());
        table.extend([0; 4]);
        let (table, lists) = (self.put(&table)?, self.put(&lists)?);
        Ok(Lists { bins: bins as u32, table: table.at, lists: lists.at })
    }
}

/// Adds the number of rows of a list: one byte, or [`LONG`] and two.
fn put_count(count: usize, out: &mut Vec<u8>) {
    match u8::try_from(count) {
        Ok(count) if count != LONG => out.push(count),
        _ => {
            out.push(LONG);
            out.extend((count as u16).to_le_bytes());
        }
    }
}

/// The codes of byte pairs, each row scaled to length 1; rows without code are zero.
fn pair_codes<'a>(pairs: impl ExactSizeIterator<Item = Option<&'a Pairs>>) -> Codes {
    let mut rows = Embeddings::new(PAIR_NUMBERS);
    for pairs in pairs {
        match pairs {
            Some(pairs) => rows.data.extend(pairs.unit()),
            None => rows.data.extend([0.0; PAIR_NUMBERS]),
        }
    }
    Codes::new(rows.rows(), None)
}

/// Writes a segment of up to [`MOST_ROWS`] files with views and these `numbers`, which rise by less than 2^32 in all.
pub fn write_view_segment(
    out: &mut impl Write,
    token: [u8; 16],
    numbers: &[i64],
    looks: &Looks,
) -> io::Result<()> {
    if looks.views.len() != numbers.len() || looks.len() != numbers.len() || numbers.len() > MOST_ROWS {
        return Err(io::Error::other("expected the views of up to 65,535 files"));
    }
    let first = numbers.first().copied().unwrap_or(0);
    let mut body = Body { file: new_body()?, at: 0 };
    let mut architectures: Vec<Option<String>> = Vec::new();
    let mut about = Vec::new();
    for number in numbers {
        let offset = u32::try_from(number - first).map_err(io::Error::other)?;
        about.extend(offset.to_le_bytes());
    }
    let scale = |terms: &Option<Terms>| terms.as_ref().map_or(f32::NAN, Terms::scale);
    looks.views.iter().for_each(|views| about.extend(scale(&views.text).to_le_bytes()));
    looks.views.iter().for_each(|views| about.extend(scale(&views.header).to_le_bytes()));
    for views in &looks.views {
        let position = if views.code.is_none() {
            NO_CODE
        } else {
            let known = architectures.iter().position(|known| *known == views.architecture);
            known.unwrap_or_else(|| {
                architectures.push(views.architecture.clone());
                architectures.len() - 1
            }) as u16
        };
        about.extend(position.to_le_bytes());
    }
    let codes = Codes::new(looks.embeddings.rows(), None);
    let pairs = pair_codes(looks.views.iter().map(|views| views.code.as_ref()));
    let written = |codes: &Codes| {
        let mut bytes = Vec::new();
        codes.write(&mut bytes);
        bytes
    };
    let header = Header {
        token,
        dimension: looks.embeddings.dimension as u32,
        first,
        rows: numbers.len() as u32,
        architectures,
        errors: [codes.error(), pairs.error()],
        lengths: codes.lengths(),
        about: body.put(&about)?,
        embeddings: body.put(&written(&codes))?,
        pairs: body.put(&written(&pairs))?,
        text: body.put_lists(TEXT_BINS, || looks.views.iter().map(|views| views.text.as_ref()))?,
        header: body.put_lists(HEADER_BINS, || looks.views.iter().map(|views| views.header.as_ref()))?,
    };
    write_file(out, MAGIC, &header, body.file)
}

impl ViewSegment {
    /// Opens the segment in `file` that is known by `token` and has embeddings of this `dimension`. Fails if it is another one or its
    /// header is damaged.
    pub fn open(file: File, token: [u8; 16], dimension: usize) -> io::Result<Self> {
        let (header, begin): (Header, u64) = read_header(&file, MAGIC)?;
        if header.token != token || header.dimension as usize != dimension || header.rows as usize > MOST_ROWS
        {
            return Err(damaged("its header is not what was written"));
        }
        Ok(Self { file, header, begin })
    }

    /// The number of files.
    pub fn count(&self) -> usize {
        self.header.rows as usize
    }

    /// The position of a processor; `None` if no row has code for it.
    pub fn architecture(&self, name: Option<&str>) -> Option<u16> {
        let position = self.header.architectures.iter().position(|known| known.as_deref() == name)?;
        u16::try_from(position).ok()
    }

    fn section(&self, section: Section) -> io::Result<Vec<u8>> {
        let most = self.file.metadata()?.len();
        if section.length > most {
            return Err(damaged("a section is longer than its file"));
        }
        let mut bytes = vec![0; section.length as usize];
        read_at(&self.file, &mut bytes, self.begin.saturating_add(section.at))?;
        if crc32fast::hash(&bytes) != section.sum {
            return Err(damaged("a checksum does not fit"));
        }
        Ok(bytes)
    }

    /// Reads all rows, but not their terms.
    pub fn rows(&self) -> io::Result<Rows> {
        let header = &self.header;
        let (rows, odd) = (header.rows as usize, || damaged("a section has another length"));
        let about = self.section(header.about)?;
        let (numbers, rest) = about.split_at_checked(4 * rows).ok_or_else(odd)?;
        let (text, rest) = rest.split_at_checked(4 * rows).ok_or_else(odd)?;
        let (of_header, architecture) = rest.split_at_checked(4 * rows).ok_or_else(odd)?;
        let floats =
            |bytes: &[u8]| bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let mut codes = Codes::empty(header.dimension as usize, None, header.errors[0], header.lengths);
        let mut pairs = Codes::empty(PAIR_NUMBERS, None, header.errors[1], [0.0, 1.0]);
        codes.read(rows, &self.section(header.embeddings)?).ok_or_else(odd)?;
        pairs.read(rows, &self.section(header.pairs)?).ok_or_else(odd)?;
        let number = |bytes: &[u8; 4]| header.first + i64::from(u32::from_le_bytes(*bytes));
        Ok(Rows {
            numbers: numbers.as_chunks().0.iter().map(number).collect(),
            text: floats(text),
            header: floats(of_header),
            architecture: architecture.as_chunks().0.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect(),
            embeddings: codes,
            pairs,
        })
    }

    /// Adds the products of some terms with those of each row to `products`, which has as many numbers as there are rows.
    pub fn add_products(&self, view: TermView, terms: &Terms, products: &mut [u32]) -> io::Result<()> {
        let lists = if view == TermView::Text { self.header.text } else { self.header.header };
        let (mut group, mut block) = (None, Vec::new());
        for (bin, weight) in terms.stored() {
            if bin >= lists.bins {
                return Err(damaged("it has fewer bins"));
            }
            let (of, within) = (bin / TOGETHER as u32, bin as usize % TOGETHER);
            if group != Some(of) {
                self.read_lists(lists, of, &mut block)?;
                group = Some(of);
            }
            let list = list_of(&block, within, lists.bins as usize - of as usize * TOGETHER);
            let (rows, weights) =
                list.ok_or_else(|| damaged("the rows of a term are not what was written"))?;
            for (row, own) in rows.as_chunks().0.iter().zip(weights) {
                if let Some(product) = products.get_mut(usize::from(u16::from_le_bytes(*row))) {
                    *product += u32::from(weight) * u32::from(*own);
                }
            }
        }
        Ok(())
    }

    /// Reads the lists of a group of bins.
    fn read_lists(&self, lists: Lists, group: u32, out: &mut Vec<u8>) -> io::Result<()> {
        let mut entries = [0; 2 * ENTRY];
        read_at(&self.file, &mut entries, self.begin + lists.table + u64::from(group) * ENTRY as u64)?;
        let mut numbers = entries.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        let (Some(begin), Some(sum), Some(end)) = (numbers.next(), numbers.next(), numbers.next()) else {
            return Err(damaged("an entry of a term is missing"));
        };
        let most = self.file.metadata()?.len();
        let length = end.checked_sub(begin).filter(|length| u64::from(*length) <= most);
        out.resize(length.ok_or_else(|| damaged("an entry of a term is not what was written"))? as usize, 0);
        read_at(&self.file, out, self.begin + lists.lists + u64::from(begin))?;
        if crc32fast::hash(out) != sum {
            return Err(damaged("a checksum does not fit"));
        }
        Ok(())
    }
}

/// The rows, two bytes each, and the weights of a term, which is `within` a group of up to `bins` lists.
fn list_of(block: &[u8], within: usize, bins: usize) -> Option<(&[u8], &[u8])> {
    if block.is_empty() {
        return Some((&[], &[]));
    }
    let (mut rest, mut before, mut own) = (block, 0, 0);
    for bin in 0..bins.min(TOGETHER) {
        let (first, after) = rest.split_first()?;
        let count = match *first {
            LONG => {
                let (long, after) = after.split_first_chunk()?;
                rest = after;
                usize::from(u16::from_le_bytes(*long))
            }
            short => {
                rest = after;
                usize::from(short)
            }
        };
        match bin.cmp(&within) {
            Ordering::Less => before += count,
            Ordering::Equal => own = count,
            Ordering::Greater => {}
        }
    }
    rest.get(before * POSTING..(before + own) * POSTING)?.split_at_checked(2 * own)
}
