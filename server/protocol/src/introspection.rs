//! What introspection tells about a live token (RFC 7662 §2.2), as far as it concerns who asks.

use serde_json::{Map, Value};

use crate::audience::{Audience, ResourceIndicator};
use crate::authorization_details::{AuthorizationDetail, AuthorizationDetails};
use crate::identifier::ClientId;
use crate::resource_server::ResourceServer;
use crate::token::{Token, TokenKind};

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Asker<'a> {
    /// A resource server, about access tokens sent to it.
    ResourceServer(&'a ResourceServer),
    /// A client, about tokens issued to it or handed over to it.
    Client(&'a ClientId),
}

/// The answer for every token that is not alive, not known, or not for the asker: nothing more (RFC 7662 §2.2).
#[must_use]
pub fn inactive() -> Map<String, Value> {
    Map::from_iter([("active".to_owned(), Value::Bool(false))])
}

/// The answer about a token that is alive. For a resource server that is not its audience it is that of an
/// [`inactive`] one; for one that is, scope and authorization details are those that concern it.
#[must_use]
pub fn answer(token: &Token, issuer: &str, asker: Asker<'_>) -> Map<String, Value> {
    if !concerns(token, asker) {
        return inactive();
    }
    let mut claims = match asker {
        Asker::ResourceServer(server) => seen_by(token, server).claims(issuer),
        Asker::Client(_) => token.claims(issuer),
    };
    claims.insert("active".to_owned(), true.into());
    if token.kind == TokenKind::Access {
        claims.insert("token_type".to_owned(), token.token_type().into());
    }
    claims
}

fn concerns(token: &Token, asker: Asker<'_>) -> bool {
    if !token.kind.is_introspected() {
        return false;
    }
    match (asker, &token.audience) {
        (Asker::ResourceServer(server), Audience::Resources) => {
            token.kind == TokenKind::Access && token.authority.resources.contains(&server.identifier)
        }
        (Asker::ResourceServer(_), Audience::Actor(_)) => false,
        (Asker::Client(client), Audience::Actor(actor)) => client == actor || *client == token.client,
        (Asker::Client(client), Audience::Resources) => *client == token.client,
    }
}

/// The token with the scope and the details of this resource server alone (RFC 7662 §2.2, RFC 9396 §9.2).
fn seen_by(token: &Token, server: &ResourceServer) -> Token {
    let mut seen = token.clone();
    seen.authority.scope = seen.authority.scope.common(&server.scope());
    let details = seen.authority.details.0.into_iter();
    let concerning = details.filter(|detail| is_for(detail, &server.identifier)).collect();
    seen.authority.details = AuthorizationDetails(concerning);
    seen
}

/// A detail without `locations` is for every audience of the token.
fn is_for(detail: &AuthorizationDetail, server: &ResourceIndicator) -> bool {
    detail.locations().is_none_or(|mut locations| locations.any(|location| location == server.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ISSUER: &str = "https://as.example";

    fn token(kind: &str, audience: Value) -> Token {
        serde_json::from_value(json!({
            "id": "t", "kind": kind, "client": "agent", "subject": {"user": "alice"},
            "chain": [{"sub": "agent", "iss": ISSUER, "sub_profile": "ai_agent"}],
            "may_act": {"sub": "next", "iss": ISSUER, "sub_profile": "ai_agent"}, "audience": audience,
            "authority": {
                "scope": "a:read b:read", "resources": ["urn:a", "urn:b"], "until": 100,
                "details": [
                    {"type": "d", "n": 1, "locations": ["urn:a"]},
                    {"type": "d", "n": 2, "locations": ["urn:b"]},
                    {"type": "d", "n": 3}
                ]
            },
            "jkt": "k", "issued_at": 50, "login": {"auth_time": 40, "acr": "1", "amr": ["pwd"]}, "consent": null,
            "task": {"id": "t2", "root": "t1", "authority_hash": "h"}, "parent": null, "family": null,
            "session": null
        }))
        .unwrap()
    }

    fn server(identifier: &str, scope: &str) -> ResourceServer {
        serde_json::from_value(json!({
            "identifier": identifier, "name": "N", "scopes": {scope: {"en": "words"}}, "signing_alg": "ES256"
        }))
        .unwrap()
    }

    fn to_server(token: &Token, identifier: &str, scope: &str) -> Value {
        Value::Object(answer(token, ISSUER, Asker::ResourceServer(&server(identifier, scope))))
    }

    #[test]
    fn a_resource_server_sees_who_acts_and_what_concerns_it() {
        let actor = |sub: &str| json!({"sub": sub, "iss": ISSUER, "sub_profile": "ai_agent"});
        assert_eq!(
            to_server(&token("access", json!("resources")), "urn:a", "a:read"),
            json!({
                "active": true, "iss": ISSUER, "sub": "alice", "sub_profile": "user", "aud": ["urn:a", "urn:b"],
                "exp": 100, "iat": 50, "jti": "t", "client_id": "agent", "scope": "a:read", "token_type": "DPoP",
                "authorization_details": [{"type": "d", "n": 1, "locations": ["urn:a"]}, {"type": "d", "n": 3}],
                "act": actor("agent"), "may_act": actor("next"), "cnf": {"jkt": "k"},
                "auth_time": 40, "acr": "1", "amr": ["pwd"], "txn": "t1", "task": {"id": "t2", "authority_hash": "h"}
            })
        );
    }

    #[test]
    fn a_scope_that_is_not_the_servers_is_not_told() {
        let told = to_server(&token("access", json!("resources")), "urn:b", "z");
        assert_eq!((told["active"].clone(), told.get("scope")), (json!(true), None));
    }

    #[test]
    fn a_token_for_others_is_as_good_as_none() {
        let inactive = json!({"active": false});
        assert_eq!(Value::Object(super::inactive()), inactive);
        assert_eq!(to_server(&token("access", json!("resources")), "urn:c", "a:read"), inactive);
        assert_eq!(to_server(&token("refresh", json!("resources")), "urn:a", "a:read"), inactive);
        assert_eq!(to_server(&token("access", json!({"actor": "next"})), "urn:a", "a:read"), inactive);
    }

    #[test]
    fn a_client_sees_its_own_tokens_and_those_handed_over_to_it() {
        let active = |token: &Token, client: &str| {
            answer(token, ISSUER, Asker::Client(&client.parse().unwrap()))["active"].clone()
        };
        let handed_over = token("access", json!({"actor": "next"}));
        for (client, expected) in [("agent", true), ("next", true), ("other", false)] {
            assert_eq!(active(&handed_over, client), expected, "{client}");
        }
        assert_eq!(active(&token("access", json!("resources")), "next"), false);
    }

    #[test]
    fn a_refresh_token_does_not_look_like_an_access_token() {
        let refresh = token("refresh", json!("resources"));
        let told = answer(&refresh, ISSUER, Asker::Client(&refresh.client));
        assert_eq!((told["active"].clone(), told.get("token_type")), (json!(true), None));
    }
}
