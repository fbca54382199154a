//! The real program as a child process: built, started, measured, and killed.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::load::wire::{self, Wire};

/// How long a start may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `procura`. Dropping it kills it.
pub struct Program {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Program {
    /// Starts the program with a configuration file whose `listen` is `address`, and waits for nothing. What it logs is
    /// added to `procura.log` beside the file.
    ///
    /// # Errors
    /// Where it cannot be built or started.
    pub fn begin(config: &Path, address: SocketAddr) -> anyhow::Result<Self> {
        let log = config.with_file_name("procura.log");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let child = Command::new(built()?)
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("procura does not start")?;
        Ok(Self { child, address })
    }

    /// As [`Program::begin`], and waits until it is ready.
    ///
    /// # Errors
    /// Where it cannot be built, or ends, or is not ready in time.
    pub async fn start(config: &Path, address: SocketAddr) -> anyhow::Result<Self> {
        let mut program = Self::begin(config, address)?;
        let started = std::time::Instant::now();
        loop {
            if let Some(status) = program.child.try_wait()? {
                bail!("procura ended at once: {status}; see procura.log beside {}", config.display());
            }
            if program.is_ready().await {
                return Ok(program);
            }
            if started.elapsed() > PATIENCE {
                bail!("procura is not ready after {PATIENCE:?}");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether it says so itself.
    pub async fn is_ready(&self) -> bool {
        let Ok(mut wire) = Wire::connect(self.address).await else { return false };
        let answer = wire.send(&wire::get("/readyz")).await;
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// SIGKILL: at once, with no goodbye.
    ///
    /// # Errors
    /// Where it is gone already.
    pub fn kill(mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("procura was gone before it was killed: {status}");
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM: please end.
    ///
    /// # Errors
    /// Where no signal can be sent.
    pub fn terminate(&self) -> anyhow::Result<()> {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        if status.success() { Ok(()) } else { bail!("kill -TERM: {status}") }
    }

    /// Waits for its end, and tells whether that was a good one.
    ///
    /// # Errors
    /// Where it goes on beyond `longest`.
    pub async fn ended(&mut self, longest: Duration) -> anyhow::Result<bool> {
        let started = std::time::Instant::now();
        while started.elapsed() < longest {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bail!("procura still runs after {longest:?}")
    }

    /// The processor time it used so far, in user and in kernel mode.
    ///
    /// # Errors
    /// Where it is gone.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields = stat.rsplit_once(") ").context("a stat without a name")?.1;
        let tick = |at: usize| -> anyhow::Result<u64> {
            Ok(fields.split(' ').nth(at).context("a short stat")?.parse()?)
        };
        // The fields 14 and 15 of proc(5), in ticks of which the kernel tells a hundred a second.
        Ok(Duration::from_millis(10 * (tick(11)? + tick(12)?)))
    }

    /// Its resident memory, in KiB.
    ///
    /// # Errors
    /// Where it is gone.
    pub fn resident(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the program to its end with these words after `--config`, and tells what it printed and how it ended.
///
/// # Errors
/// Where it cannot be built or started.
pub fn run(config: &Path, words: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(built()?);
    command.arg("--config").arg(config).args(words).stdin(Stdio::null());
    command.output().context("procura does not start")
}

/// An address on this machine where nobody listens.
///
/// # Errors
/// Where there is none.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The program, of the same profile as whoever asks. Under Cargo it is brought up to date first; without it, what
/// lies beside the tests has to do.
fn built() -> anyhow::Result<PathBuf> {
    static ONCE: std::sync::OnceLock<Result<PathBuf, String>> = std::sync::OnceLock::new();
    let built = ONCE.get_or_init(|| find().map_err(|error| format!("{error:#}")));
    built.clone().map_err(anyhow::Error::msg)
}

fn find() -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe()?;
    let folder = this.parent().and_then(Path::parent).context("the tests lie in no target folder")?;
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--workspace", "--bin", "procura"]);
        build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
        if folder.ends_with("release") {
            build.arg("--release");
        }
        if !build.status()?.success() {
            bail!("procura does not build");
        }
    }
    let program = folder.join("procura");
    if program.exists() {
        return Ok(program);
    }
    bail!("{} is missing: cargo build --workspace --bin procura", program.display())
}
