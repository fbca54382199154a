//! `procura`: opens the house, or speaks to it.

use std::process::ExitCode;

use clap::Parser as _;
use server::cli::{Arguments, run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    run(Arguments::parse()).await
}
