//! The segments of a library file: codes of its vectors, and lists of the terms that its files have, in files beside it, in the folder
//! `NAME-index`, so that a search reads little.
//!
//! A row of the table `segments` says which samples a segment has, and its token, which names its file. The file is on the disk before
//! the row is. A file that is lost or damaged costs time and nothing else: its samples are read from the library. One that is lost,
//! or whose header is damaged, is made again by [`Prepare::after_adding`], and one with any damage by [`Prepare::prepare`]. A file
//! without a row is nobody's.

use super::SqliteLibrary;
use super::version::WITH_SEGMENTS;
use crate::job::{Reporter, Stop};
use crate::library::row::parse_vector;
use crate::library::{Engine as _, LibraryError, Prepare, Prepared};
use crate::model::Model;
use crate::search::{
    Looks, MOST_ROWS, Segment, ViewSegment, check_segment_file, write_segment, write_view_segment,
};
use crate::view::FileViews;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes of vectors of a segment, at most: they are in memory while it is made.
const MOST: usize = 128 << 20;
/// So few samples are read as fast without a segment.
const FEWEST: usize = 20_000;
/// A file that has had no row for so long is not being written any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// What segments of a model are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The length of its embeddings.
    dimension: usize,
    /// Whether it has views.
    by_views: bool,
}

impl Kind {
    /// Of a model; `None` if it has none: views of images are few numbers.
    pub fn of(model: &Model) -> Option<Self> {
        let by_views = model.views.is_some();
        let images = model.views.as_ref().is_some_and(|views| views.see_images());
        (!images).then_some(Self { dimension: model.config.embedding, by_views })
    }

    /// How many samples a segment has, at least and at most.
    fn sizes(self) -> (usize, usize) {
        match self.by_views {
            true => (FEWEST, MOST_ROWS),
            false => (FEWEST, MOST / (self.dimension * size_of::<f32>()).max(1)),
        }
    }
}

/// The file of a segment.
pub enum Opened {
    /// Of a model without views.
    Vectors(Segment),
    /// Of one with views.
    Views(ViewSegment),
}

impl Opened {
    /// The segment, if it is of a model without views.
    pub fn vectors(&self) -> Option<&Segment> {
        if let Self::Vectors(segment) = self { Some(segment) } else { None }
    }

    /// The segment, if it is of a model with views.
    pub fn views(&self) -> Option<&ViewSegment> {
        if let Self::Views(segment) = self { Some(segment) } else { None }
    }

    /// The number of its samples.
    pub fn count(&self) -> usize {
        match self {
            Self::Vectors(segment) => segment.count(),
            Self::Views(segment) => segment.count(),
        }
    }
}

/// A segment of a library that can be used.
pub struct Usable {
    token: Vec<u8>,
    /// The ids of the samples that it has: all that the model has embedded of these.
    pub ids: RangeInclusive<i64>,
    /// Its file.
    pub segment: Opened,
}

/// The usable segments of a model, by ids.
pub fn usable(
    connection: &Connection,
    folder: &Path,
    model: i64,
    kind: Kind,
) -> rusqlite::Result<Vec<Usable>> {
    let rows: Vec<(Vec<u8>, i64, i64)> = connection
        .prepare("SELECT token, first, last FROM segments WHERE model = ?1 ORDER BY first, last")?
        .query_map([model], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut all: Vec<Usable> = Vec::new();
    for (token, first, last) in rows {
        let behind = all.last().is_none_or(|before| *before.ids.end() < first);
        match open(folder, &token, kind) {
            Ok(segment) if behind && first <= last => all.push(Usable { token, ids: first..=last, segment }),
            Ok(_) => {}
            Err(error) => tracing::debug!("a segment is not used: {error}"),
        }
    }
    Ok(all)
}

/// The ids up to `last` that no segment has.
pub fn uncovered(segments: &[Usable], last: i64) -> Vec<RangeInclusive<i64>> {
    let mut from = i64::MIN;
    let mut gaps = Vec::new();
    for Usable { ids, .. } in segments {
        if from < *ids.start() {
            gaps.push(from..=ids.start() - 1);
        }
        from = ids.end().saturating_add(1);
    }
    if from <= last {
        gaps.push(from..=last);
    }
    gaps
}

fn file_name(token: &[u8]) -> String {
    let hex: String = token.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.segment")
}

fn open(folder: &Path, token: &[u8], kind: Kind) -> io::Result<Opened> {
    let known = token.try_into().map_err(io::Error::other)?;
    let file = File::open(folder.join(file_name(token)))?;
    Ok(match kind.by_views {
        true => Opened::Views(ViewSegment::open(file, known, kind.dimension)?),
        false => Opened::Vectors(Segment::open(file, known, kind.dimension)?),
    })
}

/// Some samples that a segment is made of.
struct Read {
    ids: Vec<i64>,
    looks: Looks,
}

impl Prepare for SqliteLibrary {
    fn prepare(&mut self, reporter: &Reporter) -> Result<Prepared, Stop> {
        self.check_writable()?;
        self.remove_damaged(reporter)?;
        self.after_adding(reporter)?;
        let (id, model) = self.current_model()?.ok_or(LibraryError::NoModel)?;
        let Some(kind) = Kind::of(&model) else { return Ok(Prepared::Exact { samples: 0 }) };
        let folder = self.segment_folder();
        let segments = self.sqlite(|connection| usable(connection, &folder, id, kind))?;
        Ok(Prepared::Exact { samples: segments.iter().map(|usable| usable.segment.count()).sum() })
    }

    fn after_adding(&mut self, reporter: &Reporter) -> Result<(), Stop> {
        let Some((model, kind)) = self.model_with_segments()? else { return Ok(()) };
        self.make_segments(model, kind, kind.sizes(), reporter)
    }
}

impl SqliteLibrary {
    /// The folder of the segments.
    pub(super) fn segment_folder(&self) -> PathBuf {
        let mut name = self.location().to_path().into_os_string();
        name.push("-index");
        name.into()
    }

    /// Reads all files, and removes those with damage, so that they are made again.
    fn remove_damaged(&self, reporter: &Reporter) -> Result<(), Stop> {
        let folder = self.segment_folder();
        let tokens = self.tokens()?;
        let stage = reporter.stage("Checking the search index", tokens.len());
        for token in tokens {
            reporter.check()?;
            let path = folder.join(file_name(&token));
            if let Ok(file) = File::open(&path)
                && let Err(error) = check_segment_file(&file)
            {
                tracing::warn!("{} is made again: {error}", path.display());
                remove(&path);
            }
            stage.advance(1);
        }
        Ok(())
    }

    fn tokens(&self) -> Result<Vec<Vec<u8>>, LibraryError> {
        self.sqlite(|connection| {
            connection.prepare("SELECT token FROM segments")?.query_map([], |row| row.get(0))?.collect()
        })
    }

    /// Makes the segments that a model lacks. What was made before the work was cancelled stays. They are of at least `fewest` samples and of up to `most`.
    fn make_segments(
        &mut self,
        model: i64,
        kind: Kind,
        (fewest, most): (usize, usize),
        reporter: &Reporter,
    ) -> Result<(), Stop> {
        let folder = self.segment_folder();
        let mut segments = self.sqlite(|connection| usable(connection, &folder, model, kind))?;
        let last = self.sqlite(|connection| last_embedded(connection, model))?.unwrap_or(i64::MIN);
        let gaps = uncovered(&segments, last);
        let mut counts = Vec::new();
        for gap in gaps {
            let count = self.sqlite(|connection| count(connection, model, &gap))?;
            counts.push((gap, count));
        }
        // The last segment is made again together with what was added since, if that is as much: so there are few.
        let mut replaced = Vec::new();
        if let Some((gap, added)) = counts.last_mut().filter(|(gap, _)| *gap.end() == last) {
            while let Some(before) = segments.pop() {
                let together = before.segment.count() + *added;
                if *added < fewest || before.segment.count() > *added || together > most {
                    break;
                }
                *gap = *before.ids.start()..=last;
                *added = together;
                replaced.push(before.token);
            }
        }
        counts.retain(|(_, count)| *count >= fewest);
        let stage = reporter.stage("Preparing the search", counts.iter().map(|(_, count)| count).sum());
        for (gap, _) in counts {
            let mut from = *gap.start();
            while from <= *gap.end() {
                reporter.check()?;
                let to = *gap.end();
                let read = self.sqlite(|connection| read(connection, model, kind, from..=to, most))?;
                // A library with an odd vector is read whole.
                let Some(read) = read else { return Ok(()) };
                let Some(end) = read.ids.last().copied() else { break };
                let end = if read.ids.len() < most { to } else { end };
                self.make(&folder, model, from..=end, &read, &replaced)?;
                replaced.clear();
                stage.advance(read.ids.len());
                from = end.saturating_add(1);
            }
        }
        self.clear(&folder)?;
        Ok(())
    }

    /// The row id of the current model and its kind of segments, if it has any and they can be written.
    fn model_with_segments(&self) -> Result<Option<(i64, Kind)>, LibraryError> {
        if self.read_only().is_some() || self.version() < WITH_SEGMENTS {
            return Ok(None);
        }
        Ok(self.current_model()?.and_then(|(id, model)| Some((id, Kind::of(&model)?))))
    }

    /// Makes a segment of these samples, with these ids, in place of those `replaced`.
    fn make(
        &mut self,
        folder: &Path,
        model: i64,
        ids: RangeInclusive<i64>,
        read: &Read,
        replaced: &[Vec<u8>],
    ) -> Result<(), LibraryError> {
        let location = self.location().clone();
        let failed = |error: io::Error| LibraryError::Failed { why: error.to_string(), location };
        let token: [u8; 16] = rand::random();
        write(folder, token, read).map_err(failed)?;
        let made = self.changing(|transaction| {
            // Another program may have added samples in between meanwhile.
            if count(transaction, model, &ids)? != read.ids.len() {
                return Ok(false);
            }
            for token in replaced {
                transaction.execute("DELETE FROM segments WHERE token = ?1", [token])?;
            }
            transaction.execute(
                "INSERT INTO segments (token, model, first, last) VALUES (?1, ?2, ?3, ?4)",
                params![&token[..], model, ids.start(), ids.end()],
            )?;
            Ok(true)
        })?;
        let gone: Vec<&[u8]> = if made { replaced.iter().map(Vec::as_slice).collect() } else { vec![&token] };
        for token in gone {
            remove(&folder.join(file_name(token)));
        }
        Ok(())
    }

    /// Removes rows without a file, and files that have had no row for long.
    fn clear(&mut self, folder: &Path) -> Result<(), LibraryError> {
        let tokens = self.tokens()?;
        let lost: Vec<&Vec<u8>> =
            tokens.iter().filter(|token| !folder.join(file_name(token)).exists()).collect();
        if !lost.is_empty() {
            self.changing(|transaction| {
                for token in lost {
                    transaction.execute("DELETE FROM segments WHERE token = ?1", [token])?;
                }
                Ok(())
            })?;
        }
        let Ok(files) = folder.read_dir() else { return Ok(()) };
        let known: Vec<String> = tokens.iter().map(|token| file_name(token)).collect();
        for file in files.flatten() {
            let name = file.file_name();
            let ours = name.to_str().is_some_and(|name| name.ends_with(".segment"));
            let is_known = known.iter().any(|known| **known == *name);
            let age = file.metadata().and_then(|found| found.modified()).ok();
            let is_old = age.and_then(|age| age.elapsed().ok()).is_some_and(|age| age > ABANDONED);
            if ours && !is_known && is_old {
                remove(&file.path());
            }
        }
        Ok(())
    }
}

/// Removes a file that is of no use; if that fails it only takes space.
fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!("{} was not removed: {error}", path.display());
    }
}

/// Writes the file of a segment, which is on the disk once this returns.
fn write(folder: &Path, token: [u8; 16], read: &Read) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = io::BufWriter::new(crate::whole_file::new_beside(&folder.join(file_name(&token)))?);
    match read.looks.views.is_empty() {
        true => write_segment(&mut file, token, &read.ids, &read.looks.embeddings)?,
        false => write_view_segment(&mut file, token, &read.ids, &read.looks)?,
    }
    file.flush()?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(folder.join(file_name(&token)))?;
    Ok(())
}

fn last_embedded(connection: &Connection, model: i64) -> rusqlite::Result<Option<i64>> {
    connection
        .query_row(
            "SELECT sample FROM embeddings WHERE model = ?1 ORDER BY sample DESC LIMIT 1",
            [model],
            |row| row.get(0),
        )
        .optional()
}

/// The samples with these ids that a model has embedded.
fn count(connection: &Connection, model: i64, ids: &RangeInclusive<i64>) -> rusqlite::Result<usize> {
    connection.query_row(
        "SELECT count(*) FROM embeddings WHERE model = ?1 AND sample BETWEEN ?2 AND ?3",
        [model, *ids.start(), *ids.end()],
        |row| row.get::<_, i64>(0).map(|count| count as usize),
    )
}

/// What the first `most` samples with these ids look like to a model; `None` if one of them has a value that this program would not have
/// written.
fn read(
    connection: &Connection,
    model: i64,
    kind: Kind,
    ids: RangeInclusive<i64>,
    most: usize,
) -> rusqlite::Result<Option<Read>> {
    let mut statement = connection.prepare(
        "SELECT e.sample, e.vector, v.seen FROM embeddings e LEFT JOIN seen v ON v.look = e.model << 40 | e.sample
         WHERE e.model = ?1 AND e.sample BETWEEN ?2 AND ?3 ORDER BY e.sample LIMIT ?4",
    )?;
    let mut rows = statement.query(params![model, ids.start(), ids.end(), most as i64])?;
    let mut read = Read { ids: Vec::new(), looks: Looks::new(kind.dimension) };
    while let Some(row) = rows.next()? {
        read.ids.push(row.get(0)?);
        let vector = row.get_ref(1)?.as_blob().unwrap_or_default();
        if parse_vector(vector, kind.dimension, &mut read.looks.embeddings.data).is_none() {
            return Ok(None);
        }
        if kind.by_views {
            let seen = row.get_ref(2)?.as_blob_or_null().ok().flatten().and_then(FileViews::from_bytes);
            // A perceptual hash is of an image, and this model sees none.
            let Some(seen) = seen.filter(|seen| seen.hash.is_none()) else { return Ok(None) };
            read.looks.views.push(seen);
        }
    }
    Ok(Some(read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Library;
    use crate::library::engine_tests::excerpt::{asked, is_same, library};
    use crate::library::engine_tests::fixture::{self, Kept, Place, model};
    use crate::model::{Embeddings, Model, base_model};
    use crate::picture::{BytePlanes, Encoded, PictureKind};
    use crate::sample::{FileKind, Sample, Sha256};
    use crate::search::Looks;

    const DIMENSION: usize = 64;

    /// Makes segments of 100 to 3000 samples; returns how many samples each has.
    fn prepare(path: &Path) -> Vec<usize> {
        let mut opened = SqliteLibrary::open(path, false).unwrap();
        opened.make_segments(1, kind(&opened), (100, 3000), &Reporter::silent()).unwrap();
        counts(&opened)
    }

    fn kind(opened: &SqliteLibrary) -> Kind {
        Kind::of(&opened.current_model().unwrap().unwrap().1).unwrap()
    }

    fn counts(opened: &SqliteLibrary) -> Vec<usize> {
        let folder = opened.segment_folder();
        let segments = opened.sqlite(|connection| usable(connection, &folder, 1, kind(opened))).unwrap();
        segments.iter().map(|usable| usable.segment.count()).collect()
    }

    fn files(path: &Path) -> Vec<PathBuf> {
        let folder = SqliteLibrary::open(path, false).unwrap().segment_folder();
        let mut files: Vec<PathBuf> = folder.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    }

    /// Adds samples that are like others.
    fn add(library: &mut Library, model: &Model, first: usize, count: usize) {
        let contents = library.contents().unwrap();
        let (mut samples, mut embeddings) = (Vec::new(), Embeddings::new(DIMENSION));
        for i in first..first + count {
            samples.push(Sample {
                path: format!("/more/{i}").into(),
                label: Some(format!("family {}", i % 50)),
                sha256: Sha256::of(format!("more {i}").as_bytes()),
                size: 3,
                kind: FileKind::Pe,
                architecture: None,
                facts: None,
            });
            let like = contents.at(i * 7 % 8000).unwrap().sha256;
            embeddings.data.extend(contents.look(like).unwrap().embedding);
        }
        let pictures = vec![Encoded::Bytes(BytePlanes::of(b"MZ")); count];
        let batch = crate::library::Batch { samples: &samples, pictures: &pictures, embeddings: &embeddings };
        library.add(model, batch, &mut crate::library::Import::new("/more")).unwrap();
    }

    /// A library with segments, what is asked of it, and its place.
    fn prepared() -> (Place, Library, (Looks, Vec<Sha256>)) {
        prepared_by(&model(1))
    }

    fn prepared_by(model: &Model) -> (Place, Library, (Looks, Vec<Sha256>)) {
        let place = Place::new(Kept::Sqlite);
        let library = library(&place, model, |family| Some(format!("family {family}")));
        let asked = asked(&library);
        assert_eq!(prepare(place.path()), [3000, 3000, 2500]);
        (place, library, asked)
    }

    #[test]
    fn answers_are_those_of_the_whole_library_as_samples_come_and_go() {
        let (place, mut library, asked) = prepared();
        assert!(is_same(&library, &asked, 10));
        // What is added since is read from the library, until there are enough for a segment.
        add(&mut library, &model(1), 0, 60);
        assert_eq!(prepare(place.path()), [3000, 3000, 2500]);
        assert!(is_same(&library, &asked, 10));
        add(&mut library, &model(1), 60, 140);
        assert_eq!(prepare(place.path()), [3000, 3000, 2500, 200]);
        assert!(is_same(&library, &asked, 10));
        // Small segments are made one.
        add(&mut library, &model(1), 200, 300);
        assert_eq!(prepare(place.path()), [3000, 3000, 2500, 500]);
        assert_eq!(files(place.path()).len(), 4);
        let contents = library.contents().unwrap();
        let removed: Vec<Sha256> =
            (0..9000).step_by(30).map(|row| contents.at(row).unwrap().sha256).collect();
        library.remove(&removed, "test").unwrap();
        assert!(is_same(&library, &asked, 10));
    }

    #[test]
    fn answers_by_views_are_those_of_the_whole_library() {
        let (place, mut library, asked) = prepared_by(&base_model(PictureKind::Bytes).unwrap());
        for k in [1, 10] {
            assert!(is_same(&library, &asked, k));
        }
        let contents = library.contents().unwrap();
        let removed: Vec<Sha256> = (0..8500).step_by(2).map(|row| contents.at(row).unwrap().sha256).collect();
        library.remove(&removed, "test").unwrap();
        // Of what is left fewer than are compared by labels as a whole.
        let large = library.larger_than(0).unwrap().unwrap();
        let search = crate::library::Search {
            queries: &asked.0,
            k: 9,
            among: &crate::library::Among::All,
            exact: true,
        };
        assert!(large.excerpt(&search, &[], &Reporter::silent()).unwrap().is_none());
        drop(large);
        let edit = library.latest_by_hand().unwrap().unwrap();
        library.undo_edit(edit).unwrap();
        std::fs::remove_file(&files(place.path())[1]).unwrap();
        assert!(is_same(&library, &asked, 10));
    }

    #[test]
    fn a_file_that_is_lost_or_damaged_is_made_again() {
        let (place, library, asked) = prepared();
        let before = files(place.path());
        std::fs::remove_file(&before[0]).unwrap();
        // The second has a chunk that is not what was written, the third no header.
        let mut bytes = std::fs::read(&before[1]).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&before[1], &bytes).unwrap();
        assert!(is_same(&library, &asked, 10));
        std::fs::write(&before[2], b"nothing").unwrap();
        assert!(is_same(&library, &asked, 10));
        prepare(place.path());
        assert!(is_same(&library, &asked, 10));
        // Damage behind the header is found by reading all.
        let damaged = |path: &PathBuf| check_segment_file(&File::open(path).unwrap()).is_err();
        assert_eq!(files(place.path()).iter().filter(|path| damaged(path)).count(), 2);
        let opened = SqliteLibrary::open(place.path(), false).unwrap();
        opened.remove_damaged(&Reporter::silent()).unwrap();
        assert_eq!(prepare(place.path()), [3000, 3000, 2500]);
        assert!(!files(place.path()).iter().any(damaged));
        assert!(is_same(&library, &asked, 10));
        std::fs::remove_dir_all(before[0].parent().unwrap()).unwrap();
        assert!(is_same(&library, &asked, 10));
        assert_eq!(prepare(place.path()), [3000, 3000, 2500]);
        assert!(is_same(&library, &asked, 10));
    }

    #[test]
    fn a_segment_that_lacks_a_sample_is_not_used() {
        let (place, mut library, asked) = prepared();
        // Another model has the next sample, and the library's model embeds it after its segment was made.
        let late = fixture::hash(9);
        fixture::add(&mut library, &model(2), &[(9, None)]);
        add(&mut library, &model(1), 0, 100);
        assert_eq!(prepare(place.path()), [3000, 3000, 2500, 100]);
        let sample = Sample {
            path: "/late".into(),
            label: None,
            sha256: late,
            size: 7,
            kind: FileKind::Pe,
            architecture: None,
            facts: None,
        };
        let embeddings = Embeddings { dimension: DIMENSION, data: asked.0.embeddings.row(0).to_vec() };
        let picture = Encoded::Bytes(BytePlanes::of(b"MZ"));
        library.add_embeddings(&model(1), &[&sample], &[&picture], &embeddings).unwrap();
        assert_eq!(counts(&SqliteLibrary::open(place.path(), false).unwrap()), [3000, 3000, 2500]);
        assert!(is_same(&library, &asked, 10));
        let large = library.larger_than(0).unwrap().unwrap();
        let search = crate::library::Search {
            queries: &asked.0,
            k: 1,
            among: &crate::library::Among::All,
            exact: false,
        };
        let found = large.excerpt(&search, &[], &Reporter::silent()).unwrap().unwrap();
        assert!(found.contents.contains(late));
    }

    #[test]
    fn what_another_library_left_at_this_place_is_not_used() {
        let (place, library, asked) = prepared();
        let (other, _, _) = prepared();
        let folder = files(place.path())[0].parent().unwrap().to_owned();
        // The names are known, the tokens inside are of other segments.
        for (ours, theirs) in files(place.path()).iter().zip(files(other.path())) {
            std::fs::copy(theirs, ours).unwrap();
        }
        assert_eq!(counts(&SqliteLibrary::open(place.path(), false).unwrap()), [0_usize; 0]);
        assert!(is_same(&library, &asked, 10));
        // A file that nobody knows is removed after an hour.
        let (new, old) = (folder.join("00.segment"), folder.join("11.segment"));
        std::fs::write(&new, b"").unwrap();
        let file = File::create(&old).unwrap();
        file.set_modified(std::time::SystemTime::now() - 2 * ABANDONED).unwrap();
        prepare(place.path());
        assert!(new.exists() && !old.exists());
    }
}
