//! A client that is not ours, in another language: a program that is told where the house is and asks for a person
//! when it needs one. The words are those of `clients-npm/guest.mjs`.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tests::{Arrival, Person, browser};
use tokio::sync::mpsc;

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

/// A program that is ended with whoever holds it.
struct Guest(Child);

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a program says on one of its ways, line by line.
fn lines(way: impl Read + Send + 'static) -> mpsc::UnboundedReceiver<String> {
    let (sender, heard) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(way).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    heard
}

/// Runs a guest to its end, with `person` at its side; gives the features that it showed, each on a line
/// `works FEATURE`.
///
/// # Panics
/// When it does not end well; with all that it said.
pub async fn receive(
    mut command: Command,
    trusted: &Path,
    told: &Value,
    issuer: &str,
    person: &Person,
) -> BTreeSet<String> {
    command
        .env("NODE_EXTRA_CA_CERTS", trusted)
        .env("REQUESTS_CA_BUNDLE", trusted)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut guest = Guest(command.spawn().expect("the program starts"));
    let mut ears = guest.0.stdin.take().unwrap();
    let mut words = lines(guest.0.stdout.take().unwrap());
    let mut complaints = lines(guest.0.stderr.take().unwrap());
    let mut said = Vec::new();
    let conversation = async {
        writeln!(ears, "{told}").unwrap();
        while let Some(line) = words.recv().await {
            if let Some(url) = line.strip_prefix("visit ") {
                let ended = Value::from(go(person, issuer, url).await);
                writeln!(ears, "{ended}").unwrap();
            }
            said.push(line);
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, conversation).await.is_ok();
    let well = in_time && said.last().is_some_and(|line| line == "done");
    if !well {
        drop(guest);
        while let Some(line) = complaints.recv().await {
            said.push(line);
        }
        panic!("it did not end well:\n{}", said.join("\n"));
    }
    assert!(guest.0.wait().is_ok_and(|status| status.success()), "it did not end well: {said:?}");
    said.iter().filter_map(|line| line.strip_prefix("works ")).map(str::to_owned).collect()
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
