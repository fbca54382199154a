//! A throw-away PostgreSQL cluster for each test process.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A cluster that is up, reached by a Unix socket only.
pub(crate) struct Cluster {
    folder: PathBuf,
}

static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();

impl Cluster {
    /// The cluster of this process, started when it is first asked for.
    pub(crate) fn of_this_process() -> Result<&'static Self, String> {
        CLUSTER.get_or_init(Self::start).as_ref().map_err(Clone::clone)
    }

    /// Where a database of this cluster is.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.display())
    }

    /// A new cluster. Tests that stop it want one of their own.
    pub(crate) fn start() -> Result<Self, String> {
        let folder = PathBuf::from(run(as_nobody("mktemp").args(["-d", "/tmp/procura-pg-XXXXXX"]))?.trim());
        let cluster = Self { folder };
        let auth = ["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C"];
        run(as_nobody(bin()?.join("initdb")).arg("--pgdata").arg(cluster.data()).args(auth))?;
        cluster.go_on()?;
        watch(&bin()?, &cluster.folder)?;
        Ok(cluster)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Stops it: at once, as a crash would (`immediate`), or breaking off what runs (`fast`).
    pub(crate) fn stop(&self, mode: &str) -> Result<(), String> {
        let mut stop = as_nobody(bin()?.join("pg_ctl"));
        run(stop.args(["stop", "--wait", "--silent", "--mode", mode, "--pgdata"]).arg(self.data())).map(drop)
    }

    /// Starts it, for the first time or again.
    pub(crate) fn go_on(&self) -> Result<(), String> {
        // Nothing is synced to disk, for speed; but what was committed was handed to the system, and outlives a crash of the
        // cluster.
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c fsync=off -c max_connections=300 \
             -c full_page_writes=off",
            self.folder.display()
        );
        let log = self.folder.join("log");
        let mut start = as_nobody(bin()?.join("pg_ctl"));
        run(start
            .args(["start", "--wait", "--silent", "--pgdata"])
            .arg(self.data())
            .arg("--log")
            .arg(&log)
            .args(["--options", &options]))
        .map_err(|reason| format!("{reason}: {}", std::fs::read_to_string(&log).unwrap_or_default()))
        .map(drop)
    }
}

/// Stops the cluster when this process is gone, however it went: then the pipe that the watcher reads from ends.
fn watch(bin: &Path, folder: &Path) -> Result<(), String> {
    let (bin, folder) = (bin.display(), folder.display());
    let script = format!(
        "cat >/dev/null; '{bin}/pg_ctl' stop --silent --mode=immediate --pgdata='{folder}/data'; rm -rf '{folder}'"
    );
    let mut watcher = as_nobody("sh");
    // A process group of its own: an interrupt from the keyboard is not for it.
    watcher
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let mut watcher = watcher.spawn().map_err(|error| error.to_string())?;
    let mut pipe = watcher.stdin.take().ok_or("no pipe")?;
    pipe.write_all(b"watch\n").map_err(|error| error.to_string())?;
    std::mem::forget(pipe);
    Ok(())
}

/// Where PostgreSQL's programs are: the newest of Debian's folders, or the search path's.
fn bin() -> Result<PathBuf, String> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = std::env::split_paths(&on_path).collect();
    let mut found: Vec<PathBuf> = debian.filter(|bin| bin.join("initdb").exists()).collect();
    found.sort();
    found
        .pop()
        .or_else(|| on_path.into_iter().find(|bin| bin.join("pg_ctl").exists()))
        .ok_or_else(|| "not installed".into())
}

/// PostgreSQL refuses to run as root.
fn as_nobody(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let root = run(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let mut command = if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "nobody", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

fn run(command: &mut Command) -> Result<String, String> {
    // Not through pipes: a server that pg_ctl leaves running would hold them open.
    let out = tempfile::tempfile().map_err(|error| error.to_string())?;
    let copy = out.try_clone().map_err(|error| error.to_string())?;
    let again = out.try_clone().map_err(|error| error.to_string())?;
    let status = command.stdin(Stdio::null()).stdout(copy).stderr(again).status();
    let status = status.map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    let mut text = String::new();
    let mut out = out;
    std::io::Seek::rewind(&mut out).map_err(|error| error.to_string())?;
    std::io::Read::read_to_string(&mut out, &mut text).map_err(|error| error.to_string())?;
    if status.success() { Ok(text) } else { Err(format!("{:?} failed: {text}", command.get_program())) }
}
