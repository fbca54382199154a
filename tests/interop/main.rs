//! Clients that we did not write, from npm and PyPI, against a house that speaks TLS. Each script says what works,
//! step by step, and ends with the first thing that does not. What works must be what the documentation promises of
//! that library: nothing less, and nothing more.

mod declared;
mod guest;
mod promised;

use declared::{Guests, guests};
use tests::{Database, House, Secured};

async fn receive(library: &str, command: Option<std::process::Command>) {
    let Some(command) = command else { return };
    let secured = Secured::prepare();
    let Guests { toml, mut told } = guests(&secured);
    let house = House::on_secured(Database::Sqlite, &secured, &toml).await;
    let trusted = secured.file("authority.pem");
    std::fs::write(&trusted, &secured.authority.pem).unwrap();
    told["issuer"] = house.issuer().into();
    let alice = house.signed_in("alice").await;
    let shown = guest::receive(command, &trusted, &told, house.issuer(), &alice).await;
    assert_eq!(shown, promised::promised(library), "left: what {library} did; right: what the table says");
}

#[tokio::test]
async fn openid_client_from_npm() {
    receive("openid-client", guest::npm("openid-client.mjs")).await;
}

#[tokio::test]
async fn oauth4webapi_from_npm() {
    receive("oauth4webapi", guest::npm("oauth4webapi.mjs")).await;
}

#[tokio::test]
async fn authlib_from_pypi() {
    receive("Authlib", guest::pypi("with_authlib.py")).await;
}

#[tokio::test]
async fn requests_oauth2client_from_pypi() {
    receive("requests-oauth2client", guest::pypi("with_requests_oauth2client.py")).await;
}
