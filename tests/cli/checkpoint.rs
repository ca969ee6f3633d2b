//! A training that was killed resumes where it was, and ends with the same bits as one that was not.

use crate::common::sample;
use crate::home::Home;
use rand::{Rng, SeedableRng as _};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

impl Home {
    fn train(&self, model: &str, more: &[&str]) -> Command {
        let mut command =
            self.command(&["train", "known", "--model", model, "--seed", "3", "--threads", "2", "--json"]);
        command.args(more).stderr(Stdio::piped()).stdout(Stdio::piped());
        command
    }

    /// Trains to the end and returns the events it printed.
    fn finish(&self, model: &str, more: &[&str]) -> Vec<Value> {
        let done = self.train(model, more).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// Kills of one training, each at a later point of it.
const KILLS: usize = 4;

/// Kills trainings of `model` until one that was interrupted [`KILLS`] times has left a checkpoint. A kill that
/// comes after the end starts over.
fn kill_several_times(home: &Home, model: &str, settings: &[&str], rng: &mut impl Rng) {
    let checkpoint = home.at(&format!("{model}.checkpoint"));
    for _ in 0..50 {
        let (mut kills, mut reported) = (0, 0);
        while kills < KILLS || !checkpoint.exists() {
            let mut child = home.train(model, settings).spawn().unwrap();
            // One resumed reports what it had measured before and then goes on; without a measurement it is killed
            // at any moment of its start.
            let wanted = if kills == 0 { 0 } else { reported + rng.random_range(1..=2) };
            let lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let mut points = lines.map_while(Result::ok).filter(|line| line.contains("\"epoch\""));
            reported = reported.max(points.by_ref().take(wanted).count());
            std::thread::sleep(Duration::from_millis(rng.random_range(0..100)));
            child.kill().unwrap();
            child.wait().unwrap();
            if home.at(model).exists() {
                break;
            }
            kills += 1;
        }
        if !home.at(model).exists() {
            return;
        }
        std::fs::remove_file(home.at(model)).unwrap();
        let _ = std::fs::remove_file(&checkpoint);
    }
    panic!("no training was interrupted {KILLS} times: every time one kill came after the end");
}

#[test]
fn a_killed_training_resumes_to_the_same_model() {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let home = Home::with_known();
    for (name, settings) in [
        ("recompute", &["--epochs", "60"][..]),
        ("moving", &["--epochs", "50", "--stats", "moving", "--convention", "keras"]),
        ("none", &["--epochs", "50", "--norm", "none"]),
    ] {
        let whole = home.finish(name, settings);
        let last = whole.last().unwrap();
        assert!(last["resumed_at"].is_null() && last["checkpoint_warning"].is_null(), "{last}");
        let killed = format!("{name}.killed");
        kill_several_times(&home, &killed, settings, &mut rng);
        let resumed = home.finish(&killed, settings);
        let at = resumed.last().unwrap()["resumed_at"].as_u64();
        assert!(at.is_some_and(|at| at > 0), "{resumed:?}");
        // Earlier measurements are reported again, so that a curve is complete.
        let points = |said: &[Value]| said.iter().filter(|line| line["event"] == "epoch").count();
        assert_eq!(points(&resumed), points(&whole));
        assert!(bytes(&home.at(name)) == bytes(&home.at(&killed)), "{name} is another model");
        assert!(!home.at(&format!("{killed}.checkpoint")).exists());
    }
}

/// Kills a training once it has written its first checkpoint, which stays. A kill that comes after the end is
/// repeated.
fn interrupted(home: &Home, model: &str) -> PathBuf {
    let checkpoint = home.at(&format!("{model}.checkpoint"));
    for _ in 0..50 {
        let mut child = home.train(model, &["--epochs", "60"]).spawn().unwrap();
        while !checkpoint.exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if checkpoint.exists() && !home.at(model).exists() {
            return checkpoint;
        }
        std::fs::remove_file(home.at(model)).unwrap();
        let _ = std::fs::remove_file(&checkpoint);
    }
    panic!("every kill came after the end of the training");
}

#[test]
fn a_checkpoint_is_used_only_by_the_training_that_wrote_it() {
    let home = Home::with_known();
    let checkpoint = interrupted(&home, "m");
    let kept = bytes(&checkpoint);
    let resumed = |said: Vec<Value>| !said.last().unwrap()["resumed_at"].is_null();
    // Other settings, then other files: not used.
    assert!(!resumed(home.finish("m", &["--epochs", "2"])));
    std::fs::write(&checkpoint, &kept).unwrap();
    std::fs::write(home.at("known/alpha/more.bin"), sample(3, 77)).unwrap();
    assert!(!resumed(home.finish("m", &["--epochs", "60"])));
    std::fs::remove_file(home.at("known/alpha/more.bin")).unwrap();
    // The same training again: used.
    std::fs::write(&checkpoint, &kept).unwrap();
    assert!(resumed(home.finish("m", &["--epochs", "60"])));
}

#[test]
fn a_damaged_checkpoint_is_ignored() {
    let home = Home::with_known();
    let checkpoint = interrupted(&home, "m");
    let kept = bytes(&checkpoint);
    let whole = home.finish("whole", &["--epochs", "4"]);
    assert!(whole.last().unwrap()["resumed_at"].is_null());
    let mut changed = kept.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    for bytes in [&changed[..], &kept[..kept.len() / 2], b"", b"something else", &[0; 100]] {
        std::fs::write(&checkpoint, bytes).unwrap();
        let said = home.finish("m", &["--epochs", "4"]);
        assert!(said.last().unwrap()["resumed_at"].is_null());
        assert!(!checkpoint.exists());
    }
    assert!(bytes(&home.at("m")) == bytes(&home.at("whole")));
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_reported_and_the_training_succeeds() {
    let home = Home::with_known();
    std::fs::create_dir(home.at("m.checkpoint")).unwrap();
    let said = home.finish("m", &["--epochs", "4"]);
    let warning = said.last().unwrap()["checkpoint_warning"].as_str().unwrap().to_owned();
    assert!(warning.contains("could not be written"), "{warning}");
    assert!(home.at("m").exists());
}
