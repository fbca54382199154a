//! `procura`: opens the house, or speaks to it.

use std::process::ExitCode;

use clap::Parser as _;
use server::cli::{Arguments, run, tell};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => tell(&error),
    }
}
