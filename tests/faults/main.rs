//! What the house keeps when something breaks: a process that dies, two that race, a database that goes away,
//! a client that means no good.

mod floods;
mod goodbye;
mod hostile_clients;
mod key_ring;
mod kill_to_refusal;
mod killed;
mod lost_database;
mod single_use;
mod two_nodes;

use tests::load::wire::Answer;

/// The OAuth error of an answer; empty where it is none.
fn refusal(answer: &Answer) -> String {
    answer.json()["error"].as_str().unwrap_or_default().to_owned()
}

/// A member of an answer that must be there as text.
#[track_caller]
fn text(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", answer.json())).to_owned()
}

/// The `jti` of a token.
fn id_of(token: &str) -> String {
    tests::unverified_claims(token)["jti"].as_str().unwrap().to_owned()
}
