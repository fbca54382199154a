//! The conformance suite, pointed at a house of our own: whatever a text demands, Procura does.

mod oidf;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use conformance::profile::Profile;
use conformance::report::Outcome;
use conformance::world::{Clock, World};
use tests::{Database, House, INVENTORY, ORDERS, Secured, Wanted};

/// A file of the suite.
fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// What is asked of a house that speaks TLS.
const BY_CERTIFICATE: &str = "R-8705-";

/// What is about servers that do not support request objects. Procura does.
const ABOUT_OTHERS: [&str; 1] = ["R-OIDC-45"];

/// The house's clock: time passes when it is turned, and nobody waits.
struct Turned(Arc<House>);

impl Clock for Turned {
    fn now(&self) -> i64 {
        self.0.door().now().0
    }

    fn pass(&self, seconds: u64) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        self.0.later(i64::try_from(seconds).unwrap());
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn procura_does_what_the_texts_demand() {
    let house = Arc::new(House::build(Database::Sqlite, |_| file("house.toml")).await);
    let profile = Profile::parse(&file("procura.toml")).unwrap();
    let world = World::find(house.issuer(), profile, Box::new(Turned(Arc::clone(&house)))).await.unwrap();
    let only: Vec<String> =
        std::env::var("ONLY").map(|only| only.split(',').map(str::to_owned).collect()).unwrap_or_default();
    let report = conformance::run(&world, &only).await;
    println!("{report}");
    assert!(report.is_conformant(), "{report}");
    // What is skipped shows nothing.
    let skipped = report.lines.iter().filter(|line| line.outcome == Outcome::Skipped).map(|line| line.id);
    let skipped: Vec<_> =
        skipped.filter(|id| !id.starts_with(BY_CERTIFICATE) && !ABOUT_OTHERS.contains(id)).collect();
    assert!(skipped.is_empty(), "skipped: {skipped:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn procura_knows_clients_by_their_certificates() {
    let secured = Secured::prepare();
    let (vouched, own) =
        (secured.clients.issue(Wanted::client("tls")), Wanted::client("self-signed").self_signed());
    for (name, identity) in [("tls.pem", &vouched), ("self-signed.pem", &own)] {
        std::fs::write(secured.file(name), format!("{}{}", identity.key_pem, identity.pem)).unwrap();
    }
    std::fs::write(secured.file("authority.pem"), &secured.authority.pem).unwrap();
    let key = tests::Key::generate();
    let member = |name: &str| key.jwk[name].as_str().unwrap().to_owned();
    let registered = [
        ("tls", "tls_client_auth", "tls_client_auth_subject_dn = \"CN=tls,O=Example\\\\, Inc.\"".to_owned()),
        (
            "self-signed",
            "self_signed_tls_client_auth",
            format!(
                "jwks = {{ keys = [{{ kty = \"EC\", crv = \"P-256\", x = \"{}\", y = \"{}\", x5c = [\"{}\"] }}] }}",
                member("x"),
                member("y"),
                own.x5c()
            ),
        ),
    ];
    let clients = registered.map(|(id, method, more)| {
        format!(
            "[[clients]]\nid = \"{id}\"\nname = \"{id}\"\nkind = \"service\"\nauthentication = \"{method}\"\n\
             tls_client_certificate_bound_access_tokens = true\nscope = \"orders:read\"\n\
             resources = [\"{ORDERS}\"]\n{more}\n"
        )
    });
    let registration = "[registration]\nenabled = \"open\"\nrequests_per_minute = 1000\n";
    let house = House::open_secured(&secured, &format!("{registration}{}", clients.concat())).await;
    let house = Arc::new(house);
    let path = |name: &str| secured.file(name).display().to_string();
    let profile = format!(
        "authorities = \"{}\"\n[user]\nusername = \"alice\"\npassword = \"x\"\n[targets]\nresource = \"{ORDERS}\"\n\
         other_resource = \"{INVENTORY}\"\nscope = \"orders:read\"\nmore_scope = \"orders:write\"\n\
         other_scope = \"inventory:read\"\ncommon_scope = \"x\"\n\
         [clients.tls]\nid = \"tls\"\nauthentication = \"tls_client_auth\"\ncertificate = \"{}\"\n\
         [clients.self_signed_tls]\nid = \"self-signed\"\nauthentication = \"self_signed_tls_client_auth\"\n\
         certificate = \"{}\"\n",
        path("authority.pem"),
        path("tls.pem"),
        path("self-signed.pem")
    );
    let profile = Profile::parse(&profile).unwrap();
    let world = World::find(house.issuer(), profile, Box::new(Turned(Arc::clone(&house)))).await.unwrap();
    let report = conformance::run(&world, &["R-8705".to_owned()]).await;
    assert!(report.lines.iter().all(|line| line.outcome == Outcome::Pass), "{report}");
}
