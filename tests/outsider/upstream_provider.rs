//! A person signs in at an OpenID Provider that we did not write (node-oidc-provider), and signs out there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;
use tests::{Database, Form, House, browser};
use url::Url;

/// How long the provider may take to start, on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/provider-npm")
}

/// The provider. It ends with the test.
struct Provider(Child);

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn provider(issuer: &str, client: serde_json::Value) -> Provider {
    let mut running = Command::new(folder().join("node_modules/.bin/node"))
        .arg(folder().join("provider.mjs"))
        .arg(json!({ "issuer": issuer, "client": client }).to_string())
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the provider starts");
    let lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let running = Provider(running);
    let (told, heard) = mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let _ = told.send(line);
        }
    });
    let ready = || heard.recv_timeout(PATIENCE).expect("the provider says that it is ready");
    while ready() != "ready" {}
    running
}

/// Somebody with a browser that keeps cookies and fills in whatever form there is.
struct Visitor {
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    fn new() -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, cookies: BTreeMap::new() }
    }

    /// Goes on at the provider, filling in forms, until led to a URL that begins with `until`, or to a page without
    /// a form.
    async fn walk(&mut self, start: &Url, until: &str, filled: &[(&str, &str)]) -> Url {
        let (mut url, mut form) = (start.clone(), None::<Vec<(String, String)>>);
        for _ in 0..20 {
            let request = match &form {
                Some(fields) => self.http.post(url.clone()).form(fields),
                None => self.http.get(url.clone()),
            };
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let response = request.header("Cookie", cookies.join("; ")).send().await.unwrap();
            for cookie in response.headers().get_all("set-cookie") {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            if let Some(location) = response.headers().get("location") {
                url = url.join(location.to_str().unwrap()).unwrap();
                form = None;
                if url.as_str().starts_with(until) {
                    return url;
                }
                continue;
            }
            let html = response.text().await.unwrap();
            let Some(mut next) = Form::all(&html).into_iter().next() else { return url };
            for (name, value) in filled {
                if next.fields.iter().any(|(known, _)| known == name) {
                    next.fill(name, value);
                }
            }
            next.fields.extend(next.buttons.iter().filter(|(name, _)| name == "logout").cloned());
            url = url.join(&next.action).unwrap();
            form = Some(next.fields);
        }
        panic!("led in circles, last to {url}")
    }
}

#[tokio::test]
async fn somebody_signs_in_at_node_oidc_provider_and_signs_out_there() {
    let test = "somebody_signs_in_at_node_oidc_provider_and_signs_out_there";
    if !folder().join("node_modules/.bin/node").exists() {
        return browser::skip(test, "there is no provider: npm ci --prefix tests/interop/provider-npm");
    }
    let issuer = format!("http://{}", tests::program::free_address().unwrap());
    let upstream = format!(
        "[outbound]\npermitted_addresses = [\"127.0.0.1/32\"]\ntimeout = \"20s\"\n\n[[upstreams]]\nid = \"node\"\n\
         issuer = \"{issuer}\"\nclient_id = \"procura\"\nclient_secret = \"a secret between two servers\"\n\
         name = \"Node\"\n[[upstreams.groups]]\ngroup = \"operators\"\nadmin = true\n"
    );
    let house = House::on_with(Database::Sqlite, &upstream).await;
    let client = json!({
        "client_id": "procura", "client_secret": "a secret between two servers",
        "redirect_uris": [house.url("/federation/node/callback")], "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "backchannel_logout_uri": house.url("/federation/node/backchannel-logout"),
        "backchannel_logout_session_required": true,
    });
    let _provider = provider(&issuer, client);

    let (grace, mut there) = (house.person(), Visitor::new());
    let filled = [("login", "grace"), ("password", "any")];
    let page = grace.page("/sign-in").await;
    let form = Form::all(&page.html)
        .into_iter()
        .find(|form| form.buttons.iter().any(|(name, _)| name == "upstream"));
    let leaving = page.submit(&form.expect("a button"), Some(("upstream", "node"))).await.page();
    assert_eq!(leaving.status, 200, "{}", leaving.text());
    let sent: Url = leaving.link("leaving-go").parse().unwrap();
    assert!(sent.as_str().starts_with(&issuer), "{sent}");
    let back = there.walk(&sent, house.issuer(), &filled).await;
    let arrived = grace.page(back.as_str().strip_prefix(house.issuer()).unwrap()).await;
    assert_eq!((arrived.status, arrived.path.as_str()), (200, "/account"), "{}", arrived.text());
    let user = house.store().find_user_by_username("grace").await.unwrap().expect("an account");
    assert_eq!((user.name.as_str(), user.verified_email()), ("Grace Guest", Some("grace@guests.example")));
    assert!(user.admin, "by her group");
    assert_eq!(grace.page("/admin").await.status, 200);

    // She signs out there, and the provider tells the house.
    let end = Url::parse(&format!("{issuer}/session/end")).unwrap();
    there.walk(&end, "nowhere", &[]).await;
    for _ in 0..100 {
        if house.last_event().await["action"] == "upstream.logout" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    house.told("upstream.logout", "granted").await;
    assert!(grace.page("/account").await.path.starts_with("/sign-in"));
}
