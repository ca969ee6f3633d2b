//! Comma-separated values as RFC 4180 defines them, in UTF-8.
//!
//! A cell of text that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, a
//! tab or a carriage return) is given a leading apostrophe, as OWASP's page on CSV injection
//! advises. Numbers are not changed.

use crate::escape;
use crate::sample::Sha256;
use std::path::Path;

/// One neighbour of one query.
#[derive(Clone, Debug)]
pub struct NeighbourRow<'a> {
    /// The queried file.
    pub query_path: &'a Path,
    /// Its SHA-256.
    pub query_sha256: Sha256,
    /// 1 for the nearest.
    pub rank: usize,
    /// Where the neighbour was read from.
    pub neighbour_path: &'a Path,
    /// Its SHA-256.
    pub neighbour_sha256: Sha256,
    /// Its label, if it has one.
    pub label: Option<&'a str>,
    /// By a model with views: 1 − the probability of one family, 0 to 1. By another: the cosine distance, 0 same to 2
    /// opposite.
    pub distance: f32,
    /// The neighbour's file format.
    pub neighbour_kind: &'a str,
    /// Its size in bytes.
    pub neighbour_size: u64,
    /// The cosine distances of text, code, header, image and perceptual hash; `None` where a view abstains, and by a model without
    /// views.
    pub by_view: [Option<f32>; 5],
    /// The verdict on the queried file, if there is one.
    pub verdict: &'a str,
    /// The probability of the verdict, 0 to 1.
    pub probability: Option<f32>,
    /// Whether the queried file is packed, and how it is known; empty if it is not.
    pub packed: &'a str,
    /// Whether the probability is calibrated; empty without one.
    pub calibrated: &'a str,
}

/// What made a table: it is in each of its rows.
#[derive(Clone, Debug, Default)]
pub struct MadeBy {
    /// The hash of the model; empty without one.
    pub model: String,
    /// What is fitted on top of it, as `library::Fit` is shown; empty without views.
    pub fit: String,
}

/// One sample of a library.
#[derive(Clone, Debug)]
pub struct SampleRow<'a> {
    /// Its SHA-256.
    pub sha256: Sha256,
    /// Its label, if it has one.
    pub label: Option<&'a str>,
    /// Where it was read from.
    pub path: &'a Path,
    /// Size in bytes.
    pub size: u64,
    /// Its file format.
    pub kind: &'a str,
    /// The processor it was built for, if known.
    pub architecture: Option<&'a str>,
    /// Its place on the map, if it has one.
    pub place: Option<[f32; 2]>,
}

/// One sample's place on the map.
#[derive(Clone, Debug)]
pub struct MapRow<'a> {
    /// Its SHA-256.
    pub sha256: Sha256,
    /// Its label, if it has one.
    pub label: Option<&'a str>,
    /// Its place; its units have no meaning.
    pub place: [f32; 2],
}

/// The neighbour table, a row for each neighbour of each query.
pub fn neighbours_csv<'a>(rows: impl IntoIterator<Item = NeighbourRow<'a>>, made_by: &MadeBy) -> Vec<u8> {
    let header = [
        "query_path",
        "query_sha256",
        "rank",
        "neighbour_path",
        "neighbour_sha256",
        "label",
        "distance",
        "neighbour_kind",
        "neighbour_size",
        "distance_text",
        "distance_code",
        "distance_header",
        "verdict",
        "probability",
        "packed",
        "distance_image",
        "distance_hash",
        "calibrated",
        "model",
        "fit",
    ];
    let number = |value: Option<f32>| value.map(|value| format!("{value:.6}")).unwrap_or_default();
    let cells = |row: NeighbourRow<'a>| {
        [
            text(&escape::path(row.query_path)),
            row.query_sha256.to_string(),
            row.rank.to_string(),
            text(&escape::path(row.neighbour_path)),
            row.neighbour_sha256.to_string(),
            label(row.label),
            format!("{:.6}", row.distance),
            row.neighbour_kind.to_owned(),
            row.neighbour_size.to_string(),
            number(row.by_view[0]),
            number(row.by_view[1]),
            number(row.by_view[2]),
            row.verdict.to_owned(),
            number(row.probability),
            text(&escape::text(row.packed)),
            number(row.by_view[3]),
            number(row.by_view[4]),
            row.calibrated.to_owned(),
            made_by.model.clone(),
            made_by.fit.clone(),
        ]
    };
    table(header, rows.into_iter().map(cells))
}

/// The samples of a library, a row each.
pub fn samples_csv<'a>(rows: impl IntoIterator<Item = SampleRow<'a>>, made_by: &MadeBy) -> Vec<u8> {
    let header = ["sha256", "label", "path", "size", "kind", "architecture", "x", "y", "model", "fit"];
    let cells = |row: SampleRow<'a>| {
        let [x, y] = row.place.map_or_else(Default::default, coordinates);
        [
            row.sha256.to_string(),
            label(row.label),
            text(&escape::path(row.path)),
            row.size.to_string(),
            row.kind.to_owned(),
            row.architecture.unwrap_or_default().to_owned(),
            x,
            y,
            made_by.model.clone(),
            made_by.fit.clone(),
        ]
    };
    table(header, rows.into_iter().map(cells))
}

/// The map: sha256, label, x, y, model, fit.
pub fn map_csv<'a>(rows: impl IntoIterator<Item = MapRow<'a>>, made_by: &MadeBy) -> Vec<u8> {
    let cells = |row: MapRow<'a>| {
        let [x, y] = coordinates(row.place);
        [row.sha256.to_string(), label(row.label), x, y, made_by.model.clone(), made_by.fit.clone()]
    };
    table(["sha256", "label", "x", "y", "model", "fit"], rows.into_iter().map(cells))
}

/// A table as RFC 4180 defines it. Each row has as many cells as the header.
pub fn table<H, R>(header: H, rows: impl Iterator<Item = R>) -> Vec<u8>
where
    H: IntoIterator<Item: AsRef<[u8]>>,
    R: IntoIterator<Item = String>,
{
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory, rows of one length: neither can fail.
    let _ = writer.write_record(header);
    for row in rows {
        let _ = writer.write_record(row);
    }
    writer.into_inner().unwrap_or_default()
}

/// A table that begins with a byte-order mark, without which Excel takes it for one in the code page of the system.
pub fn for_excel(table: &[u8]) -> Vec<u8> {
    [b"\xef\xbb\xbf", table].concat()
}

fn coordinates(place: [f32; 2]) -> [String; 2] {
    place.map(|v| format!("{v:.5}"))
}

fn label(label: Option<&str>) -> String {
    label.map(|label| text(&escape::text(label))).unwrap_or_default()
}

pub(super) fn text(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_defused() {
        let row = NeighbourRow {
            query_path: Path::new("=cmd|' /C calc'!A0"),
            query_sha256: Sha256([0xab; 32]),
            rank: 1,
            neighbour_path: Path::new("a,\"b\".exe"),
            neighbour_sha256: Sha256([0; 32]),
            label: Some("@fam\u{202e}ily"),
            distance: 0.25,
            neighbour_kind: "PE",
            neighbour_size: 7,
            by_view: [Some(0.5), None, Some(1.0), None, Some(0.25)],
            verdict: "known",
            probability: Some(0.75),
            packed: "@packer",
            calibrated: "yes",
        };
        let made_by = MadeBy { model: "ab".to_owned(), fit: "1-cd".to_owned() };
        let out = String::from_utf8(neighbours_csv([row], &made_by)).unwrap();
        let mut lines = out.split("\r\n");
        assert!(
            lines
                .next()
                .unwrap()
                .starts_with("query_path,query_sha256,rank,neighbour_path,neighbour_sha256,label,distance")
        );
        let cells = lines.next().unwrap();
        assert!(cells.starts_with("'=cmd|' /C calc'!A0,abab"));
        assert!(cells.contains(",1,\"a,\"\"b\"\".exe\","));
        assert!(cells.ends_with(
            ",'@fam\\u{202e}ily,0.250000,PE,7,0.500000,,1.000000,known,0.750000,'@packer,,0.250000,yes,ab,1-cd"
        ));
    }

    #[test]
    fn excel_reads_a_byte_order_mark() {
        let row = MapRow { sha256: Sha256([1; 32]), label: Some("Käfer"), place: [0.0, 0.0] };
        let plain = map_csv([row], &MadeBy::default());
        let marked = String::from_utf8(for_excel(&plain)).unwrap();
        assert_eq!(marked.strip_prefix('\u{feff}').map(str::as_bytes), Some(&plain[..]));
    }

    #[test]
    fn negative_places_stay_numbers() {
        let row = MapRow { sha256: Sha256([1; 32]), label: None, place: [-1.5, 2.0] };
        let out = String::from_utf8(map_csv([row], &MadeBy::default())).unwrap();
        assert!(out.ends_with(",,-1.50000,2.00000,,\r\n"));
    }
}
