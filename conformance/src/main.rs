//! `conformance --issuer URL --config FILE`: asks a server, prints a table.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use conformance::profile::Profile;
use conformance::world::{RealTime, World};

/// Checks an OAuth authorization server against the texts, from outside.
#[derive(Parser)]
struct Args {
    /// The issuer identifier of the server.
    #[arg(long)]
    issuer: String,
    /// The file with the test clients and the test user.
    #[arg(long)]
    config: PathBuf,
    /// Only the requirements whose id begins so, such as R-8693. May come several times.
    #[arg(long)]
    only: Vec<String>,
    /// The report as JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let profile = Profile::open(&args.config)?;
    let world = World::find(&args.issuer, profile, Box::new(RealTime)).await?;
    let report = conformance::run(&world, &args.only).await;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(if report.is_conformant() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
