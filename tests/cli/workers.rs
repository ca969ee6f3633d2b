//! Workers, the processes that read samples: one that is killed, hangs or runs out of memory costs the file it was
//! reading, and nothing else.

use crate::common::{self, sample};
use lookalike::job::Reporter;
use lookalike::picture::PictureSpec;
use lookalike::reading::{Limits, ReadSet, Reader, Workers};
use lookalike::sample::{Labelling, Listing, walk};
use rand::{Rng as _, SeedableRng as _};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn workers(limits: Limits) -> Reader {
    Reader::with_workers(Workers::new(env!("CARGO_BIN_EXE_lookalike").into(), limits))
}

fn read(reader: &Reader, folder: &Path) -> ReadSet {
    let Listing { found, skipped, .. } = walk(folder, Labelling::Unlabelled);
    assert!(skipped.is_empty());
    reader.pictures(&found, PictureSpec::BYTES, &Reporter::silent())
}

/// Writes `n` files of different lengths.
fn fill(folder: &Path, n: usize) {
    for i in 0..n {
        let mut bytes = sample(11, i % 50);
        bytes.extend(i.to_le_bytes());
        bytes.extend(vec![(i % 256) as u8; i % 7 * 10_000]);
        std::fs::write(folder.join(format!("{i:04}.bin")), bytes).unwrap();
    }
}

/// The workers of this reader, and not those of another test.
fn own_workers(reader: &Reader) -> Vec<Pid> {
    reader.workers().into_iter().filter_map(|id| Pid::from_raw(id as i32)).collect()
}

#[test]
fn a_worker_gives_the_same_result_as_reading_in_the_program() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 60);
    std::fs::write(folder.path().join("empty"), "").unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_lookalike"), folder.path().join("program")).unwrap();
    let (there, here) =
        (read(&workers(Limits::default()), folder.path()), read(&Reader::default(), folder.path()));
    assert_eq!(there.set.samples, here.set.samples);
    assert!(there.set.pictures == here.set.pictures);
    assert_eq!(there.skipped, here.skipped);
    assert_eq!((here.set.samples.len(), here.skipped.len()), (61, 1));
    let program = folder.path().join("program");
    let spec = Some(PictureSpec::BYTES);
    let (facts, picture) = workers(Limits::default()).inspect(&program, spec).unwrap();
    assert!((facts.clone(), picture.clone()) == Reader::default().inspect(&program, spec).unwrap());
    assert!(picture.is_some() && facts.content.programs().next().is_some());
}

/// Whether a worker has entered its sandbox. One that is killed while it starts is started again only a few times.
fn has_started(worker: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", worker.as_raw_pid())).unwrap_or_default();
    status.lines().any(|line| line.strip_prefix("Seccomp:").is_some_and(|mode| mode.trim() == "2"))
}

#[test]
fn a_worker_that_is_killed_costs_one_file() {
    const ROUNDS: usize = 12;
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 600);
    let reader = workers(Limits::default());
    let killed = AtomicUsize::new(0);
    let rounds = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let (mut rounds, mut lost) = (Vec::new(), 0);
            // More rounds where few kills came while a file was read.
            while rounds.len() < ROUNDS
                || (rounds.len() < 50 * ROUNDS && (lost == 0 || killed.load(Ordering::Relaxed) <= 10))
            {
                let taken = read(&reader, folder.path());
                lost += taken.skipped.len();
                rounds.push(taken);
            }
            rounds
        });
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        while !reading.is_finished() {
            std::thread::sleep(Duration::from_millis(rng.random_range(5..40)));
            let mut workers = own_workers(&reader);
            workers.retain(|worker| has_started(*worker));
            if !workers.is_empty() {
                let which = rng.random_range(0..workers.len());
                let hit = kill_process(workers[which], Signal::KILL).is_ok();
                killed.fetch_add(usize::from(hit), Ordering::Relaxed);
            }
        }
        reading.join().unwrap()
    });
    let (mut lost, killed) = (0, killed.into_inner());
    for taken in &rounds {
        assert_eq!(taken.set.samples.len() + taken.skipped.len(), 600);
        for skipped in &taken.skipped {
            assert!(skipped.reason.contains("signal 9"), "{}", skipped.reason);
        }
        lost += taken.skipped.len();
    }
    assert!(killed > 10 && (1..=killed).contains(&lost), "{lost} of {killed}");
    println!("{killed} workers killed, {lost} of {} files lost", rounds.len() * 600);
    assert_eq!(read(&reader, folder.path()).set.samples.len(), 600);
}

/// Whether this process has a file of this folder open.
fn has_open(folder: &Path) -> bool {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    descriptors
        .filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok())
        .any(|path| path.starts_with(folder))
}

#[test]
fn a_worker_that_dies_before_it_starts_a_file_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 40);
    let reader = workers(Limits::default());
    assert_eq!(read(&reader, folder.path()).set.samples.len(), 40);
    let waiting = own_workers(&reader);
    assert!(!waiting.is_empty());
    // Stopped, they are given files that they cannot start to read.
    for worker in &waiting {
        kill_process(*worker, Signal::STOP).unwrap();
    }
    let taken = std::thread::scope(|scope| {
        let reading = scope.spawn(|| read(&reader, folder.path()));
        while !has_open(folder.path()) && !reading.is_finished() {
            std::thread::yield_now();
        }
        // Opened files are sent at once. Should a kill come before that, the result is the same.
        std::thread::sleep(Duration::from_millis(100));
        for worker in &waiting {
            kill_process(*worker, Signal::KILL).unwrap();
        }
        reading.join().unwrap()
    });
    assert_eq!((taken.set.samples.len(), taken.skipped), (40, vec![]));
}

#[test]
fn a_worker_that_hangs_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 40);
    // Long enough for a worker that does not hang, on a busy machine.
    let reader = workers(Limits { time: Duration::from_secs(15), ..Limits::default() });
    assert_eq!(read(&reader, folder.path()).set.samples.len(), 40);
    let stopped = own_workers(&reader);
    for worker in &stopped {
        kill_process(*worker, Signal::STOP).unwrap();
    }
    let taken = read(&reader, folder.path());
    assert_eq!(taken.set.samples.len() + taken.skipped.len(), 40);
    assert!((1..=stopped.len()).contains(&taken.skipped.len()), "{:?}", taken.skipped);
    for skipped in &taken.skipped {
        assert!(skipped.reason.contains("did not end in time"), "{}", skipped.reason);
    }
    assert_eq!(read(&reader, folder.path()).set.samples.len(), 40);
}

#[test]
fn memory_beyond_the_limit_costs_the_file_that_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 20);
    let mut zip = zip::ZipWriter::new(std::fs::File::create(folder.path().join("0005.zip")).unwrap());
    // Zeros would take no memory.
    zip.start_file("ones", zip::write::SimpleFileOptions::default()).unwrap();
    for _ in 0..200 {
        zip.write_all(&vec![1; 1 << 20]).unwrap();
    }
    zip.finish().unwrap();
    let small = read(&workers(Limits { memory: 100 << 20, ..Limits::default() }), folder.path());
    assert_eq!(small.set.samples.len(), 20);
    assert_eq!(small.skipped.len(), 1);
    assert!(small.skipped[0].path.ends_with("0005.zip"));
    assert!(small.skipped[0].reason.contains("100 MiB"), "{}", small.skipped[0].reason);
    assert_eq!(read(&workers(Limits::default()), folder.path()).set.samples.len(), 21);
}

#[test]
fn workers_that_cannot_be_started_are_the_reason_for_each_skipped_file() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 40);
    for program in ["/bin/true", "/nonexistent"] {
        let taken =
            read(&Reader::with_workers(Workers::new(program.into(), Limits::default())), folder.path());
        assert_eq!(taken.skipped.len(), 40);
        assert!(taken.skipped[7].reason.contains("expected to start a process"), "{:?}", taken.skipped[7]);
    }
}

/// A worker ends when the program that started it is gone.
#[test]
fn workers_end_with_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("known");
    common::corpus(&known);
    let mut program = Command::new(env!("CARGO_BIN_EXE_lookalike"))
        .current_dir(folder.path())
        .args(["train", "known", "--model", "m", "--epochs", "1000", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Once it reports a measurement it has read all files.
    let mut first = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let workers = common::children(program.id());
    assert!(!workers.is_empty(), "{first}");
    program.kill().unwrap();
    program.wait().unwrap();
    let begun = Instant::now();
    let runs = |pid: &u32| {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    };
    while workers.iter().any(runs) {
        assert!(begun.elapsed() < Duration::from_secs(300), "{workers:?} still run");
        std::thread::sleep(Duration::from_millis(20));
    }
}
