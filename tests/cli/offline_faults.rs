//! Faults of a team's library: programs and servers that are killed, a network that is cut, a disk that is full, versions that differ.
//! What was acknowledged is never lost, and is there once.

use crate::common::sample;
use crate::home::Home;
use crate::offline::{history, json_lines, label, samples, team, team_with_copy, waiting};
use crate::postgres_server::Server;
use crate::proxy::{Cut, Proxy};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Runs the program, kills it after a time, and returns what it had printed, and whether it had ended well before.
fn killed(home: &Home, arguments: &[&str], after: Duration) -> (String, bool) {
    let out = tempfile::NamedTempFile::new().unwrap();
    let mut command = home.command(arguments);
    command.stdout(out.reopen().unwrap()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    std::thread::sleep(after);
    drop(child.kill());
    let well = child.wait().unwrap().success();
    (std::fs::read_to_string(out.path()).unwrap(), well)
}

/// When to kill a program, so that about half of its runs end before that, however busy the machine is.
struct Moment(Duration);

impl Moment {
    /// Kills a run at random, and learns from it. Returns what it had printed, and whether it was killed.
    fn kill(&mut self, home: &Home, random: &mut ChaCha8Rng, arguments: &[&str]) -> (String, bool) {
        let (said, well) = killed(home, arguments, self.0.mul_f64(random.random_range(0.5..1.5)));
        self.0 = self.0.mul_f64(if well { 0.85 } else { 1.15 });
        (said, !well)
    }
}

/// Counts rows by a query.
fn count(url: &str, sql: &str) -> i64 {
    postgres::Client::connect(url, postgres::NoTls).unwrap().query_one(sql, &[]).unwrap().get(0)
}

/// Each sample is there once, and was added once.
fn each_is_there_once(url: &str, expected: i64) {
    assert_eq!(count(url, "SELECT count(*) FROM lookalike.samples WHERE NOT removed"), expected);
    let twice = "SELECT count(*) FROM (SELECT FROM lookalike.removals WHERE NOT removed GROUP BY sample HAVING count(*) <> 1) t";
    assert_eq!(count(url, twice), 0);
    let lacking = "SELECT count(*) FROM lookalike.samples s WHERE NOT EXISTS (SELECT FROM lookalike.looks l WHERE l.sample = s.id)";
    assert_eq!(count(url, lacking), 0);
}

#[test]
fn a_program_killed_with_a_full_queue_loses_nothing_and_sends_nothing_twice() {
    let home = Home::with_known();
    let (server, url) = team_with_copy(&home);
    let all = samples(&home, &url);
    let mut random = ChaCha8Rng::seed_from_u64(15);
    let first = Duration::from_millis(200);
    let (mut writing, mut adding, mut sending) = (Moment(first), Moment(5 * first), Moment(first));
    let mut labels: BTreeMap<String, (String, bool)> = BTreeMap::new();
    let mut added: BTreeSet<String> = BTreeSet::new();
    let (mut kills, mut written) = (0, 0);
    for cycle in 0..3 {
        server.kill();
        for round in 0..24 {
            if round % 6 == 5 {
                let folder = format!("new{cycle}-{round}");
                home.write(&format!("{folder}/fresh/x.bin"), sample(13, 4 + 24 * cycle + round));
                let arguments = ["index", &folder, "--library", &url, "--json"];
                let (said, was) = adding.kill(&home, &mut random, &arguments);
                kills += usize::from(was);
                let lines = json_lines(&said);
                let new = lines.iter().filter(|line| line["event"] == "added");
                added.extend(new.map(|line| line["sha256"][0].as_str().unwrap().to_owned()));
                continue;
            }
            let (sample, name) = (&all[random.random_range(0..all.len())][0], format!("c{cycle}r{round}"));
            let arguments = ["library", "label", sample, "--label", &name, "--library", &url, "--json"];
            let (said, was) = writing.kill(&home, &mut random, &arguments);
            kills += usize::from(was);
            let acknowledged =
                json_lines(&said).iter().any(|line| line["changed"] == 1 && line["kept"] == true);
            written += usize::from(acknowledged);
            labels.insert(name, (sample.clone(), acknowledged));
        }
        server.restart();
        for _ in 0..12 {
            let (_, was) = sending.kill(&home, &mut random, &["library", "send", &url]);
            kills += usize::from(was);
        }
    }
    let said = home.run(&["library", "send", &url]);
    assert!(!said.contains("did not take") && waiting(&home, &url).is_empty(), "{said}");
    println!("{kills} kills; {written} labels and {} samples were acknowledged", added.len());
    assert!(kills >= 30 && written >= 10 && !added.is_empty());
    for (name, (sample, acknowledged)) in &labels {
        let there = history(&home, &url, sample).iter().filter(|change| change["after"] == **name).count();
        assert!(
            there <= 1 && (there == 1 || !acknowledged),
            "{name}: {there} times, acknowledged: {acknowledged}"
        );
    }
    let now = samples(&home, &url);
    assert!(added.iter().all(|sample| now.iter().any(|row| row[0] == *sample && row[1] == "fresh")));
    each_is_there_once(&url, now.len() as i64);
    // The copy has what the server has.
    server.kill();
    assert_eq!(samples(&home, &url), now);
}

#[test]
fn two_analysts_send_at_once_and_everything_is_there_once() {
    let home = Home::with_known();
    let (server, url) = team_with_copy(&home);
    let other = Home::empty();
    other.run(&["library", "keep", &url]);
    let all = samples(&home, &url);
    let mut wanted = BTreeMap::new();
    server.kill();
    for (number, analyst) in [&home, &other].into_iter().enumerate() {
        for (at, row) in all.iter().enumerate().take(12) {
            // Half of the samples are labelled by both.
            if at < 6 || at % 2 == number {
                let name = format!("a{number}s{at}");
                assert!(label(analyst, &url, &row[0], &name).well);
                wanted.insert(name, row[0].clone());
            }
        }
        // Files 0 to 7 and 4 to 11.
        for file in 4 * number..4 * number + 8 {
            analyst.write(&format!("new/fresh/{file}.bin"), sample(13, file));
        }
        analyst.run(&["index", "new", "--library", &url]);
    }
    server.restart();
    std::thread::scope(|scope| {
        for analyst in [&home, &other] {
            for _ in 0..2 {
                scope.spawn(|| analyst.run(&["library", "send", &url]));
            }
        }
    });
    for analyst in [&home, &other] {
        assert!(waiting(analyst, &url).is_empty());
    }
    each_is_there_once(&url, 36 + 12);
    for (name, sample) in &wanted {
        let changes = history(&home, &url, sample);
        assert_eq!(
            changes.iter().filter(|change| change["after"] == **name).count(),
            1,
            "{name}: {changes:?}"
        );
    }
    let fresh = "SELECT count(*) FROM lookalike.label_changes WHERE after = 'fresh'";
    assert_eq!(count(&url, fresh), 12);
    // Both see the same.
    assert_eq!(samples(&home, &url), samples(&other, &url));
}

/// A folder of more files than one transaction has.
fn many(home: &Home) -> i64 {
    for file in 0..300 {
        home.write(&format!("many/f{}/{file}.bin", file % 3), &sample(13, file)[..900 + file]);
    }
    300
}

/// The samples that a run of `index --json` acknowledged.
fn acknowledged(said: &str) -> BTreeSet<String> {
    let lines = json_lines(said);
    let added = lines.iter().filter(|line| line["event"] == "added");
    added
        .flat_map(|line| line["sha256"].as_array().unwrap())
        .map(|hash| hash.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_server_killed_during_an_import_has_what_it_acknowledged() {
    let home = Home::empty();
    let files = many(&home);
    let server = Server::start_durable();
    let url = server.database();
    let mut there = BTreeSet::new();
    for round in 0..4 {
        let run = std::thread::scope(|scope| {
            let run = scope.spawn(|| home.try_run(&["index", "many", "--library", &url, "--json"]));
            // Once a part is there, or all of it.
            let begun = Instant::now();
            let enough = |client: &mut postgres::Client| {
                let count = client.query_one("SELECT count(*) FROM lookalike.samples", &[]);
                count.is_ok_and(|row| row.get::<_, i64>(0) >= 100 * (round + 1))
            };
            let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
            while !run.is_finished() && begun.elapsed() < Duration::from_secs(120) && !enough(&mut client) {
                std::thread::sleep(Duration::from_millis(5));
            }
            server.kill();
            run.join().unwrap()
        });
        there.extend(acknowledged(&run.text));
        assert!(run.well || run.text.contains("expected a "), "{}", run.text);
        server.restart();
        let now: BTreeSet<String> = samples(&home, &url).into_iter().map(|[hash, _]| hash).collect();
        assert!(there.is_subset(&now), "{} acknowledged, {} there", there.len(), now.len());
    }
    home.run(&["index", "many", "--library", &url]);
    each_is_there_once(&url, files);
}

#[test]
fn a_network_that_is_cut_is_noticed_and_what_is_changed_waits() {
    let home = Home::with_known();
    let (server, direct) = team(&home);
    let proxy = Proxy::before(&server.socket());
    let url = proxy.url("owner", direct.rsplit('/').next().unwrap());
    home.run(&["library", "keep", &url]);
    let all = samples(&home, &url);
    for (number, cut) in [Cut::Both, Cut::ToServer, Cut::ToClients].into_iter().enumerate() {
        proxy.cut(cut);
        let (begun, before) = (Instant::now(), proxy.connections());
        let name = format!("cut{number}");
        let run = label(&home, &url, &all[number][0], &name);
        assert!(run.well && run.text.contains("cannot be reached"), "{cut:?}: {}", run.text);
        // It was tried, and given up after the two seconds that the URL says.
        let took = begun.elapsed();
        assert!(
            proxy.connections() > before && took > Duration::from_secs(2) && took < Duration::from_secs(8),
            "{took:?}"
        );
        proxy.cut(Cut::Nowhere);
        assert!(home.run(&["library", "send", &url]).contains("1 change sent"));
        let changes = history(&home, &direct, &all[number][0]);
        assert_eq!(changes.iter().filter(|change| change["after"] == *name).count(), 1);
    }
    // Without a copy it is said, in one line.
    proxy.cut(Cut::ToClients);
    let run = Home::empty().try_run(&["library", "models", "--library", &url]);
    assert!(!run.well && run.text.contains("a PostgreSQL server that answers"), "{}", run.text);
}

#[test]
fn a_network_that_is_cut_during_an_import_or_while_sending_loses_nothing() {
    let home = Home::with_known();
    let files = many(&home);
    let (server, direct) = team(&home);
    let proxy = Proxy::before(&server.socket());
    let url = proxy.url("owner", direct.rsplit('/').next().unwrap());
    home.run(&["library", "keep", &url]);
    let mut there = BTreeSet::new();
    let mut cuts = 0;
    for bytes in [40_000, 300_000, 700_000] {
        proxy.cut_after(bytes);
        let begun = Instant::now();
        let run = home.try_run(&["index", "many", "--library", &url, "--json"]);
        there.extend(acknowledged(&run.text));
        if !run.well {
            cuts += 1;
            assert!(run.text.contains("expected a connection to the server"), "{}", run.text);
        }
        assert!(begun.elapsed() < Duration::from_secs(120));
        proxy.cut(Cut::Nowhere);
        let now: BTreeSet<String> = samples(&home, &direct).into_iter().map(|[hash, _]| hash).collect();
        assert!(there.is_subset(&now));
    }
    assert!(cuts > 0);
    home.run(&["index", "many", "--library", &url]);
    // What is sent later, with the network cut in the middle of it, after ever more.
    proxy.cut(Cut::Both);
    for file in 0..200 {
        home.write(&format!("later/fresh/{file}.bin"), &sample(7, 100 + file)[..1200 + file]);
    }
    let run = home.try_run(&["index", "later", "--library", &url]);
    assert!(run.well && run.text.contains("200 samples added"), "{}", run.text);
    for bytes in [5_000, 100_000, 250_000, 400_000] {
        proxy.cut(Cut::Nowhere);
        proxy.cut_after(bytes);
        let run = home.try_run(&["library", "send", &url]);
        let left = waiting(&home, &url).len();
        assert_eq!(run.well, left == 0, "{left}: {}", run.text);
    }
    proxy.cut(Cut::Nowhere);
    home.run(&["library", "send", &url]);
    assert!(waiting(&home, &url).is_empty());
    each_is_there_once(&direct, 36 + files + 200);
    assert_eq!(count(&direct, "SELECT count(*) FROM lookalike.label_changes WHERE after = 'fresh'"), 200);
    // The parts of it are one edit.
    let edits = json_lines(&home.run(&["library", "edits", "--library", &url, "--json"]));
    assert!(edits.iter().any(|edit| edit["added"] == 200), "{edits:?}");
}

#[test]
fn a_full_disk_of_the_server_loses_nothing() {
    let home = Home::with_known();
    let server = Server::start_on_a_small_disk();
    let direct = server.database();
    let database = direct.rsplit('/').next().unwrap();
    home.run(&["index", "known/alpha", "--library", &direct]);
    let proxy = Proxy::before(&server.socket());
    let url = proxy.url("owner", database);
    home.run(&["library", "keep", &url]);
    let before = samples(&home, &url);
    server.fill(database);
    let run = home.try_run(&["index", "known", "--library", &url]);
    assert!(!run.well && run.text.contains("a server with free disk space"), "{}", run.text);
    assert_eq!(samples(&home, &url), before);
    // What waits is not taken, and waits on.
    proxy.cut(Cut::Both);
    assert!(
        home.run(&["index", "known/beta", "known/gamma", "--library", &url]).contains("24 samples added")
    );
    proxy.cut(Cut::Nowhere);
    let run = home.try_run(&["library", "send", &url]);
    assert!(run.well && run.text.contains("a server with free disk space"), "{}", run.text);
    assert_eq!(waiting(&home, &url).len(), 1);
    assert_eq!(samples(&home, &direct), before);
    server.sql(database, "DROP TABLE public.ballast");
    assert!(home.run(&["library", "send", &url]).contains("1 change sent; nothing waits any more"));
    each_is_there_once(&direct, 36);
}

#[test]
fn two_versions_on_one_schema_lose_nothing() {
    let home = Home::with_known();
    let (server, owner) = team(&home);
    let database = owner.rsplit('/').next().unwrap();
    server.sql(database, include_str!("../../packaging/postgresql/roles.sql"));
    server.sql(database, "CREATE ROLE carl2 LOGIN; GRANT lookalike_contributor TO carl2");
    let url = server.url("carl2", database);
    home.run(&["library", "keep", &url]);
    let first = samples(&home, &url)[0][0].clone();
    server.kill();
    assert!(label(&home, &url, &first, "delta").well);
    server.restart();
    // A schema of a later program: this one does not touch it, and what waits is kept.
    let version =
        |version: u32| server.sql(database, &format!("UPDATE lookalike.library SET version = {version}"));
    version(99);
    let run = home.try_run(&["library", "send", &url]);
    assert!(
        !run.well && run.text.contains("the library has version 99; this program reads version "),
        "{}",
        run.text
    );
    assert_eq!(waiting(&home, &url).len(), 1);
    // One of an earlier program, which only the owner migrates.
    server.sql(database, "DROP TABLE lookalike.received");
    version(3);
    let run = home.try_run(&["library", "send", &url]);
    assert!(!run.well && run.text.contains("a role that may migrate it from version 3"), "{}", run.text);
    assert_eq!(waiting(&home, &url).len(), 1);
    home.run(&["library", "models", "--library", &owner]);
    assert!(home.run(&["library", "send", &url]).contains("1 change sent"));
    let changes: Vec<Value> = history(&home, &owner, &first);
    assert_eq!(
        changes.iter().filter(|change| change["after"] == "delta" && change["who"] == "carl2").count(),
        1
    );
    each_is_there_once(&owner, 36);
}
