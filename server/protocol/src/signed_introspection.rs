//! Introspection answered by a signed JWT (RFC 9701): who wants one, what is in it, and how it is signed.

use serde_json::{Map, Value};

use crate::client::{Client, SigningAlg};
use crate::numeric_date::NumericDate;

/// `typ` of the JWT (RFC 9701 §5).
pub const TYP: &str = "token-introspection+jwt";
/// The media type of the answer (RFC 9701 §4).
pub const MEDIA_TYPE: &str = "application/token-introspection+jwt";
/// What is answered unless [`MEDIA_TYPE`] is asked for (RFC 7662 §2.2).
const JSON: &str = "application/json";

/// Whether an `Accept` header asks for a JWT: by its name, and not less than for JSON (RFC 9701 §4, RFC 9110
/// §12.5.1). Whoever takes anything gets JSON.
#[must_use]
pub fn is_wanted(accept: Option<&str>) -> bool {
    let ranges: Vec<(String, u16)> = accept.unwrap_or_default().split(',').filter_map(range).collect();
    let weight = |name: &str| ranges.iter().find(|(range, _)| range == name).map_or(0, |(_, weight)| *weight);
    weight(MEDIA_TYPE) > 0 && weight(MEDIA_TYPE) >= weight(JSON)
}

/// A media range and its weight in thousandths.
fn range(text: &str) -> Option<(String, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next()?.to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    weight.map_or(Some(1000), thousandths).map(|weight| (name, weight))
}

/// `qvalue` (RFC 9110 §12.4.2): 0 or 1 with at most three decimal places.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    if places.len() > 3 || !places.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let places: u16 = format!("{places:0<3}").parse().ok()?;
    match (whole, places) {
        ("0", places) => Some(places),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// The algorithm of the signature: what was registered (RFC 9701 §6), else RS256, or the first one of the client's
/// profile where that does not permit RS256.
#[must_use]
pub fn signing_alg(client: &Client) -> SigningAlg {
    let permitted = client.profile.rules().signing_algs;
    let usual = if permitted.contains(&SigningAlg::Rs256) { None } else { permitted.first().copied() };
    client.metadata.introspection_signed_response_alg.unwrap_or_else(|| usual.unwrap_or(SigningAlg::Rs256))
}

/// The claims (RFC 9701 §5). There is neither `sub` nor `exp` beside the answer, so that the JWT cannot be taken for
/// a token.
#[must_use]
pub fn claims(
    answer: Map<String, Value>,
    issuer: &str,
    audience: &str,
    now: NumericDate,
) -> Map<String, Value> {
    let members = [
        ("iss", issuer.into()),
        ("aud", audience.into()),
        ("iat", now.0.into()),
        ("token_introspection", Value::Object(answer)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Who the answer is for: the resource server by its identifier, another client by its id.
#[must_use]
pub fn audience(client: &Client) -> &str {
    client.resource_server.as_ref().map_or(client.id.as_str(), |server| server.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::profile::SecurityProfile;

    #[test]
    fn a_jwt_is_wanted_where_its_media_type_is_named_and_json_is_not_liked_better() {
        for wanted in [
            MEDIA_TYPE,
            "Application/Token-Introspection+JWT",
            "application/token-introspection+jwt;q=0.5, */*",
            "text/html, application/token-introspection+jwt",
            "application/json;q=0.9, application/token-introspection+jwt",
            "application/json, application/token-introspection+jwt",
            "application/token-introspection+jwt ; q=0.001",
        ] {
            assert!(is_wanted(Some(wanted)), "{wanted}");
        }
        for other in [
            "",
            "*/*",
            "application/*",
            "application/json",
            "application/jwt",
            "application/token-introspection+jwt;q=0",
            "application/token-introspection+jwt;q=0.000",
            "application/token-introspection+jwt;q=0.8, application/json",
            "application/token-introspection+jwt;q=2",
            "application/token-introspection+jwt;q=0.0001",
            "application/token-introspection+jwt;q=x",
            "application/token-introspection+jwtx",
        ] {
            assert!(!is_wanted(Some(other)), "{other}");
        }
        assert!(!is_wanted(None));
    }

    fn client(change: impl FnOnce(&mut Client)) -> Client {
        let mut client = serde_json::from_value(json!({
            "id": "api", "name": "API", "kind": "service", "authentication": "none", "grant_types": [], "scope": "",
            "id_token_signed_response_alg": "ES256", "status": "active"
        }))
        .unwrap();
        change(&mut client);
        client
    }

    #[test]
    fn it_is_signed_as_registered_else_with_rs256_where_the_profile_permits_it() {
        assert_eq!(signing_alg(&client(|_| {})), SigningAlg::Rs256);
        let registered = client(|c| c.metadata.introspection_signed_response_alg = Some(SigningAlg::EdDsa));
        assert_eq!(signing_alg(&registered), SigningAlg::EdDsa);
        let financial = client(|c| c.profile = SecurityProfile::Fapi2);
        assert!(SecurityProfile::Fapi2.rules().signing_algs.contains(&signing_alg(&financial)));
    }

    #[test]
    fn the_answer_stands_apart_from_the_claims_of_the_jwt() {
        let answer = json!({"active": true, "sub": "alice", "exp": 9});
        let told = claims(answer.as_object().unwrap().clone(), "https://as.example", "urn:a", NumericDate(5));
        let expected =
            json!({"iss": "https://as.example", "aud": "urn:a", "iat": 5, "token_introspection": answer});
        assert_eq!(Value::Object(told), expected);
    }

    #[test]
    fn it_is_for_the_resource_server_that_asks_or_for_the_client() {
        assert_eq!(audience(&client(|_| {})), "api");
        let server = client(|c| c.resource_server = Some("urn:orders".parse().unwrap()));
        assert_eq!(audience(&server), "urn:orders");
    }
}
