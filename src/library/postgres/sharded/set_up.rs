//! Giving a library shards. What is large is sent to them, while others can read the library and wait to write; only then the library
//! keeps it no longer. So what is interrupted changes nothing of it, and goes on when it is started again.

use super::add::put_on_shards;
use super::shards::Shards;
use super::stub::EMBEDDING;
use crate::job::{Reporter, Stop};
use crate::library::postgres::connect::failed;
use crate::library::postgres::models::put_model;
use crate::library::postgres::store::PostgresLibrary;
use crate::library::postgres::vector::Vector;
use crate::library::{Engine as _, LibraryError, Location, Models as _, ServerUrl, StoredSamples as _};
use crate::sample::KeptFacts;

/// The most shards.
const MOST: usize = 256;
/// Samples that are sent at once.
const TOGETHER: usize = 500;
/// What no program that opened the library before may do.
const CHECK: &str = "this_library_has_shards";

/// Gives the library in a database these shards, and returns how many samples were sent to them. The library is created if there is none,
/// and so is what a shard needs in its database.
///
/// # Errors
/// The library has other shards; a database is a library of its own or a shard of another; the role does not own the tables.
pub fn shard(url: &ServerUrl, to: &[ServerUrl], reporter: &Reporter) -> Result<usize, Stop> {
    let mut library = PostgresLibrary::open(url, true)?;
    library.check_owner()?;
    let identity = library.identity()?;
    let refused = |expected: &str, found: String, location: &ServerUrl, advice: &str| LibraryError::Server {
        expected: expected.to_owned(),
        found,
        location: Location::Server(location.clone()),
        advice: advice.to_owned(),
    };
    if identity.shard_of.is_some() {
        let advice = "Nothing was changed. Name the library's first database";
        return Err(refused("a library", identity.to_string(), url, advice).into());
    }
    let kept: Vec<String> = to.iter().map(ServerUrl::without_user).collect();
    let mut different = kept.clone();
    different.sort_unstable();
    different.dedup();
    if kept.is_empty() || kept.len() > MOST || different.len() < kept.len() {
        let found = format!("{}, {} of them different", kept.len(), different.len());
        let expected = format!("from 1 to {MOST} different databases as shards");
        return Err(refused(&expected, found, url, "Nothing was changed. Name each once").into());
    }
    let already = library.shards()?;
    if already == kept {
        return Ok(0);
    }
    if !already.is_empty() {
        let found = format!("one with {} shards: {}", already.len(), already.join(", "));
        let advice = "Nothing was changed. Make another library with the shards that you want, and copy this one into it";
        return Err(refused("a library without shards, or with these", found, url, advice).into());
    }
    let urls = kept.iter().map(|url_of_shard| Ok(ServerUrl::parse(url_of_shard)?.as_user_of(url)));
    let urls = urls.collect::<Result<Vec<_>, LibraryError>>()?;
    for (number, url_of_shard) in urls.iter().enumerate() {
        mark(url_of_shard, &identity.id, number, urls.len(), &refused)?;
    }
    let shards = Shards::new(&identity.id, urls);

    let begin = "BEGIN; LOCK TABLE lookalike.samples, lookalike.models, lookalike.looks, lookalike.facts,
         lookalike.thumbnails, lookalike.shards IN EXCLUSIVE MODE";
    library.reading(|client| client.batch_execute(begin))?;
    if !library.shards()?.is_empty() {
        let found = "one that another program has just given some".to_owned();
        return Err(refused("a library without shards", found, url, "Try again").into());
    }
    // The connection ends with this function, and what was not committed with it.
    for model in library.models()? {
        let model = library.stored_model(model.hash)?;
        let all = vec![Some(()); shards.len()];
        shards.with(&all, |shard, ()| shard.changing(|transaction| put_model(transaction, &model, "")))?;
    }
    let sent = send(&library, &shards, reporter)?;
    let finished = finish(&mut library, &kept);
    finished.map_err(|error| failed(&error, library.location()))?;
    library
        .reading(|client| client.batch_execute("VACUUM (FULL, ANALYZE) lookalike.looks, lookalike.facts"))?;
    Ok(sent)
}

/// Makes a database a shard, unless it has samples that are not this library's.
fn mark(
    url: &ServerUrl,
    library: &str,
    number: usize,
    of: usize,
    refused: &impl Fn(&str, String, &ServerUrl, &str) -> LibraryError,
) -> Result<(), LibraryError> {
    let mut shard = PostgresLibrary::open(url, true)?;
    shard.check_owner()?;
    let identity = shard.identity()?;
    let wanted = (library.to_owned(), number, of);
    if identity.shard_of.as_ref() == Some(&wanted) {
        return Ok(());
    }
    let samples: i64 =
        shard.reading(|client| client.query_one("SELECT count(*) FROM lookalike.samples", &[]))?.get(0);
    if identity.id == library || samples > 0 || !shard.shards()?.is_empty() {
        let found = match identity.shard_of {
            Some(_) => format!("{identity}, with {samples} samples"),
            None => format!("a library of its own, with {samples} samples"),
        };
        let advice = "It was not changed. Name an empty database; it may be on the server of the library";
        return Err(refused("an empty database for a shard", found, url, advice));
    }
    let (number, of) = (number as i32, of as i32);
    shard.changing(|transaction| {
        transaction
            .execute(
                "UPDATE lookalike.library SET shard_of = $1::text::uuid, shard = $2, shards = $3",
                &[&library, &number, &of],
            )
            .map(drop)
    })
}

/// Sends what is large of all samples, those that are removed too.
fn send(library: &PostgresLibrary, shards: &Shards, reporter: &Reporter) -> Result<usize, Stop> {
    let stage = reporter.stage("Sending samples to the shards", library.sample_count()?);
    let (mut last, mut sent) = (i64::MIN, 0);
    loop {
        reporter.check()?;
        let page = library.also_removed(last, TOGETHER)?;
        let Some((latest, _)) = page.last() else { return Ok(sent) };
        last = *latest;
        let samples: Vec<_> = page.into_iter().map(|(_, sample)| sample).collect();
        put_on_shards(shards, &samples, None)?;
        sent += samples.len();
        stage.advance(samples.len());
    }
}

/// Puts stubs in the place of what was sent, and names the shards: then it is a library with shards.
fn finish(library: &mut PostgresLibrary, shards: &[String]) -> Result<(), postgres::Error> {
    let client = library.client_mut();
    let numbers: Vec<i32> = (0..).take(shards.len()).collect();
    // Fails if the connection was lost, and with it the locks.
    client.batch_execute("SAVEPOINT sent")?;
    client
        .execute("UPDATE lookalike.looks SET embedding = $1, seen = NULL", &[&Vector(EMBEDDING.to_vec())])?;
    client.execute("UPDATE lookalike.facts SET kept = $1", &[&KeptFacts::default().to_bytes()])?;
    client.batch_execute(&format!(
        "TRUNCATE lookalike.thumbnails, lookalike.candidates, lookalike.candidate_of;
         ALTER TABLE lookalike.looks ADD CONSTRAINT {CHECK} CHECK (vector_dims(embedding) = {})",
        EMBEDDING.len()
    ))?;
    client.execute(
        "INSERT INTO lookalike.shards (number, url) SELECT * FROM unnest($1::integer[], $2::text[])",
        &[&numbers, &shards],
    )?;
    client.batch_execute("NOTIFY lookalike; COMMIT")
}
