//! What the program does for whoever has the machine: as a child process, on the database of an open house.

use std::path::PathBuf;
use std::process::Output;

use serde_json::json;
use tests::program;
use tests::{Database, House, on_both_databases, password_of};

on_both_databases! {
    a_link_printed_on_the_command_line_sets_a_password_once,
    initial_access_tokens_are_made_listed_and_revoked_on_the_command_line,
    an_operator_looks_and_ends_on_the_command_line_with_a_key_of_their_own,
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

/// Runs the program without any configuration.
async fn run_alone(folder: &std::path::Path, words: Vec<String>) -> Output {
    let none = folder.join("none.toml");
    let run = move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        program::run(&none, &words).unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

async fn an_operator_looks_and_ends_on_the_command_line_with_a_key_of_their_own(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let (key, other) = (folder.path().join("operations.pem"), folder.path().join("other.pem"));
    let make = |file: &std::path::Path| vec!["admin-key".to_owned(), file.display().to_string()];
    let made = run_alone(folder.path(), make(&key)).await;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let jwks = String::from_utf8(made.stdout).unwrap();
    let again = run_alone(folder.path(), make(&key)).await;
    assert_eq!(again.status.code(), Some(1), "a key that is there stays");
    assert!(run_alone(folder.path(), make(&other)).await.status.success());

    let declared = format!(
        "[[clients]]\nid = \"operations\"\nname = \"Operations\"\nkind = \"service\"\n\
         authentication = \"private_key_jwt\"\nadmin_api = true\nscope = \"admin:read admin:endings\"\n{jwks}"
    );
    let house = House::build(database, move |town| format!("{town}\n{declared}")).await;
    let run = async |key: &std::path::Path, words: &[&str]| {
        let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let issuer = house.issuer().to_owned();
        words.extend(["--key".to_owned(), key.display().to_string(), "--server".to_owned(), issuer]);
        run_alone(folder.path(), words).await
    };
    let prints = async |words: &[&str]| {
        let output = run(&key, words).await;
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let refuses = async |key: &std::path::Path, words: &[&str]| {
        let output = run(key, words).await;
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    };

    let listed = prints(&["agent", "list"]).await;
    let ids: Vec<serde_json::Value> = listed
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].clone())
        .collect();
    assert_eq!(ids, ["agent-a", "agent-b", "agent-c"]);
    assert_eq!(prints(&["agent", "list", "--where", "status=retired"]).await, "");
    let user: serde_json::Value =
        serde_json::from_str(&prints(&["user", "list", "--where", "username=alice"]).await).unwrap();
    let alice = user["id"].as_str().unwrap().to_owned();
    assert!(prints(&["user", "show", &alice]).await.contains("\"alice@people.example\""));

    let token = house.delegated_token(&house.client("agent-a"), "orders:read").await;
    assert_eq!(prints(&["consent", "list", "--where", "actor=agent-a"]).await.lines().count(), 1);
    assert_eq!(prints(&["task", "list", "--where", "status=active"]).await.lines().count(), 1);
    let done = prints(&["end", "agent", "agent-a", "--suspend", "--reason", "it runs wild"]).await;
    let done: serde_json::Value = serde_json::from_str(&done).unwrap();
    assert_eq!((&done["operation"], &done["ended"]["counts"]["consents"]), (&json!("suspend"), &json!(1)));
    let told = house.told("agent.suspend", "granted").await;
    assert_eq!(
        (&told["client"], &told["reason"]),
        (&json!("operations"), &json!("by operations: it runs wild"))
    );
    assert!(!house.is_active(token.access_token()).await);
    prints(&["end", "agent", "agent-a", "--resume"]).await;
    house.told("agent.resume", "granted").await;
    prints(&["end", "user", &alice, "--operation", "disable"]).await;
    house.told("user.disable", "granted").await;

    let done = prints(&["end", "instance", "agent-a", "--instance", "run-1"]).await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&done).unwrap()["seen"], false, "{done}");
    assert_eq!(house.told("instance.end", "granted").await["instance"], "run-1");

    // What stands in the way is said in words that help.
    for (words, said) in [
        (&["end", "agent", "nobody"][..], "there is no such agent"),
        (&["end", "token", "tok_x", "--suspend"], "must be one of: revoke"),
        (&["end", "instance", "agent-a"], "--instance INSTANCE says which"),
        (&["agent", "list", "--where", "status"], "write NAME=VALUE"),
        (&["agent", "list", "--where", "colour=red"], "the query cannot be read"),
        (&["agent", "show", "shop"], "there is no such agent"),
        (&["agent", "list", "--client", "shop"], "declare the client with admin_api = true"),
    ] {
        let told = refuses(&key, words).await;
        assert!(told.contains(said), "{words:?}: {told}");
    }
    assert!(refuses(&other, &["agent", "list"]).await.contains("declare the client with admin_api = true"));
    let missing = folder.path().join("missing.pem");
    assert!(refuses(&missing, &["agent", "list"]).await.contains("procura admin-key"));
}
