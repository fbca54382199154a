//! A server that is tested by a conformance suite: it says so, again and again, and does what such a run needs and
//! nobody else may.

use std::sync::Arc;
use std::time::Duration;

use protocol::client::SigningAlg;

use crate::app::{App, Visit, same};
use crate::failure::{Broken, Failure};
use crate::keys::{self, Workshop, by_hand, rotation};

/// How often it is said.
const PACE: Duration = Duration::from_secs(3600);

/// What is said.
pub const WARNING: &str = "THIS IS A TEST SERVER. [certification] is configured: whoever knows hook_secret approves \
                           requests of others and changes the signing keys. Never let it near real people or real data.";

/// The warning in a frame, for the start.
#[must_use]
pub fn framed() -> String {
    const WIDTH: usize = 76;
    let edge = "!".repeat(WIDTH + 8);
    let mut lines: Vec<String> = vec![edge.clone(), edge.clone()];
    let mut line = String::new();
    let mut put = |line: &mut String| lines.push(format!("!!! {:<WIDTH$} !!!", std::mem::take(line)));
    for word in WARNING.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            put(&mut line);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    put(&mut line);
    lines.extend([edge.clone(), edge]);
    lines.join("\n")
}

/// Says it in the log at the start and each hour.
pub async fn warn_for_ever(app: Arc<App>) {
    if app.settings.certification.is_none() {
        return;
    }
    loop {
        tracing::error!("{WARNING}");
        tokio::time::sleep(PACE).await;
    }
}

/// Whether somebody knows the word that opens the hooks.
#[must_use]
pub fn opens(app: &App, word: &str) -> bool {
    app.settings.certification.as_ref().is_some_and(|table| same(table.hook_secret.reveal(), word))
}

/// Publishes the next signing keys at once, as an operator does with `procura keys rotate`.
///
/// # Errors
/// The store's and the keys'.
pub async fn rotate_keys(app: &App, visit: &Visit) -> Result<(), Failure> {
    let workshop = Workshop { store: &app.store, at_rest: &app.at_rest, entropy: app.entropy.as_ref() };
    let rotation = rotation(&app.settings, &app.store.resource_servers().await?);
    by_hand::rotate(&workshop, &SigningAlg::ALL, &rotation, visit.now).await.map_err(Broken::from)?;
    // This node need not wait for its next look.
    let published = keys::publish(&app.store.signing_keys().await?, &app.at_rest).map_err(Broken::from)?;
    app.keys.replace(published);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_says_all_of_it_and_no_line_sticks_out() {
        let framed = framed();
        let width = framed.lines().next().unwrap().len();
        assert!(framed.lines().all(|line| line.len() == width), "{framed}");
        let said = framed.replace('!', " ");
        assert_eq!(
            said.split_whitespace().collect::<Vec<_>>(),
            WARNING.split_whitespace().collect::<Vec<_>>()
        );
    }
}
