//! The addresses at which clients are told that sessions end, as they may stand in the configuration.

use super::{EXAMPLE, refused};

#[test]
fn an_address_that_may_not_be_registered_is_refused_by_its_key() {
    let first = "[[clients]]\n";
    for (line, key) in [
        ("backchannel_logout_uri = \"http://shop.example/out\"", "clients[0].backchannel_logout_uri"),
        ("backchannel_logout_uri = \"https://shop.example/out#x\"", "clients[0].backchannel_logout_uri"),
        ("frontchannel_logout_uri = \"https://elsewhere.example/out\"", "clients[0].frontchannel_logout_uri"),
        ("initiate_login_uri = \"http://127.0.0.1/begin\"", "clients[0].initiate_login_uri"),
    ] {
        let problems = refused(&EXAMPLE.replacen(first, &format!("{first}{line}\n"), 1));
        assert!(problems.len() == 1 && problems[0].contains(key), "{line}: {problems:?}");
    }
}
