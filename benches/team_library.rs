//! A team's library on a real server: how fast it is filled, how long its index takes, and how long a query does.

use super::large_library::{Spread, look, models};
use lookalike::job::Reporter;
use lookalike::library::{Among, GivenLabel, Import, Library, Search, WholeLook, WholeSample};
use lookalike::model::Model;
use lookalike::sample::Sha256;
use lookalike::search::{Look, Looks};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[path = "../tests/common/postgres.rs"]
mod postgres_server;
use postgres_server::Server;

/// Samples that are sent at once, as a copy does.
const TOGETHER: usize = 500;
/// Neighbours of a query.
const K: usize = 10;
/// Queries that are timed, and those of them that are answered exactly too: fewer in a library of a million.
const ASKED: usize = 200;
const COMPARED: usize = 40;
const COMPARED_OF_MANY: usize = 10;
/// Labels of one of a thousand samples, and of one of twenty; the others have those of their families.
const RARE: &str = "rare";
const COMMON: &str = "common";

/// Measures a library of `n` samples of a set, `views`, `vectors`, or `alike`: vectors that are nearly alike. With `shards`, each is on a
/// server of its own, and the library on the first. Prints a row of a table.
pub fn print(set: &str, n: usize, shards: usize) {
    let (model, spread) = models(set);
    let servers: Vec<Server> = (0..shards.max(1)).map(|_| Server::start_for_benchmark()).collect();
    let url = servers[0].database();
    let place = Path::new(&url);
    let mut databases = vec![url.clone()];
    if shards > 0 {
        databases.extend(servers.iter().map(Server::database));
        let to: Vec<PathBuf> = databases[1..].iter().map(PathBuf::from).collect();
        Library::shard(place, &to, &Reporter::silent()).unwrap();
    }
    let mut library = Library::open_or_create(place).unwrap();
    library.add_model(&model, "").unwrap();

    let begun = Instant::now();
    let mut import = Import::new("/samples");
    let mut made = 0.0;
    for first in (0..n).step_by(TOGETHER) {
        let making = Instant::now();
        let samples: Vec<WholeSample> =
            (first..n.min(first + TOGETHER)).map(|i| sample(i, &model, spread)).collect();
        made += making.elapsed().as_secs_f64();
        library.put_whole(&samples, &mut import).unwrap();
    }
    // Without the time that making them took.
    let imported = n as f64 / (begun.elapsed().as_secs_f64() - made);

    let begun = Instant::now();
    library.prepare(&Reporter::silent()).unwrap();
    let indexed = begun.elapsed().as_secs_f64();

    let queries: Vec<Looks> = (0..ASKED)
        .map(|i| {
            let mut looks = Looks::new(model.config.embedding);
            looks.push(&of(n + i, &model, spread).2);
            looks
        })
        .collect();
    let one = timed(place, &queries);
    let eight: Vec<f64> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|client| {
                let own: Vec<Looks> = queries.iter().skip(client).step_by(8).cloned().collect();
                scope.spawn(move || timed(place, &own))
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let memory = servers.iter().map(Server::memory).sum::<u64>() / 1_000_000;
    let label = |label: &str| Among::Labels(vec![label.to_owned()]);
    let recalls = [Among::All, label(RARE), label(COMMON)].map(|among| {
        let compared = if n < 1_000_000 { COMPARED } else { COMPARED_OF_MANY };
        recall(&library, &queries[..compared], &among)
    });
    let exact = {
        let begun = Instant::now();
        distances(&library, &queries[0], &Among::All, true);
        begun.elapsed().as_secs_f64() * 1e3
    };
    let size = |what: &str| {
        databases.iter().map(|url| number(url, &format!("SELECT {what}"))).sum::<i64>() / 1_000_000
    };
    let index = size(
        "coalesce(sum(pg_relation_size(c.oid)), 0)::bigint FROM pg_class c WHERE relname LIKE 'near\\_%'",
    );
    let disk = size("pg_database_size(current_database())");
    let own = number(&url, "SELECT pg_database_size(current_database())") / 1_000_000;
    println!(
        "| set | samples | shards | import, samples/s | index, s | query, one client, p50 / p95, ms | eight clients, ms | exact, ms | recall@10: all / 0.1 % / 5 % | server, MB | disk, index of it, library's own database of it, MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    println!(
        "| {set} | {n} | {shards} | {imported:.0} | {indexed:.0} | {:.0} / {:.0} | {:.0} / {:.0} | {exact:.0} | {:.3} / {:.3} / {:.3} | {memory} | {disk}, {index}, {own} |",
        quantile(&one, 0.5),
        quantile(&one, 0.95),
        quantile(&eight, 0.5),
        quantile(&eight, 0.95),
        recalls[0],
        recalls[1],
        recalls[2],
    );
}

/// A sample: its hash, its family, and what it looks like.
fn of(i: usize, model: &Model, spread: Spread) -> (Sha256, u32, Look) {
    let mut rng = ChaCha8Rng::seed_from_u64(i as u64);
    let family = rng.random_range(0..super::large_library::FAMILIES);
    let sha256 = Sha256(rng.random());
    (sha256, family, look(&mut rng, family, model.config.embedding, spread, model.views.is_some()))
}

fn sample(i: usize, model: &Model, spread: Spread) -> WholeSample {
    let (sha256, family, look) = of(i, model, spread);
    let label = match i {
        _ if i % 1000 == 7 => RARE.to_owned(),
        _ if i % 20 == 3 => COMMON.to_owned(),
        _ => format!("family {family}"),
    };
    WholeSample {
        sha256,
        path: format!("{i}.exe").into(),
        size: 1000,
        kind: "PE".to_owned(),
        architecture: Some("x86-64".to_owned()),
        label: Some(GivenLabel { label, source: "/samples".into(), given: None }),
        thumbnail: None,
        facts: None,
        looks: vec![WholeLook {
            model: model.hash,
            embedding: look.embedding,
            seen: look.views.map(|views| views.to_bytes()),
        }],
    }
}

/// Milliseconds of each query, one after the other, of a client that has opened the library.
fn timed(place: &Path, queries: &[Looks]) -> Vec<f64> {
    let library = Library::open(place).unwrap();
    let query = |queries: &Looks| {
        let begun = Instant::now();
        distances(&library, queries, &Among::All, false);
        begun.elapsed().as_secs_f64() * 1e3
    };
    queries.iter().map(query).collect()
}

/// The distances of the nearest.
fn distances(library: &Library, queries: &Looks, among: &Among, exact: bool) -> Vec<f32> {
    let large = library.larger_than(0).unwrap().unwrap();
    let search = Search { queries, k: K, among, exact };
    let contents = large.excerpt(&search, &[], &Reporter::silent()).unwrap().unwrap().contents;
    let found = contents.nearest(queries, &[None], K, among);
    contents.neighbours(&found[0]).iter().map(|near| near.distance).collect()
}

/// The share of the nearest that was found: what is as near as they are is as good.
fn recall(library: &Library, queries: &[Looks], among: &Among) -> f64 {
    let (mut good, mut all) = (0, 0);
    for query in queries {
        let expected = distances(library, query, among, true);
        let farthest = expected.last().copied().unwrap_or_default() + 1e-6;
        let found = distances(library, query, among, false);
        good += found.iter().filter(|distance| **distance <= farthest).count().min(expected.len());
        all += expected.len();
    }
    good as f64 / all as f64
}

fn quantile(times: &[f64], at: f64) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * at).round() as usize]
}

fn number(url: &str, what: &str) -> i64 {
    postgres::Client::connect(url, postgres::NoTls).unwrap().query_one(what, &[]).unwrap().get(0)
}
