//! Samples, tools and measurements that several tests use.

#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses a part, and may fail at once")]

use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// Writes a labelled folder: three families of synthetic binaries, twelve files each.
pub fn corpus(root: &Path) {
    for (family, step) in [("alpha", 3_usize), ("beta", 7), ("gamma", 11)] {
        std::fs::create_dir_all(root.join(family)).unwrap();
        for file in 0..12 {
            std::fs::write(root.join(family).join(format!("{file}.bin")), sample(step, file)).unwrap();
        }
    }
}

/// The `file`th binary of the family with this `step`.
pub fn sample(step: usize, file: usize) -> Vec<u8> {
    (0..6000 + file * 31).map(|i| (i * step + (i / 97) * file) as u8 % (20 * step) as u8).collect()
}

/// The programs, libraries and files that tests need, each with its Debian package.
const PACKAGES: &str = include_str!("../debian-packages");

/// Fails if a program, library or file of `tests/debian-packages` is missing, and says how to install it.
pub fn needs(what: &str) {
    let mut lines = PACKAGES.lines().filter_map(|line| line.split_once(' '));
    let package = lines.find(|(found, _)| *found == what);
    let (_, package) = package.unwrap_or_else(|| panic!("{what} is not in tests/debian-packages"));
    assert!(
        installed(what),
        "this test needs {what}: run tests/run as root, or apt-get install {}",
        package.trim()
    );
}

/// Fails if there is no Vulkan driver that renders on the CPU.
pub fn needs_software_vulkan() {
    needs("/usr/share/vulkan/icd.d/lvp_icd*.json");
    needs("libvulkan.so.1");
}

/// Fails if a library is missing that an X11 window loads at run time.
pub fn needs_x11_libraries() {
    for library in
        ["libxkbcommon-x11.so.0", "libXcursor.so.1", "libXi.so.6", "libXrandr.so.2", "libX11-xcb.so.1"]
    {
        needs(library);
    }
}

/// The same check as in `tests/run`.
fn installed(what: &str) -> bool {
    if let Some((folder, name)) = what.rsplit_once('/') {
        let (begin, end) = name.split_once('*').unwrap_or((name, ""));
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        return names
            .map(|name| name.to_string_lossy().into_owned())
            .any(|name| name.starts_with(begin) && name.ends_with(end));
    }
    let path = std::env::var("PATH").unwrap_or_default() + ":/sbin:/usr/sbin";
    if what.contains(".so.") {
        let listed = std::process::Command::new("ldconfig").arg("-p").env("PATH", path).output();
        // A system without ldconfig: the test itself shows what is missing.
        return listed
            .map_or(true, |list| String::from_utf8_lossy(&list.stdout).contains(&format!("{what} ")));
    }
    std::env::split_paths(&path).any(|folder| folder.join(what).exists())
}

/// The child processes of `parent`, on Linux.
pub fn children(parent: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .collect()
}

/// The peak of a process's resident memory until now, in MB, as the kernel counts it.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mark = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    mark.and_then(|kb| kb.trim().parse::<u64>().ok()).unwrap_or(0) / 1000
}

/// Processor time that a process and the children it waited for have used until now, in clock ticks.
fn ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name before it, in parentheses, may contain spaces.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().skip(11).take(4).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// What a process and its workers used together, sampled every 10 ms.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Processor time in seconds, which unlike wall-clock time does not depend on what else the machine does.
    pub seconds: f64,
    /// Peak of resident memory, MB.
    pub memory: u64,
}

/// Ticks a second, for all of Linux's user interfaces.
const TICKS: f64 = 100.0;
/// No process of a test runs for longer: it hangs.
const HUNG: Duration = Duration::from_secs(3600);

/// Waits for `child` and measures what it uses.
pub fn watch(child: &mut Child) -> (ExitStatus, Usage) {
    let begun = Instant::now();
    let mut usage = Usage::default();
    loop {
        let workers = children(child.id());
        let sum = |of: fn(u32) -> u64| of(child.id()) + workers.iter().map(|worker| of(*worker)).sum::<u64>();
        usage.memory = usage.memory.max(sum(peak));
        usage.seconds = usage.seconds.max(sum(ticks) as f64 / TICKS);
        if let Some(status) = child.try_wait().unwrap() {
            return (status, usage);
        }
        if begun.elapsed() > HUNG {
            let _ = child.kill();
            panic!("the program did not end within {HUNG:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
