//! The shards of a library, each with a connection of its own that is made when it is needed.

use crate::library::postgres::store::PostgresLibrary;
use crate::library::{LibraryError, Location, Missing, ServerUrl};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a server that did not answer is not asked again.
const PAUSE: Duration = Duration::from_secs(5);
/// How long a server that has answered before may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(10);

/// The shards of a library.
pub struct Shards {
    all: Vec<Shard>,
    /// What could not be read when they were read last, by their numbers.
    missing: Mutex<Vec<(usize, String)>>,
}

/// A shard.
struct Shard {
    place: Place,
    opened: Mutex<Opened>,
}

/// Where a shard is, and which one.
struct Place {
    url: ServerUrl,
    /// The id of the library that it belongs to.
    library: String,
    number: usize,
    of: usize,
}

/// Its connection, or why there was none.
#[derive(Default)]
struct Opened {
    library: Option<PostgresLibrary>,
    failed: Option<(Instant, LibraryError)>,
}

impl Shards {
    /// Those of the library with this id, in the order of their numbers.
    pub fn new(library: &str, urls: Vec<ServerUrl>) -> Self {
        let of = urls.len();
        let place = |(number, url)| Place { url, library: library.to_owned(), number, of };
        let shard = |place| Shard { place, opened: Mutex::default() };
        Self { all: urls.into_iter().enumerate().map(place).map(shard).collect(), missing: Mutex::default() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Opens each of them once more but for those with these numbers, with a connection for the caller alone.
    pub fn open_each<'a>(
        &'a self,
        but: &'a [usize],
    ) -> impl Iterator<Item = Result<PostgresLibrary, LibraryError>> + 'a {
        let places = self.all.iter().map(|shard| &shard.place);
        places
            .filter(|place| !but.contains(&place.number))
            .map(|place| place.open().map_err(|error| place.error(error)))
    }

    /// Works with each of those shards for which there is `something` at once. Fails if one of them does.
    pub fn with<I: Sync, T: Send>(
        &self,
        something: &[Option<I>],
        work: impl Fn(&mut PostgresLibrary, &I) -> Result<T, LibraryError> + Sync,
    ) -> Result<Vec<T>, LibraryError> {
        self.at_once(something, &work).into_iter().map(|(_, done)| done).collect()
    }

    /// The same with all of them; those that fail are missing.
    pub fn read_all<T: Send>(
        &self,
        work: impl Fn(&mut PostgresLibrary, usize) -> Result<T, LibraryError> + Sync,
    ) -> Vec<T> {
        let numbers: Vec<Option<usize>> = (0..self.len()).map(Some).collect();
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for (number, done) in
            self.at_once(&numbers, &|library: &mut PostgresLibrary, number: &usize| work(library, *number))
        {
            match done {
                Ok(done) => found.push(done),
                Err(LibraryError::Shard { error, .. }) => missing.push((number, error.to_string())),
                Err(error) => missing.push((number, error.to_string())),
            }
        }
        *self.missing_now() = missing;
        found
    }

    /// The numbers of those that do not answer, which are missing.
    pub fn find_missing(&self) -> Vec<usize> {
        self.read_all(|library, _| library.check_connection(PATIENCE));
        self.missing_now().iter().map(|(number, _)| *number).collect()
    }

    /// What was missing when they were read last.
    pub fn missing(&self) -> Option<Missing> {
        let why: Vec<String> = self.missing_now().iter().map(|(_, why)| why.clone()).collect();
        (!why.is_empty()).then_some(Missing { why, of: self.len() })
    }

    fn missing_now(&self) -> MutexGuard<'_, Vec<(usize, String)>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at_once<I: Sync, T: Send>(
        &self,
        something: &[Option<I>],
        work: &(impl Fn(&mut PostgresLibrary, &I) -> Result<T, LibraryError> + Sync),
    ) -> Vec<(usize, Result<T, LibraryError>)> {
        std::thread::scope(|scope| {
            let asked =
                self.all.iter().zip(something).filter_map(|(shard, some)| Some((shard, some.as_ref()?)));
            let running: Vec<_> = asked
                .map(|(shard, some)| {
                    (shard.place.number, scope.spawn(move || shard.with(|library| work(library, some))))
                })
                .collect();
            let joined = |(number, thread): (usize, std::thread::ScopedJoinHandle<'_, _>)| {
                (number, thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            };
            running.into_iter().map(joined).collect()
        })
    }
}

impl Shard {
    fn with<T>(
        &self,
        work: impl FnOnce(&mut PostgresLibrary) -> Result<T, LibraryError>,
    ) -> Result<T, LibraryError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let mut library = match opened.library.take() {
            Some(library) => library,
            None => self.place.open_unless_it_just_failed(&mut opened.failed)?,
        };
        let done = work(&mut library);
        if !library.is_closed() {
            opened.library = Some(library);
        }
        done.map_err(|error| self.place.error(error))
    }
}

impl Place {
    fn open_unless_it_just_failed(
        &self,
        failed: &mut Option<(Instant, LibraryError)>,
    ) -> Result<PostgresLibrary, LibraryError> {
        if let Some((when, error)) = failed
            && when.elapsed() < PAUSE
        {
            return Err(self.error(self.same(error)));
        }
        let opened = self.open();
        *failed = opened.as_ref().err().map(|error| (Instant::now(), self.same(error)));
        opened.map_err(|error| self.error(error))
    }

    /// Opens it, and makes sure that it is this shard.
    fn open(&self) -> Result<PostgresLibrary, LibraryError> {
        let library = PostgresLibrary::open(&self.url, false)?;
        let found = library.identity()?;
        if found.shard_of.as_ref() == Some(&(self.library.clone(), self.number, self.of)) {
            return Ok(library);
        }
        Err(LibraryError::Server {
            expected: format!("shard {} of {} of this library", self.number + 1, self.of),
            found: found.to_string(),
            location: Location::Server(self.url.clone()),
            advice: "Nothing was changed. Ask the library's owner which databases are its shards".to_owned(),
        })
    }

    fn error(&self, error: LibraryError) -> LibraryError {
        LibraryError::Shard { number: self.number + 1, of: self.of, error: Box::new(error) }
    }

    /// The same error again.
    fn same(&self, error: &LibraryError) -> LibraryError {
        let location = Location::Server(self.url.clone());
        match error {
            LibraryError::Server { expected, found, advice, .. } => LibraryError::Server {
                expected: expected.clone(),
                found: found.clone(),
                location,
                advice: advice.clone(),
            },
            LibraryError::NoLibrary { .. } => LibraryError::NoLibrary { location },
            LibraryError::Version { found, expected, .. } => {
                LibraryError::Version { found: *found, expected: *expected, location }
            }
            other => LibraryError::Failed { why: other.to_string(), location },
        }
    }
}
