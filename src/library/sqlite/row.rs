//! A row: one sample as the library file has it. The file may be damaged or made by someone else, so every
//! value is validated: a row that this program would not have written is rejected.

use crate::library::Record;
use crate::library::row::{Listed, Row, parse_vector};
use crate::sample::Sha256;
use crate::search::Look;
use crate::view::FileViews;
use rusqlite::types::ValueRef;
use std::path::PathBuf;
use std::sync::Arc;

/// Columns of a sample that is listed.
pub const LISTED: &str = "s.id, s.sha256, s.path, s.label, s.size, s.kind, s.architecture, p.x, p.y";

/// Parses the values of [`LISTED`], and after them the embedding and what the views see; `None` if they cannot be those of a sample
/// whose embedding has `dimension` numbers, and of which views saw something if the model has views.
pub fn parse_row(values: [ValueRef<'_>; 11], dimension: usize, with_views: bool) -> Option<Row> {
    let [listed @ .., vector, seen] = values;
    let mut embedding = Vec::with_capacity(dimension);
    parse_vector(vector.as_blob().ok()?, dimension, &mut embedding)?;
    let views = if with_views { Some(FileViews::from_bytes(seen.as_blob().ok()?)?) } else { None };
    Some(Row { listed: parse_listed(listed)?, look: Look { embedding, views } })
}

/// Parses the values of [`LISTED`]; `None` if they cannot be those of a sample.
pub fn parse_listed(values: [ValueRef<'_>; 9]) -> Option<Listed> {
    let [id, sha256, path, label, size, kind, architecture, x, y] = values;
    let text = |value: ValueRef<'_>| value.as_str_or_null().ok().map(|text| text.map(Arc::from));
    let record = Record {
        id: id.as_i64().ok()?,
        sha256: Sha256(sha256.as_blob().ok()?.try_into().ok()?),
        path: to_path(path)?,
        size: u64::try_from(size.as_i64().ok()?).ok()?,
        kind: kind.as_str().ok()?.into(),
        architecture: text(architecture)?,
    };
    let coordinate = |value: ValueRef<'_>| value.as_f64().ok().map(|v| v as f32).filter(|v| v.is_finite());
    let place = coordinate(x).zip(coordinate(y)).map(|(x, y)| [x, y]);
    Some(Listed { record, label: text(label)?, place })
}

/// A path as the file has it: text if it is UTF-8, else its bytes.
pub fn to_path(value: ValueRef<'_>) -> Option<PathBuf> {
    let (ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = value else {
        return None;
    };
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
    }
    #[cfg(not(unix))]
    Some(PathBuf::from(String::from_utf8_lossy(bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::types::ValueRef::{Blob, Integer, Null, Real, Text};

    #[test]
    fn values_that_this_program_does_not_write_are_rejected() {
        let digest = [7; 32];
        let vector: Vec<u8> = [1.0_f32, -2.0].into_iter().flat_map(f32::to_le_bytes).collect();
        let good = [
            Integer(3),
            Blob(&digest),
            Text(b"/a/b"),
            Null,
            Integer(9),
            Text(b"PE"),
            Null,
            Real(1.0),
            Real(2.0),
            Blob(&vector),
            Null,
        ];
        let Row { listed, look } = parse_row(good, 2, false).unwrap();
        assert_eq!((listed.record.id, listed.record.size, listed.label), (3, 9, None));
        assert_eq!((look.embedding, listed.place), (vec![1.0, -2.0], Some([1.0, 2.0])));
        let infinite: Vec<u8> = [f32::NAN, 1.0].into_iter().flat_map(f32::to_le_bytes).collect();
        for (column, value) in [
            (0, Null),
            (1, Blob(b"short")),
            (1, Null),
            (2, Integer(1)),
            (3, Integer(1)),
            (3, Text(b"\xff")),
            (4, Integer(-1)),
            (4, Real(1.0)),
            (5, Null),
            (6, Blob(b"x")),
            (9, Null),
            (9, Blob(b"abc")),
            (9, Blob(&infinite)),
        ] {
            let mut bad = good;
            bad[column] = value;
            assert!(parse_row(bad, 2, false).is_none(), "{column} {value:?}");
        }
        let mut odd = good;
        odd[8] = Real(f64::NAN);
        assert_eq!(parse_row(odd, 2, false).unwrap().listed.place, None);
        assert!(parse_row(good, 3, false).is_none());
        // A model with views needs what they saw.
        assert!(parse_row(good, 2, true).is_none());
        let seen = FileViews::default().to_bytes();
        let mut viewed = good;
        viewed[10] = Blob(&seen);
        assert_eq!(parse_row(viewed, 2, true).unwrap().look.views, Some(FileViews::default()));
        viewed[10] = Blob(&seen[1..]);
        assert!(parse_row(viewed, 2, true).is_none());
    }
}
