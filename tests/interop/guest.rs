//! A client that is not ours, in another language: a program that is told where the house is and asks for a person
//! when it needs one. The words are those of `clients-npm/guest.mjs`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tests::{Arrival, Person, browser};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

/// How long a program may take, with everything that a loaded machine does beside.
const PATIENCE: Duration = Duration::from_secs(180);

/// Where the guests live.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(name)
}

/// The command that runs a script of the npm clients; none, told aloud, where they are not installed.
pub fn npm(script: &str) -> Option<Command> {
    let folder = folder("clients-npm");
    if !folder.join("node_modules").is_dir() {
        browser::skip(script, "no clients from npm: npm ci --prefix tests/interop/clients-npm");
        return None;
    }
    let mut command = Command::new("node");
    command.arg(folder.join(script));
    Some(command)
}

/// The command that runs a script of the PyPI clients; none, told aloud, where they are not installed.
pub fn pypi(script: &str) -> Option<Command> {
    let folder = folder("clients-pypi");
    let python = folder.join(".venv/bin/python");
    if !python.exists() {
        browser::skip(script, "no clients from PyPI: see tests/interop/clients-pypi/requirements.txt");
        return None;
    }
    let mut command = Command::new(python);
    command.arg(folder.join(script)).env("PYTHONDONTWRITEBYTECODE", "1");
    Some(command)
}

/// Runs a guest to its end, with `person` at its side.
///
/// # Panics
/// When it does not end well; with all that it said.
pub async fn receive(mut command: Command, trusted: &Path, told: &Value, issuer: &str, person: &Person) {
    command
        .env("NODE_EXTRA_CA_CERTS", trusted)
        .env("REQUESTS_CA_BUNDLE", trusted)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut guest = command.spawn().expect("the program starts");
    let mut ears = guest.stdin.take().unwrap();
    let mut lines = BufReader::new(guest.stdout.take().unwrap()).lines();
    let mut complaints = guest.stderr.take().unwrap();
    let heard = tokio::spawn(async move {
        let mut text = String::new();
        let _ = tokio::io::AsyncReadExt::read_to_string(&mut complaints, &mut text).await;
        text
    });
    let mut said = Vec::new();
    let conversation = async {
        ears.write_all(format!("{told}\n").as_bytes()).await.unwrap();
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some(url) = line.strip_prefix("visit ") {
                let ended = Value::from(go(person, issuer, url).await);
                ears.write_all(format!("{ended}\n").as_bytes()).await.unwrap();
            }
            let over = line == "done";
            said.push(line);
            if over {
                break;
            }
        }
        guest.wait().await.unwrap()
    };
    let ended = tokio::time::timeout(PATIENCE, conversation).await;
    let well = ended.is_ok_and(|status| status.success()) && said.last().is_some_and(|line| line == "done");
    if !well {
        heard.abort();
        let complaints = heard.await.unwrap_or_default();
        panic!("it did not end well after:\n{}\n{complaints}", said.join("\n"));
    }
    let steps = said.iter().filter(|line| line.starts_with("step ")).count();
    assert!(steps > 0, "it did nothing: {said:?}");
}

/// Takes the person's browser there, and says yes to whatever is asked; gives where it ended.
async fn go(person: &Person, issuer: &str, url: &str) -> String {
    let path = url.strip_prefix(issuer).unwrap_or_else(|| panic!("{url} is not at {issuer}"));
    let mut arrived = person.get(path).await;
    for _ in 0..4 {
        arrived = match arrived {
            Arrival::Away(url) => return url.into(),
            Arrival::Page(page) if page.html.contains("id=\"consent-form\"") => page.approve(|_| {}).await,
            Arrival::Page(page) => match waiting(&page.html) {
                // Requests that came from elsewhere wait in a list.
                Some(link) => person.get(&link).await,
                None if page.status == 200 => return format!("{issuer}{}", page.path),
                None => panic!("stuck at {}: {} {}", page.path, page.status, page.text()),
            },
        };
    }
    panic!("led in circles from {url}")
}

/// The first request of a list of those that wait.
fn waiting(html: &str) -> Option<String> {
    let rest = html.split_once("href=\"/approvals/")?.1;
    Some(format!("/approvals/{}", rest.split('"').next()?))
}
