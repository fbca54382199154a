//! What a token exchange costs, measured in one run on one machine: the processor time of the signatures alone (the
//! floor), that of the whole server for each exchange, and what happens beside it.
//!
//!     cargo bench --workspace --bench exchange
//!
//! Nothing is asserted: clocks of shared machines prove nothing. What is read here is the ratio to the floor.

mod floor;
mod house;

use std::time::Duration;

/// How many exchanges for each concurrency.
const EXCHANGES: usize = 4000;
/// How many go at once.
const CONCURRENCIES: [usize; 3] = [1, 16, 64];

fn main() -> anyhow::Result<()> {
    // Under `cargo test` benches are run to see that they do: one small round is enough for that.
    let short = !std::env::args().any(|argument| argument == "--bench");
    let exchanges = std::env::var("EXCHANGES").ok().and_then(|n| n.parse().ok());
    let exchanges = exchanges.unwrap_or(if short { 50 } else { EXCHANGES });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;

    let floor = floor::measure(if short { Duration::from_millis(100) } else { Duration::from_secs(2) })?;
    println!("\nThe floor: processor time of the signatures of one exchange, on one thread");
    println!("  client assertion verified   {:>8.1} µs", micros(floor.assertion));
    println!("  DPoP proof verified         {:>8.1} µs", micros(floor.proof));
    println!("  subject token verified      {:>8.1} µs", micros(floor.subject));
    println!("  access token signed         {:>8.1} µs", micros(floor.signed));
    println!("  together                    {:>8.1} µs", micros(floor.together()));
    println!(
        "The server makes one signature and verifies two: a subject token of its own is known by its digest."
    );

    let house = runtime.block_on(house::measure(exchanges, &CONCURRENCIES))?;
    println!("\n{exchanges} exchanges for each row, SQLite on disk, synchronous FULL, DPoP nonce required");
    println!(
        "{:>10} {:>12} {:>9} {:>12} {:>10} {:>10}",
        "at once", "CPU/exchange", "× floor", "exchanges/s", "p50", "p99"
    );
    for row in &house.rows {
        println!(
            "{:>10} {:>9.1} µs {:>9.2} {:>12.0} {:>7.2} ms {:>7.2} ms",
            row.concurrency,
            micros(row.cpu),
            row.cpu.as_secs_f64() / floor.together().as_secs_f64(),
            row.throughput,
            row.p50.as_secs_f64() * 1e3,
            row.p99.as_secs_f64() * 1e3,
        );
    }
    println!(
        "\n{:>10} {:>17} {:>15} {:>17}",
        "at once", "commits/exchange", "reads/exchange", "changes/exchange"
    );
    for row in runtime.block_on(house::count(exchanges.min(2000), &CONCURRENCIES))? {
        println!("{:>10} {:>17.3} {:>15.3} {:>17.3}", row.concurrency, row.commits, row.reads, row.changes);
    }
    println!(
        "\nResident memory: {:.1} MiB at rest, {:.1} MiB after {} exchanges",
        mib(house.at_rest),
        mib(house.after),
        exchanges * CONCURRENCIES.len()
    );
    Ok(())
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
