//! A team's library while its server cannot be reached: the copy answers, and what is changed waits and is sent later, once each.

use crate::common::sample;
use crate::home::{Home, Run};
use crate::postgres_server::Server;
use serde_json::Value;

/// A server that can be killed, with the library of the files of `known`, and its URL.
pub fn team(home: &Home) -> (Server, String) {
    let server = Server::start_durable();
    let url = server.database();
    home.run(&["index", "known", "--library", &url]);
    (server, url)
}

/// The same with a copy on this machine.
pub fn team_with_copy(home: &Home) -> (Server, String) {
    let (server, url) = team(home);
    let said = home.run(&["library", "keep", &url]);
    assert!(said.contains("A copy of") && said.contains("36 samples, 36 read now"), "{said}");
    (server, url)
}

pub fn json_lines(printed: &str) -> Vec<Value> {
    printed.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// SHA-256 and label of each sample, in the order of hashes.
pub fn samples(home: &Home, library: &str) -> Vec<[String; 2]> {
    home.run(&["export", "--library", library, "--out", "samples.csv"]);
    let table = std::fs::read_to_string(home.at("samples.csv")).unwrap();
    let cells = |line: &str| {
        let mut cells = line.split(',').map(str::to_owned);
        [cells.next().unwrap(), cells.next().unwrap()]
    };
    let mut rows: Vec<[String; 2]> = table.lines().skip(1).map(cells).collect();
    rows.sort();
    rows
}

/// The lines of a sample's history.
pub fn history(home: &Home, library: &str, sample: &str) -> Vec<Value> {
    json_lines(&home.run(&["library", "history", sample, "--library", library, "--json"]))
}

/// What waits in the copy.
pub fn waiting(home: &Home, url: &str) -> Vec<Value> {
    json_lines(&home.run(&["library", "send", url, "--list", "--json"]))
}

pub fn label(home: &Home, url: &str, sample: &str, label: &str) -> Run {
    home.try_run(&["library", "label", sample, "--label", label, "--library", url])
}

const AWAY: &str = "cannot be reached: answers are from the copy of 20";
const KEPT: &str = "what was changed is kept on this machine, and sent when";

#[test]
fn the_copy_answers_and_what_is_changed_is_sent_later() {
    let home = Home::with_known();
    let (server, url) = team_with_copy(&home);
    let query = |arguments: &[&str]| {
        home.run(&[&["query", "known/gamma", "--library", &url, "-k", "3"], arguments].concat())
    };
    let nearest = |printed: &str| -> Vec<Value> {
        json_lines(printed).iter().map(|line| line["neighbours"].clone()).collect()
    };
    let before = query(&["--json"]);
    assert!(!before.contains(AWAY) && json_lines(&before)[0]["from_copy"].is_null());
    let all = samples(&home, &url);
    // Only the user can look into the folder of copies.
    let folder = std::fs::metadata(home.at("data/lookalike/copies")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&folder.permissions()) & 0o777, 0o700);
    server.kill();
    let said = query(&[]);
    assert!(said.contains(AWAY) && said.contains("UTC, less than a minute old"), "{said}");
    assert_eq!(said.matches(AWAY).count(), 1);
    let after = query(&["--json"]);
    assert_eq!(nearest(&before), nearest(&after));
    assert_eq!(json_lines(&after)[0]["from_copy"]["minutes"], 0);
    assert_eq!(samples(&home, &url), all);
    home.run(&["map", "--library", &url, "--csv", "map.csv", "--method", "pca"]);
    // What only the server can do says so.
    let said = home.try_run(&["library", "rename-model", "Base model", "ours", "--library", &url]);
    assert!(
        !said.well && said.text.contains("giving a model another name needs the server"),
        "{}",
        said.text
    );

    let [first, second, third] = [&all[0][0], &all[1][0], &all[2][0]];
    let said = label(&home, &url, first, "delta");
    assert!(
        said.well && said.text.contains(KEPT) && said.text.contains("1 sample changed label"),
        "{}",
        said.text
    );
    home.write("new/epsilon/x.bin", sample(13, 4));
    let said = home.run(&["index", "new", "--library", &url]);
    assert!(said.contains("1 sample added") && said.contains(KEPT), "{said}");
    assert!(home.run(&["library", "remove", second, "--library", &url]).contains(KEPT));
    home.run(&["library", "rename-label", "gamma", "omega", "--library", &url]);
    // One that is undone sends nothing; its number is below zero.
    label(&home, &url, third, "wrong");
    let edits = home.run(&["library", "edits", "--library", &url]);
    assert!(edits.lines().filter(|line| line.trim_start().starts_with('-')).count() == 5, "{edits}");
    assert!(home.run(&["library", "undo", "--library", &url]).contains("Undone: label wrong on 1 sample"));
    assert_eq!(waiting(&home, &url).len(), 4);
    let here = samples(&home, &url);
    assert_eq!(here.len(), 36);
    let given = json_lines(&home.run(&["library", "edits", "--library", &url, "--json"]));
    let given = given.last().unwrap()["at"].clone();

    std::thread::sleep(std::time::Duration::from_millis(1500));
    server.restart();
    // The next command that reaches the server sends them.
    let said = query(&[]);
    assert!(
        said.contains("4 changes that had waited on this machine were sent") && !said.contains(AWAY),
        "{said}"
    );
    assert!(waiting(&home, &url).is_empty());
    assert_eq!(samples(&home, &url), here);
    let changes = history(&home, &url, first);
    let delta: Vec<&Value> = changes.iter().filter(|change| change["after"] == "delta").collect();
    assert_eq!(delta.len(), 1);
    // When it was done, and who the server knows.
    assert_eq!((&delta[0]["at"], &delta[0]["who"]), (&given, &"owner".into()));
    assert!(history(&home, &url, third).iter().all(|change| change["after"] != "wrong"));
    let edits = home.run(&["library", "edits", "--library", &url]);
    assert!(
        edits.contains("rename gamma to omega (12 samples)") && edits.contains("remove 1 sample"),
        "{edits}"
    );
    assert!(edits.contains("add 1 sample from new (epsilon)"), "{edits}");
    // Sent again, nothing happens.
    assert!(home.run(&["library", "send", &url]).contains("Nothing waits to be sent"));
    // A refreshed copy is what the server has.
    assert!(home.run(&["library", "keep", &url]).contains("36 samples, 0 read now"));
    server.kill();
    assert_eq!(samples(&home, &url), here);
}

#[test]
fn a_copy_is_refreshed_with_what_others_changed_and_is_not_forgotten_with_what_waits() {
    let home = Home::with_known();
    let (server, url) = team_with_copy(&home);
    let all = samples(&home, &url);
    label(&home, &url, &all[0][0], "delta");
    home.run(&["library", "label", &all[1][0], "--library", &url]);
    home.run(&["library", "remove", &all[2][0], "--library", &url]);
    home.write("new/epsilon/x.bin", sample(13, 4));
    home.run(&["index", "new", "--library", &url]);
    let there = samples(&home, &url);
    server.kill();
    assert_eq!(samples(&home, &url), all);
    server.restart();
    assert!(home.run(&["library", "keep", &url]).contains("36 samples, 1 read now"));
    server.kill();
    assert_eq!(samples(&home, &url), there);
    // What waits is not removed without a word.
    label(&home, &url, &all[0][0], "kept");
    let said = home.try_run(&["library", "keep", &url, "--forget"]);
    assert!(
        !said.well && said.text.contains("found 1 change that the server lacks; nothing was removed"),
        "{}",
        said.text
    );
    assert_eq!(waiting(&home, &url).len(), 1);
    let said = home.run(&["library", "keep", &url, "--forget", "--unsent"]);
    assert!(said.contains("with 1 change that the server lacks"), "{said}");
    let said = home.try_run(&["query", "known", "--library", &url]);
    assert!(!said.well && said.text.contains("a PostgreSQL server that answers"), "{}", said.text);
    assert!(std::fs::read_dir(home.at("data/lookalike/copies")).unwrap().next().is_none());
}

#[test]
fn what_the_server_does_not_take_stays_and_holds_up_nothing_else() {
    let home = Home::with_known();
    let (server, url) = team_with_copy(&home);
    let all = samples(&home, &url);
    server.kill();
    for (at, name) in [(0, "gone"), (1, "fine"), (2, "earlier")] {
        assert!(label(&home, &url, &all[at][0], name).well);
    }
    std::thread::sleep(std::time::Duration::from_millis(1500));
    server.restart();
    // Meanwhile others removed one sample, and labelled another.
    let other = Home::empty();
    other.run(&["library", "remove", &all[0][0], "--library", &url]);
    assert!(label(&other, &url, &all[2][0], "later").well);
    let said = home.try_run(&["library", "send", &url]);
    assert!(
        said.well && said.text.contains("the server did not take 1 change that waits on this machine"),
        "{}",
        said.text
    );
    assert!(
        said.text.contains("is not in the library")
            && said.text.contains("2 changes sent; 1 change waits on"),
        "{}",
        said.text
    );
    assert!(said.text.contains("1 sample was changed later by others, and left so"), "{}", said.text);
    let now = samples(&home, &url);
    let of = |sample: &str| now.iter().find(|row| row[0] == sample).map(|row| row[1].clone());
    assert_eq!(
        [of(&all[0][0]), of(&all[1][0]), of(&all[2][0])],
        [None, Some("fine".to_owned()), Some("later".to_owned())]
    );
    // The history has the earlier one too.
    let changes = history(&home, &url, &all[2][0]);
    let earlier = changes.iter().find(|change| change["after"] == "earlier").unwrap();
    assert_eq!(earlier["undone"], true);
    let left = waiting(&home, &url);
    assert!(left.len() == 1 && left[0]["refused"].as_str().unwrap().contains("is not in the library"));
    // It is taken back by its number, also while the server answers.
    let number = left[0]["edit"].to_string();
    assert!(home.run(&["library", "undo", &number, "--library", &url]).contains("Undone: label gone"));
    assert!(waiting(&home, &url).is_empty());
}

#[test]
fn a_reader_cannot_change_the_copy_either_and_who_may_no_longer_is_told() {
    let home = Home::with_known();
    let (server, url) = team(&home);
    let database = url.rsplit('/').next().unwrap();
    server.sql(database, include_str!("../../packaging/postgresql/roles.sql"));
    server.sql(database, "CREATE ROLE rita LOGIN; GRANT lookalike_reader TO rita; CREATE ROLE carl LOGIN; GRANT lookalike_contributor TO carl");
    let (rita, carl) = (server.url("rita", database), server.url("carl", database));
    home.run(&["library", "keep", &rita]);
    home.run(&["library", "keep", &carl]);
    let first = samples(&home, &rita)[0][0].clone();
    server.kill();
    let said = label(&home, &rita, &first, "x");
    assert!(
        !said.well && said.text.contains("your role may read this library and not change it"),
        "{}",
        said.text
    );
    assert!(label(&home, &carl, &first, "x").well);
    server.restart();
    server.sql(database, "REVOKE lookalike_contributor FROM carl; GRANT lookalike_reader TO carl");
    let said = home.try_run(&["library", "send", &carl]);
    assert!(said.well && said.text.contains("your role may read this library"), "{}", said.text);
    assert_eq!(waiting(&home, &carl).len(), 1);
    server.sql(database, "GRANT lookalike_contributor TO carl");
    assert!(home.run(&["library", "send", &carl]).contains("1 change sent; nothing waits any more"));
    let changes = history(&home, &url, &first);
    assert_eq!(changes.iter().filter(|change| change["after"] == "x" && change["who"] == "carl").count(), 1);
}
