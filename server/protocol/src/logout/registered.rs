//! Which addresses a client may register for logout and for sign-in begun by others (Back-Channel Logout §2.2,
//! Front-Channel Logout §2, OpenID Connect Core §4).

use url::{Origin, Url};

use crate::client::ClientMetadata;

/// Why an address cannot be registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnfitUri {
    /// Plain http to another machine, or no web address at all.
    #[error("must be https; plain http only to 127.0.0.1, [::1] or localhost")]
    NotEncrypted,
    /// Plain http, where none is permitted at all.
    #[error("must be https")]
    NotHttps,
    /// With a fragment.
    #[error("must not have a fragment")]
    Fragment,
    /// With a user name or password.
    #[error("must not name a user")]
    UserInfo,
    /// Another scheme, host or port than every redirect URI.
    #[error("must have the scheme, host and port of one of the redirect URIs")]
    AnotherOrigin,
}

/// Everything that is wrong with these addresses, each with its name.
#[must_use]
pub fn unfit(metadata: &ClientMetadata, redirect_uris: &[String]) -> Vec<(&'static str, UnfitUri)> {
    let back = metadata.backchannel_logout_uri.as_ref().map(check);
    let front =
        metadata.frontchannel_logout_uri.as_ref().map(|uri| check(uri).and(check_origin(uri, redirect_uris)));
    let initiate = metadata.initiate_login_uri.as_ref().map(|uri| check(uri).and(check_https(uri)));
    let all = [
        ("backchannel_logout_uri", back),
        ("frontchannel_logout_uri", front),
        ("initiate_login_uri", initiate),
    ];
    all.into_iter().filter_map(|(name, checked)| Some((name, checked?.err()?))).collect()
}

fn check(uri: &Url) -> Result<(), UnfitUri> {
    let loopback = matches!(uri.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    if uri.scheme() != "https" && !(uri.scheme() == "http" && loopback) {
        return Err(UnfitUri::NotEncrypted);
    }
    if uri.fragment().is_some() {
        return Err(UnfitUri::Fragment);
    }
    if !uri.username().is_empty() || uri.password().is_some() {
        return Err(UnfitUri::UserInfo);
    }
    Ok(())
}

fn check_https(uri: &Url) -> Result<(), UnfitUri> {
    if uri.scheme() == "https" { Ok(()) } else { Err(UnfitUri::NotHttps) }
}

/// The browser loads it in a frame, and only what could have been returned to anyway may be loaded there.
fn check_origin(uri: &Url, redirect_uris: &[String]) -> Result<(), UnfitUri> {
    let same = |one: &String| {
        Url::parse(one)
            .is_ok_and(|one| matches!(one.origin(), Origin::Tuple(..)) && one.origin() == uri.origin())
    };
    if redirect_uris.iter().any(same) { Ok(()) } else { Err(UnfitUri::AnotherOrigin) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, uri: &str) -> Option<UnfitUri> {
        let metadata = serde_json::from_value(serde_json::json!({ name: uri })).unwrap();
        let redirect_uris = [
            "https://c.example/cb".to_owned(),
            "http://127.0.0.1:8400/cb".into(),
            "com.example.app:/cb".into(),
        ];
        let found = unfit(&metadata, &redirect_uris);
        assert!(found.len() <= 1 && found.iter().all(|(found, _)| *found == name));
        found.first().map(|(_, why)| *why)
    }

    #[test]
    fn addresses_are_https_without_fragment_and_user() {
        for name in ["backchannel_logout_uri", "frontchannel_logout_uri", "initiate_login_uri"] {
            assert_eq!(one(name, "https://c.example/x?a=1"), None, "{name}");
            assert_eq!(one(name, "http://c.example/x"), Some(UnfitUri::NotEncrypted), "{name}");
            assert_eq!(one(name, "com.example.app:/x"), Some(UnfitUri::NotEncrypted), "{name}");
            assert_eq!(one(name, "https://c.example/x#"), Some(UnfitUri::Fragment), "{name}");
            assert_eq!(one(name, "https://a@c.example/x"), Some(UnfitUri::UserInfo), "{name}");
        }
    }

    #[test]
    fn sign_in_begun_by_others_is_never_plain() {
        assert_eq!(one("initiate_login_uri", "http://127.0.0.1:8400/x"), Some(UnfitUri::NotHttps));
        assert_eq!(one("backchannel_logout_uri", "http://127.0.0.1:8400/x"), None);
    }

    #[test]
    fn what_is_loaded_in_a_frame_has_the_origin_of_a_redirect_uri() {
        let name = "frontchannel_logout_uri";
        assert_eq!(one(name, "http://127.0.0.1:8400/x"), None);
        for other in [
            "https://c.example:8443/x",
            "https://d.example/x",
            "http://127.0.0.1:8401/x",
            "http://localhost/x",
        ] {
            assert_eq!(one(name, other), Some(UnfitUri::AnotherOrigin), "{other}");
        }
    }
}
