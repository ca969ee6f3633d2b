//! A team's library on three servers, through the command line; and several programs that index into one library at once.

use crate::home::Home;
use crate::postgres_server::{Server, server, three_servers};
use crate::team::{answers, answers_of, comparable, fails};
use serde_json::Value;

/// Programs that index at once.
const PROGRAMS: usize = 8;

/// An empty database, for a library with these databases as shards.
fn sharded(home: &Home, shards: &[String]) -> String {
    let url = server().database();
    let said = shard(home, &url, shards);
    assert!(said.contains("The library has 3 shards; no samples had to be sent there"), "{said}");
    url
}

fn shard(home: &Home, url: &str, shards: &[String]) -> String {
    home.run(&arguments(url, shards))
}

fn arguments<'a>(url: &'a str, shards: &'a [String]) -> Vec<&'a str> {
    let to = shards.iter().flat_map(|shard| ["--to", shard]);
    ["library", "shard", "--library", url].into_iter().chain(to).collect()
}

fn databases() -> [String; 3] {
    three_servers().each_ref().map(|server| server.database())
}

/// The shard of a sample, of three.
fn shard_of(sha256: &str) -> u16 {
    u16::from_str_radix(&sha256[..4], 16).unwrap() % 3
}

#[test]
fn a_server_that_is_killed_costs_its_share_of_the_answers_and_nothing_is_lost() {
    let home = Home::with_known();
    let third = Server::start_durable();
    let [first, second, _] = three_servers();
    let url = sharded(&home, &[first.database(), second.database(), third.database()]);
    home.run(&["index", "known", "--library", &url]);
    home.run(&["index", "known", "--library", "l.lookalike"]);
    let expected = comparable(&answers(&home, "l.lookalike"));
    assert_eq!(comparable(&answers(&home, &url)), expected);

    third.kill();
    let asked = ["query", "known", "--library", &url, "-k", "40"];
    let said = home.run(&asked);
    const LESS: &str =
        "1 of 3 shards of the library cannot be read, so about 33 % of its samples were not compared";
    assert_eq!(said.matches(LESS).count(), 1, "{said}");
    assert!(said.contains("expected a PostgreSQL server that answers"), "{said}");
    let printed = home.run(&[&asked[..], &["--json"]].concat());
    let lines: Vec<&str> = printed.lines().filter(|line| line.starts_with('{')).collect();
    let answers_now = answers_of(&lines.join("\n"));
    assert_eq!(answers_now.len(), 36);
    let mut found: Vec<&str> = answers_now
        .iter()
        .flat_map(|answer| answer["neighbours"].as_array().unwrap())
        .map(|near| near["sha256"].as_str().unwrap())
        .collect();
    found.sort_unstable();
    found.dedup();
    let all = answers_now.iter().map(|answer| answer["sha256"].as_str().unwrap());
    let mut here: Vec<&str> = all.filter(|sha256| shard_of(sha256) != 2).collect();
    here.sort_unstable();
    assert!(here.len() < 36 && !here.is_empty());
    assert_eq!(found, here);
    let missing = &answers_now[0]["missing"];
    assert_eq!((&missing["shards"], &missing["of"], &missing["percent"]), (&1.into(), &3.into(), &33.into()));
    assert!(home.run(&["export", "--library", &url, "--out", "x.csv"]).contains(LESS));
    assert_eq!(std::fs::read_to_string(home.at("x.csv")).unwrap().lines().count(), here.len() + 1);

    // What needs the shard fails in one line and changes nothing; labels and history do not need it.
    home.write("new/delta/x.bin", crate::common::sample(13, 4));
    const NEEDED: &str = "shard 3 of 3 of the library is needed for this, and fails";
    for arguments in [
        &["index", "new", "--library", &url][..],
        &["library", "check", "--library", &url],
        &["library", "copy", &url, "copy.lookalike"],
        &["library", "prepare", "--library", &url],
    ] {
        let run = home.try_run(arguments);
        let last = run.text.trim_end().lines().last().unwrap();
        assert!(!run.well && last.contains(NEEDED), "{arguments:?}: {}", run.text);
    }
    home.run(&["library", "label", found[0], "--label", "epsilon", "--library", &url]);
    home.run(&["library", "undo", "--library", &url]);

    third.restart();
    let said = home.run(&["library", "check", "--library", &url]);
    assert!(said.contains("is whole: 36 samples"), "{said}");
    let now = answers(&home, &url);
    assert!(now.iter().all(|answer| answer["missing"].is_null()));
    assert_eq!(comparable(&now), expected);
    home.run(&["index", "new", "--library", &url]);
    assert!(home.run(&["library", "check", "--library", &url]).contains("is whole: 37 samples"));
}

#[test]
fn a_library_that_has_samples_is_spread_over_servers() {
    let home = Home::with_known();
    let url = server().database();
    home.run(&["index", "known", "--library", &url]);
    let before = answers(&home, &url);
    let history = home.run(&["library", "history", "--library", &url]);
    let shards = databases();
    // Interrupted after two of them, it is as it was, and goes on later.
    let gone = [shards[0].clone(), shards[1].clone(), format!("{}x", shards[2])];
    fails(&home.try_run(&arguments(&url, &gone)), "a database of this name");
    assert_eq!(comparable(&answers(&home, &url)), comparable(&before));
    let said = shard(&home, &url, &shards);
    assert!(said.contains("The library has 3 shards; 36 samples sent there"), "{said}");
    assert_eq!(comparable(&answers(&home, &url)), comparable(&before));
    assert_eq!(home.run(&["library", "history", "--library", &url]), history);
    assert!(home.run(&["library", "check", "--library", &url]).contains("is whole: 36 samples"));
    assert!(shard(&home, &url, &shards).contains("no samples had to be sent there"));
    let said = home.run(&["library", "prepare", "--library", &url]);
    assert!(said.contains("The index was made, of 36 samples"), "{said}");
    home.run(&["map", "--library", &url, "--csv", "map.csv"]);
    assert_eq!(std::fs::read_to_string(home.at("map.csv")).unwrap().lines().count(), 37);
    // Into a file and back into another library with shards.
    home.run(&["library", "copy", &url, "back.lookalike"]);
    assert_eq!(comparable(&answers(&home, "back.lookalike")), comparable(&before));
    let other = sharded(&home, &databases());
    assert!(home.run(&["library", "copy", "back.lookalike", &other]).contains("All 36 were read back"));
    assert_eq!(comparable(&answers(&home, &other)), comparable(&before));

    // What cannot be done is said in one line.
    let mut fewer = shards.to_vec();
    fewer.pop();
    let refused = |url: &str, shards: &[String], expected: &str| {
        fails(&home.try_run(&arguments(url, shards)), expected);
    };
    refused(&url, &fewer, "expected a library without shards, or with these, found one with 3 shards");
    let empty = server().database();
    refused(&empty, &[shards[0].clone()], "expected an empty database for a shard, found shard 1 of 3");
    refused(&empty, &[other], "found a library of its own, with 36 samples");
    refused(
        &empty,
        std::slice::from_ref(&empty),
        "expected an empty database for a shard, found a library of its own",
    );
    refused(&empty, &[empty.clone(), empty.clone()], "1 of them different");
    refused("l.lookalike", &fewer, "expected the URL of a database");
    refused(&empty, &["postgresql://ada:hunter2@localhost/l".to_owned()], "found one with a password");
    fails(&home.try_run(&["query", "known", "--library", &shards[1]]), "found shard 2 of 3 of the library");
    // A database that is not the shard it should be.
    let [name, stranger] = [&url, &empty].map(|url| url.rsplit('/').next().unwrap());
    server().sql(
        name,
        &format!(
            "UPDATE lookalike.shards SET url = regexp_replace(url, '[^/]*$', '{stranger}') WHERE number = 0"
        ),
    );
    let run = home.try_run(&["index", "known", "--library", &url]);
    assert!(!run.well && run.text.contains("expected shard 1 of 3 of this library"), "{}", run.text);
}

#[test]
fn roles_have_their_part_on_every_server() {
    let home = Home::with_known();
    let shards = databases();
    let url = sharded(&home, &shards);
    home.run(&["index", "known/alpha", "--library", &url]);
    let main = url.rsplit('/').next().unwrap();
    let roles = include_str!("../../packaging/postgresql/roles.sql");
    for (server, database) in three_servers().iter().zip(&shards) {
        server.sql(database.rsplit('/').next().unwrap(), roles);
        for role in ["reader", "contributor"] {
            let sql = format!("CREATE ROLE {role}_{main} LOGIN; GRANT lookalike_{role} TO {role}_{main}");
            server.sql("postgres", &sql);
        }
    }
    server().sql(main, roles);
    let [reader, contributor] =
        ["reader", "contributor"].map(|role| server().url(&format!("{role}_{main}"), main));
    assert_eq!(answers(&home, &reader).len(), 36);
    fails(&home.try_run(&["index", "known", "--library", &reader]), "your role may read");
    assert!(home.run(&["index", "known", "--library", &contributor]).contains("24"));
    assert!(home.run(&["library", "check", "--library", &reader]).contains("36 samples"));
    fails(&home.try_run(&["library", "prepare", "--library", &contributor]), "the role that owns");
    // A user without a role on one server reads which server it is.
    three_servers()[2].sql("postgres", &format!("ALTER ROLE reader_{main} NOLOGIN"));
    let said = home.run(&["query", "known", "--library", &reader]);
    assert!(said.contains("1 of 3 shards of the library cannot be read"), "{said}");
    assert!(said.contains(&format!("expected a server that lets reader_{main} in")), "{said}");
}

/// Indexes the same files from several programs at once, each with one of its own, and returns hashes and labels of the samples.
fn index_at_once(home: &Home, library: &str) -> Vec<String> {
    home.run(&["index", "known/alpha/0.bin", "--library", library]);
    let mut running: Vec<_> = (0..PROGRAMS)
        .map(|program| {
            let own = format!("parts/{program}");
            let mut command = home.command(&["index", &own, "known", "--library", library, "--json"]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in running.drain(..) {
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let said = home.run(&["library", "check", "--library", library]);
    assert!(said.contains(&format!("is whole: {} samples", 36 + PROGRAMS)), "{said}");
    home.run(&["export", "--library", library, "--out", "all.csv"]);
    let table = std::fs::read_to_string(home.at("all.csv")).unwrap();
    let labelled = |line: &str| line.split(',').take(2).collect::<Vec<_>>().join(",");
    let mut samples: Vec<String> = table.lines().skip(1).map(labelled).collect();
    samples.sort_unstable();
    samples.dedup();
    assert_eq!((table.lines().count(), samples.len()), (37 + PROGRAMS, 36 + PROGRAMS));
    // Each sample was added once, by one of them.
    let edits = home.run(&["library", "edits", "--library", library, "--json"]);
    let edits = edits.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(edits.map(|edit| edit["added"].as_u64().unwrap()).sum::<u64>(), 36 + PROGRAMS as u64);
    samples
}

#[test]
fn eight_programs_that_index_at_once_neither_lose_nor_repeat_a_sample() {
    let home = Home::with_known();
    for program in 0..PROGRAMS {
        let bytes = crate::common::sample(13, 20 + program);
        home.write(&format!("parts/{program}/delta/x.bin"), bytes);
    }
    let libraries = ["l.lookalike".to_owned(), server().database(), sharded(&home, &databases())];
    let [file, one, three] = libraries.each_ref().map(|library| index_at_once(&home, library));
    assert_eq!((&one, &three), (&file, &file));
    assert!(file.iter().all(|sample| !sample.ends_with(',')));
}
