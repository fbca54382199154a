//! Whose redirect URIs are one sector (OpenID Connect Core §8.1, OpenID Connect Registration §5).

use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

use super::RegistrationRefused;
use super::checks::is_pairwise;
use crate::client::{ClientMetadata, GrantType};

/// Without a `sector_identifier_uri`, pairwise subjects are for redirect URIs of one host.
pub(super) fn check_hosts(
    metadata: &ClientMetadata,
    redirect_uris: &[String],
) -> Result<(), RegistrationRefused> {
    let host = |uri: &String| Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned));
    let hosts: BTreeSet<_> = redirect_uris.iter().map(host).collect();
    if is_pairwise(metadata) && metadata.sector_identifier_uri.is_none() && hosts.len() > 1 {
        return Err(RegistrationRefused::NoSector);
    }
    Ok(())
}

/// Whether a client of these grant types is a sector by itself. It gets tokens of users on ways that end at none of its
/// redirect URIs, so that to name another's, also with a document that names them, shows nothing.
pub(super) fn is_alone(metadata: &ClientMetadata, grant_types: &BTreeSet<GrantType>) -> bool {
    let elsewhere = |grant: &GrantType| match grant {
        GrantType::AuthorizationCode | GrantType::RefreshToken | GrantType::ClientCredentials => false,
        GrantType::TokenExchange
        | GrantType::DeviceCode
        | GrantType::Ciba
        | GrantType::JwtBearer
        | GrantType::Deferred => true,
    };
    is_pairwise(metadata) && grant_types.iter().any(elsewhere)
}

/// Holds the document of a `sector_identifier_uri` against the redirect URIs: it must name every one.
///
/// # Errors
/// [`RegistrationRefused::Sector`].
pub fn check(document: &[u8], redirect_uris: &[String]) -> Result<(), RegistrationRefused> {
    let named: Value = serde_json::from_slice(document).map_err(|_| RegistrationRefused::Sector)?;
    let named = named.as_array().ok_or(RegistrationRefused::Sector)?;
    let is_named = |uri: &String| named.iter().any(|one| one == uri.as_str());
    if redirect_uris.iter().all(is_named) { Ok(()) } else { Err(RegistrationRefused::Sector) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sector_must_name_every_redirect_uri_exactly() {
        let uris = ["https://a.example/cb".to_owned(), "https://b.example/cb".to_owned()];
        let both = br#"["https://b.example/cb", "https://c.example/", "https://a.example/cb"]"#;
        assert_eq!(check(both, &uris), Ok(()));
        for bad in [
            &br#"["https://a.example/cb"]"#[..],
            br#"["https://a.example/cb", "https://b.example/cb/"]"#,
            br#"{"https://a.example/cb": 1, "https://b.example/cb": 1}"#,
            br#"[["https://a.example/cb", "https://b.example/cb"]]"#,
            b"<html>",
            b"",
        ] {
            assert_eq!(check(bad, &uris), Err(RegistrationRefused::Sector));
        }
    }
}
