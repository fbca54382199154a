//! Exchanges in numbers: a small house with one story in it, requests that are signed before they are needed, and
//! a client that costs next to nothing.

pub mod scene;
pub mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use wire::{Answer, Wire};

/// What came of a run.
pub struct Run {
    /// How long it took as a whole.
    pub elapsed: Duration,
    /// How long each answer took, sorted.
    pub latencies: Vec<Duration>,
    /// The answers other than 200.
    pub refused: Vec<Answer>,
}

impl Run {
    /// Answers per second.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency that `share` of the answers did not exceed.
    #[must_use]
    pub fn latency(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.latencies.get(at).copied().unwrap_or_default()
    }
}

/// Sends all `requests` over `concurrency` connections that stay open, each as soon as the one before is answered.
///
/// # Errors
/// Where a connection breaks.
pub async fn run(address: SocketAddr, requests: Vec<Vec<u8>>, concurrency: usize) -> anyhow::Result<Run> {
    let requests = Arc::new(requests);
    let next = Arc::new(AtomicUsize::new(0));
    let mut wires = Vec::new();
    for _ in 0..concurrency {
        wires.push(Wire::connect(address).await?);
    }
    let started = Instant::now();
    let senders: Vec<_> = wires
        .into_iter()
        .map(|mut wire| {
            let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
            tokio::spawn(async move {
                let (mut latencies, mut refused) = (Vec::new(), Vec::new());
                while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let sent = Instant::now();
                    let answer = wire.send(request).await?;
                    latencies.push(sent.elapsed());
                    if answer.status != 200 {
                        refused.push(answer);
                    }
                }
                anyhow::Ok((latencies, refused))
            })
        })
        .collect();
    let (mut latencies, mut refused) = (Vec::new(), Vec::new());
    for sender in senders {
        let (mut some, mut others) = sender.await??;
        latencies.append(&mut some);
        refused.append(&mut others);
    }
    let elapsed = started.elapsed();
    latencies.sort_unstable();
    Ok(Run { elapsed, latencies, refused })
}
