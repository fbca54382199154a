//! The whole server: as a child process for its processor time and memory, in this process for its commits.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tests::load::scene::Scene;
use tests::load::{self, Run};
use tests::program::{Program, free_address};
use tokio::net::TcpListener;

/// What the child took.
pub struct House {
    pub rows: Vec<Row>,
    /// Resident memory in KiB once it was ready.
    pub at_rest: u64,
    /// And after all exchanges.
    pub after: u64,
}

/// For one concurrency.
pub struct Row {
    pub concurrency: usize,
    pub cpu: Duration,
    pub throughput: f64,
    pub p50: Duration,
    pub p99: Duration,
}

/// For one exchange.
pub struct Counts {
    pub concurrency: usize,
    pub commits: f64,
    pub reads: f64,
    pub changes: f64,
}

/// Signs the requests, then sends them.
async fn round(scene: &Scene, exchanges: usize, concurrency: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let nonce = scene.nonce().await?;
    // What is cached is cached before the clock starts.
    check(&load::run(scene.address, vec![scene.exchange(&nonce)?; 1], 1).await?)?;
    let _ = concurrency;
    (0..exchanges).map(|_| scene.exchange(&nonce)).collect()
}

fn check(run: &Run) -> anyhow::Result<()> {
    match run.refused.first() {
        None => Ok(()),
        Some(answer) => bail!("{} refused: {} {}", run.refused.len(), answer.status, answer.json()),
    }
}

/// Measures the release program.
pub async fn measure(exchanges: usize, concurrencies: &[usize]) -> anyhow::Result<House> {
    let folder = tempfile::tempdir()?;
    let database = format!("sqlite://{}/procura.db?mode=rwc", folder.path().display());
    let scene = Scene::set(folder.path(), &database, free_address()?).await?;
    let program = Program::start(&scene.config, scene.address).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let at_rest = program.resident()?;
    let mut rows = Vec::new();
    for &concurrency in concurrencies {
        let requests = round(&scene, exchanges, concurrency).await?;
        let before = program.cpu()?;
        let run = load::run(scene.address, requests, concurrency).await?;
        let cpu = program.cpu()? - before;
        check(&run)?;
        rows.push(Row {
            concurrency,
            cpu: cpu / u32::try_from(exchanges)?,
            throughput: run.throughput(),
            p50: run.latency(0.5),
            p99: run.latency(0.99),
        });
    }
    Ok(House { rows, at_rest, after: program.resident()? })
}

/// Counts what the store did.
pub async fn count(exchanges: usize, concurrencies: &[usize]) -> anyhow::Result<Vec<Counts>> {
    let folder = tempfile::tempdir()?;
    let database = format!("sqlite://{}/procura.db?mode=rwc", folder.path().display());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let scene = Scene::set(folder.path(), &database, listener.local_addr()?).await?;
    let app = scene.open().await?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(server::serve::serve(Arc::clone(&app), listener, async {
        let _ = stopped.await;
    }));
    let mut all = Vec::new();
    for &concurrency in concurrencies {
        let requests = round(&scene, exchanges, concurrency).await?;
        let before = app.store.statistics();
        check(&load::run(scene.address, requests, concurrency).await?)?;
        let after = app.store.statistics();
        let each = |before: u64, after: u64| (after - before) as f64 / exchanges as f64;
        all.push(Counts {
            concurrency,
            commits: each(before.commits, after.commits),
            reads: each(before.reads, after.reads),
            changes: each(before.changes, after.changes),
        });
    }
    let _ = stop.send(());
    served.await??;
    Ok(all)
}
