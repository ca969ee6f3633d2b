//! The command line: train, index, query, map and export on a small folder, and bad input.

use crate::common::{corpus, sample};
use crate::home::lookalike;
use std::path::Path;
use std::process::{Command, Output};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The tensors of a safetensors file, without the header, which holds the duration of the training.
fn weights(model: &str) -> Vec<u8> {
    let bytes = std::fs::read(model).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header..].to_vec()
}

/// As on a full disk, writes fail: no file may grow beyond 64 KiB.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    corpus(&folder.path().join("known"));
    let (known, model, library) = (at("known"), at("m.safetensors"), at("l.lookalike"));
    let train = ["train", &known, "--model", &model, "--epochs", "2", "--batch-size", "8"];
    assert!(lookalike(&train).status.success());
    assert!(lookalike(&["index", &known, "--model", &model, "--library", &library]).status.success());
    let before = (std::fs::read(&model).unwrap(), std::fs::read(&library).unwrap());

    // Together more than the write-ahead log may hold.
    for i in 0..40 {
        std::fs::write(at(&format!("known/alpha/new{i}.bin")), sample(3, 60 + i)).unwrap();
    }
    let limited = |arguments: &[&str]| {
        // With the signal ignored, a write beyond the limit fails with EFBIG.
        let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
        let mut command = Command::new("bash");
        command.args(["-c", script, env!("CARGO_BIN_EXE_lookalike")]).args(arguments).output().unwrap()
    };
    for arguments in [&train[..], &["index", &known, "--model", &model, "--library", &library]] {
        let output = limited(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = text(&output.stderr);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.contains("could not be read or written")
                || said.contains("the library failed")
                || said.contains("the library can only be read"),
            "{said}"
        );
    }
    assert!(std::fs::read(&model).unwrap() == before.0, "the model has not changed");
    // SQLite may have left a journal to roll back, so read through it.
    let export = lookalike(&["export", "--library", &library]);
    assert_eq!(text(&export.stdout).lines().count(), 37);
    let integrity: String = rusqlite::Connection::open(&library)
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(integrity, "ok");
}

#[test]
fn from_a_labelled_folder_to_a_table_of_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    corpus(&folder.path().join("known"));
    std::fs::write(folder.path().join("known/alpha/empty.bin"), "").unwrap();

    let (model, library) = (at("m.safetensors"), at("l.lookalike"));
    let train = |out: &str| {
        lookalike(&["train", &at("known"), "--model", out, "--epochs", "12", "--batch-size", "8", "--json"])
    };
    let trained = train(&model);
    assert!(trained.status.success(), "{}", text(&trained.stderr));
    let said = text(&trained.stdout);
    assert!(said.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    assert!(said.contains("recall_at_1") && said.contains("is empty"));
    assert!(train(&at("again")).status.success());
    assert!(weights(&model) == weights(&at("again")), "the same seed gives the same bits");

    let index = || lookalike(&["index", &at("known"), "--model", &model, "--library", &library]);
    assert!(text(&index().stdout).starts_with("36 samples added"));
    assert!(text(&index().stdout).starts_with("0 samples added"), "adding twice changes nothing");

    let asked = at("known/beta/3.bin");
    let csv = at("out.csv");
    let query = lookalike(&["query", &asked, "--library", &library, "-k", "5", "--csv", &csv]);
    assert!(query.status.success(), "{}", text(&query.stderr));
    let mut rows = csv::Reader::from_path(&csv).unwrap();
    let header: Vec<String> = rows.headers().unwrap().iter().map(str::to_owned).collect();
    let contract =
        ["query_path", "query_sha256", "rank", "neighbour_path", "neighbour_sha256", "label", "distance"];
    assert_eq!(header[..7], contract);
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5);
    assert_eq!(&rows[0][5], "beta");
    // The library has this file: it is identical to that sample, which comes first.
    assert_eq!((&rows[0][1], &rows[0][4], &rows[0][6]), (&rows[0][4], &rows[0][1], "0.000000"));
    assert!(rows[0].iter().any(|cell| cell == "identical"));
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(row[1] == row[4], i == 0);
        assert!((0.0..=2.0).contains(&row[6].parse::<f32>().unwrap()));
    }

    // Built without GPU support: a warning, and the same answer.
    let on_gpu = lookalike(&["query", &asked, "--library", &library, "-k", "5", "--device", "gpu"]);
    assert!(on_gpu.status.success());
    let said = text(&on_gpu.stderr);
    assert!(said.starts_with("lookalike: the network is computed on the CPU: expected a GPU"), "{said}");
    let on_cpu = lookalike(&["query", &asked, "--library", &library, "-k", "5", "--device", "cpu"]);
    assert!(text(&on_cpu.stderr).is_empty());
    assert_eq!(text(&on_cpu.stdout), text(&on_gpu.stdout));

    let map = lookalike(&["map", "--library", &library, "--csv", &at("map.csv")]);
    assert!(map.status.success(), "{}", text(&map.stderr));
    assert_eq!(std::fs::read_to_string(at("map.csv")).unwrap().lines().count(), 37);
    let export = lookalike(&["export", "--library", &library, "--format", "csv"]);
    let lines = text(&export.stdout);
    assert_eq!(lines.lines().count(), 37);
    assert!(lines.starts_with("sha256,label,path,size,kind,architecture,x,y"));
}

#[test]
fn bad_input_fails_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir_all(folder.path().join("one/label")).unwrap();
    std::fs::create_dir_all(folder.path().join("empty")).unwrap();
    std::fs::write(folder.path().join("one/label/file"), "content").unwrap();
    std::fs::write(folder.path().join("text"), "not a library, and long enough to be looked at as one")
        .unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&["train", &at("one"), "--model", &at("m")], "at least two labels"),
        (&["train", &at("empty"), "--model", &at("m")], "empty folder"),
        (&["train", &at("no such"), "--model", &at("m")], "found none"),
        (&["query", &at("text"), "--library", &at("none.lookalike")], "expected a library"),
        (&["query", &at("text"), "--library", &at("text")], "expected a Lookalike library"),
        (&["index", &at("one"), "--model", &at("text"), "--library", &at("l")], "expected a model"),
    ];
    for (args, expected) in cases {
        let output = lookalike(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let said = text(&output.stderr);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(expected), "{args:?}: {said}");
    }
    assert!(!Path::new(&at("m")).exists());
    assert_eq!(
        std::fs::read_to_string(at("text")).unwrap().len(),
        53,
        "a file that is not a library is not changed"
    );
    assert_eq!(lookalike(&["train"]).status.code(), Some(2));
}

fn lines(output: &Output) -> Vec<serde_json::Value> {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_model_of_few_batches_is_measured_and_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    corpus(&folder.path().join("known"));
    let (known, model, repaired) = (at("known"), at("m.safetensors"), at("r.safetensors"));
    let train = ["train", &known, "--model", &model, "--epochs", "3", "--batch-size", "16"];
    let slow = ["--stats", "moving", "--momentum", "0.01", "--json"];
    assert!(lookalike(&[&train[..], &slow].concat()).status.success());

    let measure = |model: &str| lines(&lookalike(&["batchnorm", &known, "--model", model, "--json"]));
    let before = measure(&model);
    assert_eq!(before[0]["event"], "modes");
    assert_eq!(before[0]["train_mode"]["files"], 36);
    assert_eq!(before.len(), 5, "the two modes and four layers");
    // Three epochs of 33 files are seven batches of 16.
    assert_eq!(before[1]["batches"], 7);
    assert_eq!(before[1]["channels"].as_array().unwrap().len(), 32);
    assert!(before[1]["log_variance_ratio"].as_f64().unwrap() > 0.5);
    let people = text(&lookalike(&["batchnorm", &known, "--model", &model]).stdout);
    for said in ["train mode", "eval mode", "have seen 7 batches", "batchnorm-repair --model"] {
        assert!(people.contains(said), "{said}: {people}");
    }

    let repair = |stats: &str, out: &str| {
        lookalike(&["batchnorm-repair", &known, "--model", &model, "--stats", stats, "--out", out, "--json"])
    };
    let done = lines(&repair("recompute", &repaired));
    assert_eq!(done[0]["repair"]["what"], "statistics recomputed, weights frozen");
    let after = measure(&repaired);
    assert_eq!(after[0]["severity"], "sound");
    let accuracy = |lines: &[serde_json::Value], mode: &str| lines[0][mode]["accuracy"].as_f64().unwrap();
    assert_eq!(accuracy(&before, "train_mode"), accuracy(&after, "train_mode"), "the weights are the same");
    assert!((accuracy(&after, "train_mode") - accuracy(&after, "eval_mode")).abs() < 0.03);
    // Files need no labels to recompute the statistics: the result is the same as far as the order of the files allows.
    let (plain, blind) = (at("plain"), at("blind.safetensors"));
    std::fs::create_dir(&plain).unwrap();
    for label in std::fs::read_dir(&known).unwrap() {
        let label = label.unwrap().path();
        for file in std::fs::read_dir(&label).unwrap() {
            let file = file.unwrap().path();
            let name =
                format!("{}-{}", label.file_name().unwrap().display(), file.file_name().unwrap().display());
            std::fs::copy(&file, Path::new(&plain).join(name)).unwrap();
        }
    }
    let done = lookalike(&["batchnorm-repair", &plain, "--model", &model, "--out", &blind]);
    assert!(
        text(&done.stdout).contains("36 files, none with a label that the model knows"),
        "{}",
        text(&done.stdout)
    );
    let after = measure(&blind);
    assert!((accuracy(&after, "train_mode") - accuracy(&after, "eval_mode")).abs() < 0.03);
    // The original model has not changed; a recomputed one has no moving average to debias.
    assert_eq!(measure(&model), before);
    assert!(repair("average", &at("a.safetensors")).status.success());
    let again = lookalike(&[
        "batchnorm-repair",
        &known,
        "--model",
        &repaired,
        "--stats",
        "debias",
        "--out",
        &at("x"),
    ]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("no moving average"));
    assert!(!Path::new(&at("x")).exists());
}

#[test]
fn the_experiment_writes_one_row_per_policy_and_step() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    corpus(&folder.path().join("known"));
    let (csv, chart) = (at("e.csv"), at("e.svg"));
    let arguments = |steps: &'static str, chart: &str| {
        lookalike(&[
            "batchnorm-experiment",
            &at("known"),
            "--csv",
            &csv,
            "--chart",
            chart,
            "--steps",
            steps,
            "--momentum",
            "0.1,0.01",
            "--batch-size",
            "16",
            "--seeds",
            "0,1",
            "--json",
        ])
    };
    let events = lines(&arguments("2,6", &chart));
    // Three policies with batch norm and two without, two steps, two seeds; and the final event.
    assert_eq!(events.len(), 5 * 2 * 2 + 1);
    let table = std::fs::read_to_string(&csv).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 1 + 5 * 2);
    let columns: Vec<&str> = rows[0].split(',').collect();
    assert_eq!(
        columns[..8],
        [
            "policy",
            "step",
            "train_mode_accuracy",
            "train_mode_loss",
            "eval_mode_accuracy",
            "eval_mode_loss",
            "recomputed_eval_accuracy",
            "recomputed_eval_loss"
        ]
    );
    assert_eq!(columns.last(), Some(&"layer4_distance"));
    assert!(rows.iter().all(|row| row.split(',').count() == columns.len()));
    assert!(std::fs::read_to_string(&chart).unwrap().starts_with("<svg"));
    for (steps, chart, expected) in
        [("6,2", chart.as_str(), "ascending"), ("2,6", "e.jpeg", "ends in .png or .svg")]
    {
        let output = arguments(steps, chart);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
}

/// `lookalike export … | head` ends well, and a training is not lost when its output is closed.
#[cfg(unix)]
#[test]
fn a_reader_that_closes_the_output_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    corpus(&folder.path().join("known"));
    let sh = |script: &str| {
        let script = script.replace("lookalike", env!("CARGO_BIN_EXE_lookalike"));
        let mut command = Command::new("bash");
        command.current_dir(folder.path()).args(["-o", "pipefail", "-c", &script]);
        let done = command.output().unwrap();
        (done.status.code(), text(&done.stderr))
    };
    let trained = sh("lookalike train known --model m.safetensors --epochs 3 --json | head -1");
    assert_eq!(trained, (Some(0), String::new()));
    lookalike::model::Model::load(&folder.path().join("m.safetensors")).unwrap();
    let (indexed, _) =
        sh("lookalike index known --model m.safetensors --library l.lookalike --json | head -1");
    assert_eq!(indexed, Some(0));
    assert_eq!(sh("lookalike export --library l.lookalike | head -1"), (Some(0), String::new()));
}

#[test]
fn a_folder_that_does_not_exist_fails_before_any_output() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lookalike"));
    command.current_dir(folder.path()).args(["train", "missing", "--model", "m.safetensors"]);
    let done = command.output().unwrap();
    assert_eq!((done.status.code(), text(&done.stdout)), (Some(1), String::new()));
    assert!(text(&done.stderr).contains("missing"), "{}", text(&done.stderr));
}

#[test]
fn passwords_are_not_printed() {
    use clap::Parser as _;
    let arguments = ["lookalike", "query", "a.zip", "--library", "l", "--password", " hunter2 "];
    let cli = lookalike::cli::Cli::parse_from(arguments);
    assert!(!format!("{cli:?}").contains("hunter2"));
}

/// Each command names its output files by the same rule; older spellings are still accepted.
#[test]
fn older_spellings_of_output_options_are_accepted() {
    use clap::Parser as _;
    for arguments in [
        ["lookalike", "export", "--library", "l", "--output", "x"],
        ["lookalike", "export", "--library", "l", "--out", "x"],
        ["lookalike", "library", "backup", "--library", "l", "--to=x"],
        ["lookalike", "library", "backup", "--library", "l", "--out=x"],
    ] {
        lookalike::cli::Cli::try_parse_from(arguments).unwrap();
    }
}
