//! Samples that several tests use.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part, and may fail at once")]

use std::path::Path;

/// Three families of made-up binaries below `root`, twelve files each.
pub fn corpus(root: &Path) {
    for (family, step) in [("alpha", 3_usize), ("beta", 7), ("gamma", 11)] {
        std::fs::create_dir_all(root.join(family)).unwrap();
        for file in 0..12 {
            std::fs::write(root.join(family).join(format!("{file}.bin")), sample(step, file)).unwrap();
        }
    }
}

/// The `file`th binary of the family that `step` makes.
pub fn sample(step: usize, file: usize) -> Vec<u8> {
    (0..6000 + file * 31).map(|i| (i * step + (i / 97) * file) as u8 % (20 * step) as u8).collect()
}

/// Makes sure that `program` can be run: installs Debian's `package` where it is missing and we may,
/// else fails and says what to do.
pub fn needs(program: &str, package: &str) {
    let there = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(program).exists())
    };
    if !there() {
        install(package);
    }
    assert!(there(), "this test needs {program}: apt-get install {package}");
}

/// Likewise for a Vulkan that draws on the processor, and what an X11 window needs at run time.
pub fn needs_software_vulkan() {
    let there = || {
        std::fs::read_dir("/usr/share/vulkan/icd.d").is_ok_and(|drivers| {
            drivers.flatten().any(|driver| driver.file_name().to_string_lossy().starts_with("lvp_icd"))
        })
    };
    if !there() {
        install(
            "mesa-vulkan-drivers libvulkan1 libxkbcommon-x11-0 libxcursor1 libxi6 libxrandr2 libx11-xcb1",
        );
    }
    assert!(there(), "this test needs a software Vulkan: apt-get install mesa-vulkan-drivers libvulkan1");
}

/// One installation at a time: tests run side by side.
fn install(packages: &str) {
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let script = format!("apt-get update -qq && apt-get install -y -qq --no-install-recommends {packages}");
    let done = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(
        done.status.success(),
        "could not install {packages} (run as root, or install it yourself): {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// The processes that `parent` started, on Linux.
pub fn children(parent: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .collect()
}

/// The most memory that a process had resident until now, in MB, by the kernel's own mark.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mark = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    mark.and_then(|kb| kb.trim().parse::<u64>().ok()).unwrap_or(0) / 1000
}

/// Waits for `child`; with the most memory that it and its workers had together, in MB.
pub fn watch(child: &mut std::process::Child) -> (std::process::ExitStatus, u64) {
    let mut memory = 0;
    loop {
        let all = peak(child.id()) + children(child.id()).into_iter().map(peak).sum::<u64>();
        memory = memory.max(all);
        if let Some(status) = child.try_wait().unwrap() {
            return (status, memory);
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
