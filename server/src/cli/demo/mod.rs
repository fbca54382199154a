//! `procura demo`: the main job from end to end, against a house that exists for this only.
//!
//! The server is the real one, the way is HTTP, and whoever speaks to it does so from outside: an application made
//! with the openidconnect crate, agents that sign for themselves, and a resource server that trusts nothing but
//! published keys and introspection. What each step is worth is decided by what came back.

mod application;
mod browser;
mod by_hand;
mod house;
mod orders_api;
mod party;
mod picture;
mod refusals;
mod step;
mod story;
mod voice;
mod wire;
mod work;

use std::io::Write as _;
use std::pin::pin;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use self::house::House;
use self::step::Step;
use self::story::Told;
use self::voice::Voice;
use super::serve::interruption;

/// How the demo runs.
#[derive(Debug, Args)]
pub struct Demo {
    /// End after the story instead of staying open.
    #[arg(long)]
    exit: bool,
    /// Print the steps as one JSON object, and end.
    #[arg(long)]
    json: bool,
}

/// Opens a house, tells the story, and closes it again.
///
/// # Errors
/// What stands in the way of the story; a step that goes wrong is no error but a failure.
pub async fn run(arguments: &Demo) -> anyhow::Result<ExitCode> {
    let interrupted = interruption()?;
    let house = House::open(true).await?;
    let shown = show(arguments, &house, interrupted).await;
    house.close().await?;
    shown
}

async fn show(
    arguments: &Demo,
    house: &House,
    interrupted: impl Future<Output = ()>,
) -> anyhow::Result<ExitCode> {
    let mut interrupted = pin!(interrupted);
    let story = async { if arguments.json { quietly(house).await } else { aloud(house).await } };
    let told = tokio::select! {
        told = story => told?,
        () = &mut interrupted => return Ok(ExitCode::FAILURE),
    };
    if !arguments.json && !arguments.exit {
        Voice::new().invite(house, &house.start())?;
        interrupted.await;
    }
    let ok = !told.steps.is_empty() && told.steps.iter().all(Step::ok);
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One JSON object on standard output; what went wrong in words on standard error.
async fn quietly(house: &House) -> anyhow::Result<Told> {
    let told = story::tell(house, &mut |_| {}).await?;
    let steps: Vec<Value> = told.steps.iter().map(Step::to_json).collect();
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&json!({ "steps": steps }))?)?;
    for step in &told.steps {
        for problem in &step.problems {
            writeln!(std::io::stderr(), "{}: {problem}", step.name)?;
        }
    }
    Ok(told)
}

async fn aloud(house: &House) -> anyhow::Result<Told> {
    let mut voice = Voice::new();
    voice.say(&format!(
        "Procura is open at {}, with a database of its own, for this demo only.",
        house.at.issuer
    ))?;
    let mut spoken = Ok(());
    let told = story::tell(house, &mut |step: &Step| {
        if spoken.is_ok() {
            spoken = voice.tell(step);
        }
    })
    .await?;
    spoken?;
    if let Some(picture) = &told.picture {
        voice.say(&format!("\n{}", picture.draw()))?;
    }
    let wrong = told.steps.iter().filter(|step| !step.ok()).count();
    voice.say(&match wrong {
        0 => format!("\nAll {} steps went as they should.", told.steps.len()),
        _ => format!("\n{wrong} of {} steps did not go as they should.", told.steps.len()),
    })?;
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_step_of_the_story_goes_as_it_should() {
        let house = House::open(false).await.unwrap();
        let told = story::tell(&house, &mut |_| {}).await.unwrap();
        let wrong: Vec<_> =
            told.steps.iter().filter(|s| !s.ok()).map(|s| (s.name, &s.problems, s.answer())).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(told.steps.len() > 20, "{}", told.steps.len());
        assert!(told.picture.is_some());
        let page = wire::Wire::new().unwrap();
        let page = browser::Browser::new(&page, &house.at.issuer).open(&house.start()).await.unwrap();
        assert!(browser::Form::find(&page.body, "/sign-in").is_ok(), "{}", page.body);
        house.close().await.unwrap();
    }
}
