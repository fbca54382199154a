//! The conformance suite, pointed at a house of our own: whatever a text demands, Procura does.

mod oidf;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use conformance::profile::Profile;
use conformance::report::Outcome;
use conformance::world::{Clock, World};
use tests::{Database, House};

/// A file of the suite.
fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// What Procura does not offer, so that nothing can be asked about it.
const NOT_OFFERED: [&str; 0] = [];

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
    let skipped: Vec<_> = skipped.filter(|id| !NOT_OFFERED.contains(id)).collect();
    assert!(skipped.is_empty(), "skipped: {skipped:?}");
}
