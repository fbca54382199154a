//! What the program does for whoever has the machine: as a child process, on the database of an open house.

use std::path::PathBuf;
use std::process::Output;

use serde_json::json;
use tests::program;
use tests::{Database, House, on_both_databases, password_of};

on_both_databases! {
    a_link_printed_on_the_command_line_sets_a_password_once,
    initial_access_tokens_are_made_listed_and_revoked_on_the_command_line,
}

/// A house, and its configuration as a file.
struct WithFile {
    house: House,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl WithFile {
    async fn open(database: Database, fragment: &str) -> Self {
        let house = House::on_with(database, fragment).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("house.toml");
        std::fs::write(&file, house.config()).unwrap();
        Self { house, file, _folder: folder }
    }

    async fn run(&self, words: &[&str]) -> Output {
        let (file, words) =
            (self.file.clone(), words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let run = move || {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            program::run(&file, &words).unwrap()
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    /// What it prints when all goes well.
    async fn prints(&self, words: &[&str]) -> String {
        let output = self.run(words).await;
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says when something stands in the way, with nothing to answer.
    async fn refuses(&self, words: &[&str]) -> String {
        let output = self.run(words).await;
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

async fn a_link_printed_on_the_command_line_sets_a_password_once(database: Database) {
    let here = WithFile::open(database, "").await;
    let house = &here.house;
    assert!(here.refuses(&["users", "reset-link", "nobody"]).await.contains("no enabled user"));
    let printed = here.prints(&["users", "reset-link", "ALICE"]).await;
    let told = house.told("user.reset_link", "granted").await;
    assert!(told["user"].is_string() && !told.to_string().contains("link_"), "{told}");
    let path = printed.trim().strip_prefix(house.issuer()).unwrap().to_owned();
    let person = house.person();
    let set = async || {
        let page = person.page(&path).await;
        if page.status != 200 {
            return page;
        }
        let mut form = page.form();
        form.fill("password", "another secret, a long one");
        form.fill("password_again", "another secret, a long one");
        page.submit(&form, None).await.page()
    };
    assert_eq!(set().await.path, "/account", "whoever has the link is signed in by it");
    assert_eq!(set().await.status, 400, "it is used up");
    house.person().sign_in("alice", "another secret, a long one").await;
    let refused = house.person().page("/sign-in").await.sign_in("alice", &password_of("alice")).await.page();
    assert_eq!(refused.status, 401);
}

#[tokio::test]
async fn a_command_that_looks_after_a_server_makes_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let (file, database) = (folder.path().join("house.toml"), folder.path().join("data/none.db"));
    std::fs::write(&file, format!("database_url = \"sqlite://{}?mode=rwc\"\n", database.display())).unwrap();
    for words in [
        &["keys", "list"][..],
        &["keys", "rotate"],
        &["users", "reset-link", "alice"],
        &["registration", "tokens"],
        &["registration", "token", "--name", "x"],
        &["audit", "tail"],
    ] {
        let (file, words) = (file.clone(), words.to_vec());
        let said = tokio::task::spawn_blocking(move || program::run(&file, &words).unwrap()).await.unwrap();
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(!said.status.success() && told.contains("there is no database at /"), "{told}");
        assert!(said.stdout.is_empty());
    }
    assert!(!database.exists() && !database.parent().unwrap().exists());
}

async fn initial_access_tokens_are_made_listed_and_revoked_on_the_command_line(database: Database) {
    let here =
        WithFile::open(database, "[registration]\nenabled = \"token\"\nrequests_per_minute = 100\n").await;
    let house = &here.house;
    let register = |token: String| {
        let request = house.request("POST", "/register").bearer_auth(token);
        house.send(request.json(&json!({ "redirect_uris": ["https://rp.example/callback"] })))
    };
    for wrong in [
        &["registration", "token", "--name", " "][..],
        &["registration", "token", "--name", "x", "--uses", "0"],
        &["registration", "token", "--name", "x", "--life", "soon"],
        &["registration", "token", "--name", "x", "--life", "400d"],
    ] {
        here.refuses(wrong).await;
    }
    assert_eq!(here.prints(&["registration", "tokens"]).await, "");
    let make = async |name: &'static str, uses: &'static str| {
        let words = ["registration", "token", "--name", name, "--uses", uses, "--life", "8h"];
        here.prints(&words).await.trim().to_owned()
    };
    let (team, other) = (make("the team", "2").await, make("others", "1").await);
    let told = house.told("registration.token", "granted").await;
    assert!(
        told["reason"].as_str().unwrap().contains("others") && !told.to_string().contains(&other),
        "{told}"
    );
    assert_eq!(register(team.clone()).await.status, 201);

    let list = here.prints(&["registration", "tokens"]).await;
    let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    let uses: Vec<_> = lines.iter().map(|words| (words[0], words[2..].join(" "))).collect();
    assert_eq!(uses, [("1", "others".to_owned()), ("1", "the team".to_owned())], "{list}");
    assert!(!list.contains(&team) && !list.contains(&other), "{list}");

    here.refuses(&["registration", "revoke", "nobody"]).await;
    assert_eq!(here.prints(&["registration", "revoke", "the team"]).await.trim(), "1");
    let told = house.told("registration.token", "granted").await;
    assert!(told["reason"].as_str().unwrap().starts_with("revoked"), "{told}");
    register(team).await.refused_with(401, "invalid_token");
    assert_eq!(register(other.clone()).await.status, 201);
    register(other).await.refused_with(401, "invalid_token");
    assert_eq!(here.prints(&["registration", "tokens"]).await, "");
}
