//! A training that was killed goes on where it was, and ends bit-identical to one that was not.

use crate::common;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        common::corpus(&home.at("known"));
        home
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn train(&self, model: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lookalike"));
        command.current_dir(self.0.path()).stdin(Stdio::null()).stderr(Stdio::piped()).stdout(Stdio::piped());
        command
            .args(["train", "known", "--model", model, "--seed", "3", "--threads", "2", "--json"])
            .args(more);
        command
    }

    /// Trains to the end; what it said of it.
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

#[test]
fn a_training_that_was_killed_ends_as_if_it_had_not_been() {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let home = Home::new();
    for (name, settings) in [
        ("recompute", &["--epochs", "60"][..]),
        ("moving", &["--epochs", "50", "--stats", "moving", "--convention", "keras"]),
        ("none", &["--epochs", "50", "--norm", "none"]),
    ] {
        let begun = Instant::now();
        let whole = home.finish(name, settings);
        let span = begun.elapsed().as_micros() as u64;
        let last = whole.last().unwrap();
        assert!(last["resumed_at"].is_null() && last["checkpoint_warning"].is_null(), "{last}");
        let (killed_name, checkpoint) =
            (format!("{name}.killed"), home.at(&format!("{name}.killed.checkpoint")));
        let mut kills = 0;
        for _ in 0..8 {
            let mut child = home.train(&killed_name, settings).spawn().unwrap();
            std::thread::sleep(Duration::from_micros(rng.random_range(span / 8..span / 2)));
            kills += usize::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            child.wait().unwrap();
            // Done, if it came so far: the others would be trainings of their own.
            if home.at(&killed_name).exists() {
                break;
            }
        }
        if !home.at(&killed_name).exists() {
            let on = home.finish(&killed_name, settings);
            let at = on.last().unwrap()["resumed_at"].as_u64();
            assert!(at.is_some_and(|at| at > 0), "{on:?}");
            // What was measured before is told again, so that a curve is whole.
            let points = |said: &[Value]| said.iter().filter(|line| line["event"] == "epoch").count();
            assert_eq!(points(&on), points(&whole));
        }
        assert!(kills > 1, "the kills came too late");
        assert!(bytes(&home.at(name)) == bytes(&home.at(&killed_name)), "{name} ended otherwise");
        assert!(!checkpoint.exists());
        println!("{name}: {kills} kills");
    }
}

/// Kills while the first checkpoint is there; leaves it.
fn interrupted(home: &Home, model: &str) -> PathBuf {
    let checkpoint = home.at(&format!("{model}.checkpoint"));
    let mut child = home.train(model, &["--epochs", "150"]).spawn().unwrap();
    let begun = Instant::now();
    while !checkpoint.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no checkpoint came");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!home.at(model).exists());
    checkpoint
}

#[test]
fn a_checkpoint_serves_its_own_training_alone() {
    let home = Home::new();
    let checkpoint = interrupted(&home, "m");
    let kept = bytes(&checkpoint);
    let resumed = |said: Vec<Value>| !said.last().unwrap()["resumed_at"].is_null();
    // Other settings, then other files.
    assert!(!resumed(home.finish("m", &["--epochs", "2"])));
    std::fs::write(&checkpoint, &kept).unwrap();
    std::fs::write(home.at("known/alpha/more.bin"), common::sample(3, 77)).unwrap();
    assert!(!resumed(home.finish("m", &["--epochs", "150"])));
    std::fs::remove_file(home.at("known/alpha/more.bin")).unwrap();
    // Its own again.
    std::fs::write(&checkpoint, &kept).unwrap();
    assert!(resumed(home.finish("m", &["--epochs", "150"])));
}

#[test]
fn a_damaged_checkpoint_costs_only_itself() {
    let home = Home::new();
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
fn a_checkpoint_that_cannot_be_written_is_told_and_the_training_ends_well() {
    let home = Home::new();
    std::fs::create_dir(home.at("m.checkpoint")).unwrap();
    let said = home.finish("m", &["--epochs", "4"]);
    let warning = said.last().unwrap()["checkpoint_warning"].as_str().unwrap().to_owned();
    assert!(warning.contains("could not be written"), "{warning}");
    assert!(home.at("m").exists());
}
