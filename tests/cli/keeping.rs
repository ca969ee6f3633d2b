//! What is kept of a library: samples that were removed, edits that were undone, and models that are not in use.

use crate::common::sample;
use crate::home::Home;
use serde_json::Value;

impl Home {
    fn kept(&self, arguments: &[&str]) -> String {
        self.run(&[&["library"], arguments, &["--library", "l.lookalike"]].concat())
    }

    fn failing(&self, arguments: &[&str]) -> String {
        let run = self.try_run(arguments);
        assert!(!run.well && !run.text.contains("panicked"), "{arguments:?}: {}", run.text);
        run.text
    }

    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let printed = self.run(&[arguments, &["--json"]].concat());
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Digest and label of each sample, in the order of digests.
    fn samples(&self) -> Vec<[String; 2]> {
        let csv = self.run(&["export", "--library", "l.lookalike"]);
        let mut rows: Vec<[String; 2]> = csv
            .lines()
            .skip(1)
            .map(|line| {
                let mut cells = line.split(',').map(str::to_owned);
                [cells.next().unwrap(), cells.next().unwrap()]
            })
            .collect();
        rows.sort();
        rows
    }

    fn labelled(&self, label: &str) -> usize {
        self.samples().iter().filter(|row| row[1] == label).count()
    }

    /// The folder `more` of two other families.
    fn write_more(&self) {
        for file in 0..20 {
            self.write(&format!("more/epsilon/{file}.bin"), sample(9, 500 + file));
            self.write(&format!("more/delta/{file}.bin"), sample(21, 700 + file));
        }
    }
}

#[test]
fn samples_are_removed_everywhere_and_undo_brings_them_back() {
    let home = Home::with_library("1");
    let before = home.samples();
    let [first, second] = [&before[0][0], &before[1][0]];
    let said = home.kept(&["remove", first, second]);
    assert!(said.contains("2 samples removed") && said.contains("library undo"), "{said}");
    assert_eq!(home.samples(), before[2..]);
    assert!(home.kept(&["check"]).contains("is whole: 34 samples"));
    home.run(&["map", "--library", "l.lookalike", "--csv", "map.csv", "--method", "pca"]);
    let answers = home.json(&["query", "known", "--library", "l.lookalike", "-k", "34"]);
    let map = std::fs::read_to_string(home.at("map.csv")).unwrap();
    let answered =
        serde_json::to_string(&answers.iter().map(|answer| &answer["neighbours"]).collect::<Vec<_>>());
    for removed in [first, second] {
        assert!(!map.contains(removed.as_str()) && !answered.as_ref().unwrap().contains(removed.as_str()));
    }
    let said = home.failing(&["library", "remove", &"0".repeat(64), "--library", "l.lookalike"]);
    assert!(said.contains("is not in the library") && said.contains("nothing was changed"), "{said}");
    // Adding one again brings it back, with its label.
    let said = home.run(&["index", "known", "--library", "l.lookalike"]);
    assert!(said.contains("2 samples added") && said.contains("2 of them had been removed"), "{said}");
    assert_eq!(home.samples(), before);
    // The removal was the latest edit by hand, and the samples came back since.
    let said = home.kept(&["undo"]);
    assert!(said.contains("Nothing was undone: 2 samples were changed since"), "{said}");
    home.kept(&["remove", first]);
    let said = home.kept(&["undo"]);
    assert!(said.contains("Undone: remove 1 sample"), "{said}");
    assert_eq!(home.samples(), before);
    assert!(home.kept(&["redo"]).contains("Redone: remove 1 sample"));
    assert_eq!(home.samples().len(), 35);
}

#[test]
fn labels_are_renamed_and_merged() {
    let home = Home::with_library("1");
    let before = home.samples();
    assert!(
        home.kept(&["rename-label", "alpha", "omega"])
            .contains("12 samples changed label from alpha to omega")
    );
    assert_eq!((home.labelled("alpha"), home.labelled("omega")), (0, 12));
    let said = home.kept(&["rename-label", "omega", "beta"]);
    assert!(said.contains("which 12 others had already"), "{said}");
    assert_eq!(home.labelled("beta"), 24);
    let said = home.failing(&["library", "rename-label", "alpha", "x", "--library", "l.lookalike"]);
    assert!(said.contains("found none") && said.contains("nothing was changed"), "{said}");
    assert_eq!(
        home.try_run(&["library", "rename-label", "beta", "", "--library", "l.lookalike"]).code,
        Some(2)
    );
    assert!(home.kept(&["undo"]).contains("Undone: merge omega into beta (12 samples)"));
    assert!(home.kept(&["undo"]).contains("Undone: rename alpha to omega (12 samples)"));
    assert_eq!(home.samples(), before);
}

#[test]
fn undo_without_a_number_never_takes_back_an_import() {
    let home = Home::with_library("1");
    let before = home.samples();
    let first = &before[0][0];
    home.kept(&["label", first, "--label", "x"]);
    // An import of labels comes after it.
    home.write_more();
    home.run(&["index", "more", "--library", "l.lookalike"]);
    assert!(home.kept(&["undo"]).contains("Undone: label x on 1 sample"));
    assert_eq!((home.samples().len(), home.labelled("epsilon"), home.labelled("x")), (76, 20, 0));
    let said = home.kept(&["undo"]);
    assert!(said.contains("no edit to undo but imports"), "{said}");
    assert_eq!(home.labelled("epsilon"), 20);

    let edits = home.json(&["library", "edits", "--library", "l.lookalike"]);
    let kinds: Vec<_> = edits.iter().map(|edit| edit["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["import", "label", "import"]);
    assert_eq!(edits[0]["what"], "add 40 samples from more (delta, epsilon)");
    assert_eq!((&edits[1]["undone"], &edits[1]["who"]), (&true.into(), &"ada".into()));
    // By its number, an import too is undone and redone.
    let import = edits[0]["edit"].to_string();
    let done = &home.json(&["library", "undo", &import, "--library", "l.lookalike"])[0];
    assert_eq!((&done["event"], &done["labels"]), (&"undone".into(), &40.into()));
    // What it added is gone with its labels, and comes back with them.
    assert_eq!((home.samples().len(), home.labelled("epsilon")), (36, 0));
    assert!(home.kept(&["edits"]).contains("add 40 samples from more (delta, epsilon) (undone)"));
    home.kept(&["redo"]);
    assert_eq!((home.samples().len(), home.labelled("epsilon")), (76, 20));
    // One that was labelled since is left alone.
    let epsilon = home.samples().into_iter().find(|row| row[1] == "epsilon").unwrap();
    home.kept(&["label", &epsilon[0], "--label", "mine"]);
    let said = home.kept(&["undo", &import]);
    assert!(said.contains("1 sample was changed since, and left alone"), "{said}");
    assert_eq!((home.samples().len(), home.labelled("mine")), (37, 1));
    assert!(home.failing(&["library", "undo", "99", "--library", "l.lookalike"]).contains("has no edit 99"));
}

#[test]
fn a_training_does_not_replace_the_model_of_a_library_with_other_samples() {
    let home = Home::with_library("1");
    home.write_more();
    home.shell("mkdir more/zeta");
    let train = ["train", "more", "--model", "n.safetensors", "--library", "l.lookalike", "--epochs", "1"];
    let said = home.run(&train);
    assert!(said.contains("40 samples added"), "{said}");
    assert!(said.contains("1 label of the folder has no file that can be used (zeta)"), "{said}");
    assert!(said.contains("keeps its model") && said.contains("36 samples"), "{said}");
    // Nothing dropped out, and what was trained on is there too.
    assert_eq!(home.samples().len(), 76);
    let models = home.json(&["library", "models", "--library", "l.lookalike"]);
    let listed: Vec<_> = models
        .iter()
        .map(|m| (m["name"].as_str().unwrap(), m["embedded"].as_u64().unwrap(), &m["current"]))
        .collect();
    assert_eq!(listed, [("Model 1, known", 76, &true.into()), ("Model 2, more", 40, &false.into())]);
    assert_eq!(
        (&models[1]["labels"], models[1]["samples"].as_u64()),
        (&serde_json::json!(["delta", "epsilon"]), Some(76))
    );
    assert!(models[1]["result"]["eval_mode_accuracy"].is_number());

    // One file is gone: its sample stays, and is counted.
    home.shell("rm known/alpha/1.bin");
    let said = home.kept(&["use-model", "model 2"]);
    assert!(
        said.contains("uses Model 2, more; 35 samples read again")
            && said.contains("1 sample whose files are gone"),
        "{said}"
    );
    assert_eq!((home.samples().len(), home.labelled("alpha")), (75, 11));
    let former = models[0]["sha256"].as_str().unwrap();
    let done = &home.json(&["library", "use-model", &former[..8], "--library", "l.lookalike"])[0];
    assert_eq!(
        (&done["name"], &done["embedded"], &done["left_out"]),
        (&"Model 1, known".into(), &0.into(), &0.into())
    );
    assert_eq!((home.samples().len(), home.labelled("alpha")), (76, 12));
    home.kept(&["rename-model", "Model 2", "night run"]);
    assert!(home.kept(&["models"]).contains("night run"));
    let said = home.failing(&["library", "use-model", "Model 2", "--library", "l.lookalike"]);
    assert!(said.contains("which holds Model 1, known, night run"), "{said}");
    let said =
        home.failing(&["library", "rename-model", "night run", "model 1, known", "--library", "l.lookalike"]);
    assert!(said.contains("no other one has"), "{said}");
}

#[test]
fn a_training_or_an_index_can_say_that_its_model_is_used() {
    let home = Home::with_library("1");
    home.write_more();
    let said = home.run(&[
        "train",
        "more",
        "--model",
        "n.safetensors",
        "--library",
        "l.lookalike",
        "--epochs",
        "1",
        "--use-model",
    ]);
    assert!(said.contains("uses Model 2, more; 36 samples read again"), "{said}");
    assert_eq!(home.samples().len(), 76);
    let models = home.json(&["library", "models", "--library", "l.lookalike"]);
    assert_eq!((&models[1]["current"], &models[1]["embedded"]), (&true.into(), &76.into()));

    // Another model, which has embedded none of them.
    home.run(&["train", "more", "--model", "p.safetensors", "--epochs", "1", "--seed", "7"]);
    home.write("last/epsilon/1.bin", sample(9, 999));
    let index = ["index", "last", "--model", "p.safetensors", "--library", "l.lookalike"];
    let done = home.json(&index);
    let done = done.last().unwrap();
    assert_eq!((&done["new"], &done["in_use"], &done["lacking"]), (&1.into(), &false.into(), &76.into()));
    assert_eq!(home.samples().len(), 77);
    let said = home.run(&[&index[..], &["--use-model"]].concat());
    assert!(said.contains("uses Model 3, last; 76 samples read again"), "{said}");
    assert_eq!(home.samples().len(), 77);
    // The second has them all too: it is used as soon as it is named.
    let said = home.run(&["index", "last", "--model", "n.safetensors", "--library", "l.lookalike"]);
    assert!(!said.contains("keeps its model"), "{said}");
    let models = home.json(&["library", "models", "--library", "l.lookalike"]);
    assert_eq!(models[1]["current"], true);
}

#[test]
fn a_model_that_can_embed_no_sample_is_not_used() {
    let home = Home::with_library("1");
    home.run(&["train", "known", "--model", "p.safetensors", "--epochs", "1", "--seed", "7"]);
    home.write("last/epsilon/1.bin", sample(9, 999));
    home.run(&["index", "last", "--model", "p.safetensors", "--library", "l.lookalike"]);
    let last = home.samples().into_iter().find(|row| row[1] == "epsilon").unwrap();
    home.kept(&["remove", &last[0]]);
    home.shell("rm -r known last");
    let said = home.failing(&["library", "use-model", "Model 2", "--library", "l.lookalike"]);
    assert!(said.contains("keeps its model"), "{said}");
    assert_eq!(home.samples().len(), 36);
}

#[test]
fn a_sample_of_the_library_is_queried_without_its_file() {
    let home = Home::with_library("1");
    let asked = ["query", "known/alpha/0.bin", "known/beta/0.bin", "--library", "l.lookalike", "-k", "6"];
    let by_file = home.json(&asked);
    let [first, second] = [0, 1].map(|i| by_file[i]["sha256"].as_str().unwrap().to_owned());
    home.shell("rm -r known");
    let asked =
        ["query", "--sha256", &first, &second[..8].to_uppercase(), "--library", "l.lookalike", "-k", "5"];
    home.run(&[&asked[..], &["--csv", "hashes.csv"]].concat());
    let by_hash = home.json(&asked);
    for (by_file, by_hash) in by_file.iter().zip(&by_hash) {
        // The file is identical to the sample, which is judged as if it were not there.
        assert_eq!(by_file["verdict"], "identical");
        assert_ne!(by_hash["verdict"], "identical");
        let samples = |answer: &Value, from: usize| -> Vec<String> {
            let found = answer["neighbours"].as_array().unwrap().iter().skip(from);
            found.map(|neighbour| neighbour["sha256"].to_string()).collect()
        };
        assert_eq!(by_file["neighbours"][0]["sha256"], by_file["sha256"]);
        assert_eq!(samples(by_file, 1), samples(by_hash, 0));
    }
    let table = std::fs::read_to_string(home.at("hashes.csv")).unwrap();
    assert_eq!(table.lines().count(), 11);
    assert!(home.run(&asked).contains("  1  "));
    for (hex, wanted) in [
        ("0".repeat(64), "which none has"),
        ("0".repeat(40), "expected the SHA-1 of a sample"),
        ("0".repeat(32), "expected the MD5 of a sample"),
        ("abc".to_owned(), "first 6 or more hexadecimal digits"),
        ("nothing".to_owned(), "expected a SHA-256"),
    ] {
        let said = home.failing(&["query", "--sha256", &hex, "--library", "l.lookalike"]);
        assert!(said.contains(wanted), "{hex}: {said}");
    }
    assert_eq!(home.try_run(&["query", "--library", "l.lookalike"]).code, Some(2));
}
