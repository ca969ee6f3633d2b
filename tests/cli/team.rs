//! A team's library in PostgreSQL, through the command line: what a file does, a URL does.

use crate::home::{Home, Run};
use crate::postgres_server::{Server, server};
use serde_json::Value;

/// A database with the library of the files of `known`, and its URL.
fn indexed(home: &Home) -> String {
    let url = server().database();
    home.run(&["index", "known", "--library", &url]);
    url
}

fn database(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

pub fn answers(home: &Home, library: &str) -> Vec<Value> {
    answers_of(&home.run(&["query", "known", "--library", library, "--json", "-k", "5"]))
}

pub fn answers_of(printed: &str) -> Vec<Value> {
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["event"] == "answer").collect()
}

/// What says the same whatever keeps the library: all but where samples were read from.
pub fn comparable(answers: &[Value]) -> Vec<String> {
    let answer = |answer: &Value| {
        let near = answer["neighbours"].as_array().unwrap().iter();
        let near: Vec<String> =
            near.map(|near| format!("{} {} {}", near["sha256"], near["distance"], near["label"])).collect();
        format!(
            "{} {} {} {} {near:?}",
            answer["path"], answer["verdict"], answer["probability"], answer["fit"]
        )
    };
    answers.iter().map(answer).collect()
}

pub fn fails(run: &Run, expected: &str) {
    assert!(!run.well && run.text.contains(expected), "{expected}: {}", run.text);
    assert_eq!(run.text.trim_end().lines().count(), 1, "{}", run.text);
}

#[test]
fn a_url_is_a_library_for_every_command() {
    let home = Home::with_known();
    let url = indexed(&home);
    home.run(&["index", "known", "--library", "l.lookalike"]);
    assert_eq!(comparable(&answers(&home, &url)), comparable(&answers(&home, "l.lookalike")));
    // Its samples have names, and no folders of this machine.
    home.run(&["export", "--library", &url, "--out", "all.csv"]);
    let table = std::fs::read_to_string(home.at("all.csv")).unwrap();
    assert!(table.lines().count() == 37 && !table.contains("known"), "{table}");
    home.run(&["map", "--library", &url, "--csv", "map.csv"]);
    assert_eq!(std::fs::read_to_string(home.at("map.csv")).unwrap().lines().count(), 37);

    let sha256 = answers(&home, &url)[0]["sha256"].as_str().unwrap().to_owned();
    home.run(&["library", "label", &sha256, "--label", "delta", "--library", &url]);
    let history = home.run(&["library", "history", &sha256, "--library", &url]);
    // Who it was is what the server knows.
    assert!(history.contains("delta") && history.contains("owner") && !history.contains("ada"), "{history}");
    home.run(&["library", "undo", "--library", &url]);
    home.run(&["library", "remove", &sha256, "--library", &url]);
    assert!(home.run(&["library", "check", "--library", &url]).contains("is whole: 35 samples"));
    home.run(&["library", "undo", "--library", &url]);
    assert!(home.run(&["library", "models", "--library", &url]).contains("Base model"));
    assert!(home.run(&["index", "known", "--library", &url]).contains("36"));
    assert_eq!(comparable(&answers(&home, &url)), comparable(&answers(&home, "l.lookalike")));
    fails(&home.try_run(&["library", "backup", "--out", "b.lookalike", "--library", &url]), "pg_dump");
}

#[test]
fn a_library_is_copied_both_ways_and_again() {
    let home = Home::with_known();
    home.run(&["index", "known", "--library", "l.lookalike"]);
    let url = server().database();
    let said = home.run(&["library", "copy", "l.lookalike", &url]);
    assert!(said.contains("36 samples copied") && said.contains("All 36 were read back"), "{said}");
    assert_eq!(comparable(&answers(&home, &url)), comparable(&answers(&home, "l.lookalike")));
    let again = home.run(&["library", "copy", "l.lookalike", &url, "--json"]);
    let again: Value = serde_json::from_str(again.lines().last().unwrap()).unwrap();
    assert_eq!((&again["new"], &again["there"], &again["verified"]), (&0.into(), &36.into(), &36.into()));
    home.run(&["library", "copy", &url, "back.lookalike"]);
    assert_eq!(comparable(&answers(&home, "back.lookalike")), comparable(&answers(&home, "l.lookalike")));
    // A label says who gave it, and a sample keeps the one it has.
    let sha256 = answers(&home, &url)[0]["sha256"].as_str().unwrap().to_owned();
    let history = home.run(&["library", "history", &sha256, "--library", &url]);
    assert!(history.contains("(ada, 20"), "{history}");
    home.run(&["library", "label", &sha256, "--label", "delta", "--library", "l.lookalike"]);
    let said = home.run(&["library", "copy", "l.lookalike", &url]);
    assert!(said.contains("0 samples copied") && said.contains("1 sample kept the label"), "{said}");
    assert!(!home.run(&["library", "history", &sha256, "--library", &url]).contains("delta"));
}

#[test]
fn a_copy_adds_to_samples_that_another_model_has_embedded() {
    let home = Home::with_library("1");
    home.run(&["index", "known", "--library", "base.lookalike"]);
    let said = home.run(&["library", "copy", "base.lookalike", "l.lookalike"]);
    assert!(said.contains("0 samples copied") && said.contains("All 36 were read back"), "{said}");
    assert_eq!(
        home.run(&["library", "models", "--library", "l.lookalike"]).matches("has embedded 36 of 36").count(),
        2
    );
    // All are embedded by the model that was copied, so it is in use, as after an import.
    assert_eq!(comparable(&answers(&home, "l.lookalike")), comparable(&answers(&home, "base.lookalike")));
    // A library that has other samples keeps its model.
    home.write("new/delta/x.bin", crate::common::sample(13, 4));
    home.run(&["index", "new", "--model", "m.safetensors", "--library", "other.lookalike"]);
    let said = home.run(&["library", "copy", "base.lookalike", "other.lookalike"]);
    assert!(
        said.contains("The library keeps its model") && said.contains("36 samples are not compared"),
        "{said}"
    );
}

#[test]
fn a_copy_that_was_interrupted_goes_on() {
    let home = Home::with_known();
    home.run(&["index", "known", "--library", "l.lookalike"]);
    let url = server().database();
    home.run(&["library", "copy", "l.lookalike", &url]);
    // As if it had ended after a part: half of the samples are not there, and of one a part is missing.
    let database = database(&url);
    server().sql(database, "DELETE FROM lookalike.label_changes; DELETE FROM lookalike.removals; DELETE FROM lookalike.samples WHERE id > 18; DELETE FROM lookalike.thumbnails WHERE sample = 3");
    let said = home.run(&["library", "copy", "l.lookalike", &url]);
    assert!(said.contains("18 samples copied") && said.contains("All 36 were read back"), "{said}");
    // A value that is not as it was sent is found.
    server().sql(database, "UPDATE lookalike.samples SET size = 1 WHERE id = 5");
    fails(&home.try_run(&["library", "copy", "l.lookalike", &url]), "found other values");
}

#[test]
fn each_role_may_do_its_part_and_no_more() {
    let home = Home::with_known();
    let url = indexed(&home);
    let database = database(&url);
    let roles = include_str!("../../packaging/postgresql/roles.sql");
    server().sql(database, roles);
    server().sql(database, roles);
    for role in ["reader", "contributor", "curator"] {
        let of_database = format!("{role}_{database}");
        server().sql(
            database,
            &format!("CREATE ROLE {of_database} LOGIN; GRANT lookalike_{role} TO {of_database}"),
        );
    }
    let url = |role: &str| server().url(&format!("{role}_{database}"), database);
    let (reader, contributor, curator) = (url("reader"), url("contributor"), url("curator"));
    let sha256 = answers(&home, &reader)[0]["sha256"].as_str().unwrap().to_owned();
    let label =
        |url: &str| home.try_run(&["library", "label", &sha256, "--label", "delta", "--library", url]);
    fails(&label(&reader), "your role may read this library and not change it");
    fails(&home.try_run(&["index", "known", "--library", &reader]), "your role may read");
    assert!(label(&contributor).well);
    home.write("new/delta/x.bin", crate::common::sample(13, 4));
    home.run(&["index", "new", "--library", &contributor]);
    home.run(&["map", "--library", &contributor, "--csv", "map.csv"]);
    home.run(&["library", "undo", "--library", &contributor]);
    // What a contributor copies into it needs no more than that.
    home.run(&["train", "known", "--model", "m.safetensors", "--epochs", "1"]);
    home.run(&["index", "known", "--model", "m.safetensors", "--library", "m.lookalike"]);
    assert!(home.run(&["library", "copy", "m.lookalike", &contributor]).contains("All 36 were read back"));
    let rename =
        |url: &str| home.try_run(&["library", "rename-model", "Base model", "ours", "--library", url]);
    fails(&rename(&contributor), "a role that may do this");
    assert!(rename(&curator).well);
    // What is stored cannot be changed by SQL either.
    for sql in [
        "UPDATE lookalike.looks SET seen = NULL",
        "UPDATE lookalike.candidates SET version = 2",
        "UPDATE lookalike.candidate_of SET candidate = 1",
        "DELETE FROM lookalike.samples",
        "UPDATE lookalike.samples SET sha256 = sha256",
        "UPDATE lookalike.label_changes SET who = 'bob'",
        "DROP SCHEMA lookalike CASCADE",
        "CREATE TABLE lookalike.mine (x int)",
    ] {
        let mut client = postgres::Client::connect(&curator, postgres::NoTls).unwrap();
        let refused = client.batch_execute(sql).unwrap_err();
        assert_eq!(refused.code(), Some(&postgres::error::SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }
}

#[test]
fn a_large_library_is_prepared_and_says_that_answers_are_approximate() {
    let home = Home::with_known();
    let url = indexed(&home);
    let prepare = |library: &str| home.run(&["library", "prepare", "--library", library]);
    let said = prepare(&url);
    assert!(said.contains("The index was made, of 36 samples. Queries compare all samples until"), "{said}");
    let query_of = |file: &str, arguments: &[&str]| {
        home.run(&[&["query", file, "--library", &url, "-k", "5"], arguments].concat())
    };
    let query = |arguments: &[&str]| query_of("known/gamma/5.bin", arguments);
    let approximate = |answer: &str| {
        let lines = answer.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["event"] == "answer").any(|line| line["approximate"] == true)
    };
    const MISSED: &str = "Nearer samples may have been missed";
    assert!(!query(&[]).contains(MISSED) && !approximate(&query(&["--json"])));
    // As if 20,000 more files had been added, alike the others.
    server().sql(
        database(&url),
        "INSERT INTO lookalike.samples (sha256, name, size, kind)
             SELECT sha256(i::text::bytea), i::text::bytea, 7, 'other' FROM generate_series(1, 20000) AS i;
         INSERT INTO lookalike.looks SELECT l.model, s.id, l.embedding, l.seen
             FROM lookalike.samples s JOIN lookalike.looks l ON l.sample = 1 + s.id % 36 WHERE s.size = 7",
    );
    let said = prepare(&url);
    assert!(said.contains("already, of 20036 samples; 20000 vectors made for it. Queries use it"), "{said}");
    let again = home.run(&["library", "prepare", "--library", &url, "--json"]);
    assert_eq!(
        serde_json::from_str::<Value>(again.trim()).unwrap(),
        serde_json::json!({ "event": "prepared", "index": true, "exact": false, "samples": 20036, "vectors": 0, "made": false, "used": true })
    );
    assert!(query(&[]).contains(MISSED) && approximate(&query(&["--json"])));
    assert!(!query(&["--exact"]).contains(MISSED) && !approximate(&query(&["--exact", "--json"])));
    // Which of the copies are found may differ.
    let nearest = |arguments: &[&str]| -> Vec<Value> {
        let answer = answers_of(&query(arguments)).pop().unwrap();
        answer["neighbours"].as_array().unwrap().iter().map(|near| near["distance"].clone()).collect()
    };
    assert_eq!(nearest(&["--json"]), nearest(&["--json", "--exact"]));
    // A file that no view sees has no vector.
    assert!(!query_of("known/alpha/0.bin", &[]).contains(MISSED));
    // A small library in a file is read whole.
    home.run(&["index", "known", "--library", "l.lookalike"]);
    assert!(prepare("l.lookalike").contains("Nothing to prepare"));
}

#[test]
fn what_cannot_be_used_is_said_in_one_line() {
    let home = Home::with_known();
    let query = |url: &str| home.try_run(&["query", "known", "--library", url]);
    fails(&query("postgresql://ada:hunter2@localhost/l"), "found one with a password");
    assert!(!query("postgresql://ada:hunter2@localhost/l").text.contains("hunter2"));
    fails(&query("postgresql://localhost"), "one without a database");
    fails(&query("postgresql://ada@127.0.0.1:1/l"), "a PostgreSQL server that answers");
    let url = server().database();
    fails(&query(&server().url("owner", "nothing_here")), "a database of this name");
    fails(&query(&server().url("nobody_known", database(&url))), "a server that lets nobody_known in");
    fails(&query(&url), "a library in this database");
    // A role that may not create a library.
    server().sql(database(&url), &format!("CREATE ROLE guest_{} LOGIN", database(&url)));
    let guest = server().url(&format!("guest_{}", database(&url)), database(&url));
    fails(&home.try_run(&["index", "known", "--library", &guest]), "a role that may create a library");
    // A schema of another program, and one of a later version.
    server().sql(database(&url), "CREATE SCHEMA lookalike; CREATE TABLE lookalike.users (name text)");
    fails(&query(&url), "the schema of another program");
    let later = indexed(&home);
    server().sql(database(&later), "UPDATE lookalike.library SET version = 99");
    fails(&query(&later), "the library has version 99; this program reads version ");
    // Off this machine, a server without TLS is not trusted, whatever the URL says. This one is on it, but asked to.
    fails(&query(&format!("{}?sslmode=require", indexed(&home))), "TLS");
}

#[test]
fn a_server_that_stops_loses_nothing_that_was_acknowledged() {
    let home = Home::with_known();
    let server = Server::start_durable();
    let url = server.database();
    home.run(&["index", "known/alpha", "--library", &url]);
    server.kill();
    fails(&home.try_run(&["query", "known", "--library", &url]), "a PostgreSQL server that answers");
    server.restart();
    assert!(home.run(&["library", "check", "--library", &url]).contains("12 samples"));
    assert!(home.run(&["index", "known", "--library", &url]).contains("24"));
}
