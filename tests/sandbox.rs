//! The sandbox of a worker holds. Each layer alone and both together are entered by a process that then tries what an
//! attacker in a worker would try. The process is this program, started again, so there is no test harness, whose
//! threads would be outside the sandbox.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test prints, and may fail at once")]

#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("inside") => inside::attempt(&arguments[2], &arguments[3]),
        // Asked of every test binary by tools that list tests.
        Some("--list") => {}
        _ => outside::run(),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod inside {
    use lookalike::reading::sandbox::{self, files_and_network, system_calls};
    use std::fs::{self, File};
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::process::Command;

    /// Enters the layers and prints the name of everything that still works.
    pub fn attempt(layers: &str, folder: &str) {
        let parent = rustix::process::getppid().unwrap();
        let open = File::open(format!("{folder}/open")).unwrap();
        let mut out = std::io::stdout();
        match layers {
            "none" => {}
            "landlock" => assert!(files_and_network::restrict().unwrap()),
            "seccomp" => system_calls::restrict().unwrap(),
            "all" => {
                let held = sandbox::enter(512 << 20);
                assert!(held.limits && held.landlock && held.seccomp, "{held:?}");
            }
            other => panic!("no such layer: {other}"),
        }
        let mut text = String::new();
        let reserve = |bytes: usize| {
            let mut all = Vec::<u8>::new();
            all.try_reserve_exact(bytes).is_ok()
        };
        let works = [
            ("an open file", (&open).read_to_string(&mut text).is_ok() && text == "sample"),
            ("100 MiB", reserve(100 << 20)),
            ("1 GiB", reserve(1 << 30)),
            ("reading a file", fs::read("/etc/passwd").is_ok()),
            ("listing a folder", fs::read_dir("/").is_ok_and(|mut list| list.next().is_some())),
            ("asking for a file", fs::metadata("/etc/passwd").is_ok()),
            ("writing a file", fs::write(format!("{folder}/written"), "x").is_ok()),
            ("removing a file", fs::remove_file(format!("{folder}/kept")).is_ok()),
            ("connecting", {
                // Nothing listens there: ECONNREFUSED means that the sandbox let it through.
                TcpStream::connect("127.0.0.1:9").err().is_none_or(|e| e.raw_os_error() == Some(111))
            }),
            ("listening", TcpListener::bind("127.0.0.1:0").is_ok()),
            ("datagrams", UdpSocket::bind("127.0.0.1:0").is_ok()),
            ("another program", Command::new("/bin/true").status().is_ok_and(|status| status.success())),
            ("signals to the parent", rustix::process::test_kill_process(parent).is_ok()),
        ];
        for (what, _) in works.iter().filter(|(_, works)| *works) {
            let _ = writeln!(out, "{what}");
        }
    }
}

#[cfg(target_os = "linux")]
mod outside {
    use std::collections::BTreeSet;
    use std::process::Command;

    fn working(layers: &str) -> BTreeSet<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("open"), "sample").unwrap();
        std::fs::write(folder.path().join("kept"), "x").unwrap();
        let done = Command::new(std::env::current_exe().unwrap())
            .args(["inside", layers, folder.path().to_str().unwrap()])
            .output()
            .unwrap();
        assert!(done.status.success(), "{layers}: {}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(
            folder.path().join("written").exists(),
            layers == "none",
            "{layers}: something was written"
        );
        String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    pub fn run() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let free = working("none");
        // Without a sandbox everything works.
        assert_eq!(free.len(), 13, "{free:?}");
        let kept = ["an open file", "100 MiB"];
        assert_eq!(working("all"), set(&kept));
        assert_eq!(working("seccomp"), set(&[&kept[..], &["1 GiB"]].concat()));
        let mut landlock = working("landlock");
        // Landlock does not restrict metadata, UDP and memory.
        for beyond in ["asking for a file", "datagrams", "1 GiB"] {
            assert!(landlock.remove(beyond), "{beyond}");
        }
        // Landlock restricts TCP since Linux 6.7 and signals since 6.12.
        for newer in ["connecting", "listening", "signals to the parent"] {
            landlock.remove(newer);
        }
        assert_eq!(landlock, set(&kept));
        println!("a sandbox holds: all layers, Landlock alone, seccomp alone");
    }
}
