//! What one client may and must do: the rules of its profile and what it registered, taken together, as lines that a
//! page can show to people.

use crate::client::{Client, ClientAuthentication, Encryption, GrantType, KeySource, SubjectType};
use crate::numeric_date::Seconds;
use crate::profile::{AssertionAudience, CodeChallengeRule, SenderConstraint};

/// One line about a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// What it is about.
    pub topic: Topic,
    /// What holds.
    pub said: Said,
    /// Why it holds.
    pub source: Source,
}

/// What holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// A sentence.
    Words(Words),
    /// Values as they stand on the wire; none of them means nothing.
    Values(Vec<String>),
    /// A length of time.
    Lasts(Seconds),
}

/// Why something holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// For everybody.
    Everybody,
    /// By the client's profile.
    Profile,
    /// By what it registered.
    Registration,
}

/// What a line is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Topic {
    /// How it authenticates.
    Authentication,
    /// What its client assertions are for.
    AssertionAudience,
    /// Where its keys are.
    Keys,
    /// What it and we may sign with.
    SigningAlgs,
    /// Its grant types.
    GrantTypes,
    /// Where its answers go.
    RedirectUris,
    /// Whether a request must name one.
    RedirectUriSaid,
    /// PKCE.
    CodeChallenge,
    /// The life of its codes.
    CodeLife,
    /// PAR.
    PushedRequests,
    /// JAR.
    SignedRequests,
    /// The longest life of its request objects.
    RequestObjectLife,
    /// JARM.
    SignedResponses,
    /// Its ID tokens.
    IdTokens,
    /// What subjects it sees.
    Subjects,
    /// Its userinfo.
    Userinfo,
    /// Whether its tokens are bound to a key.
    BoundTokens,
    /// Whether its refresh tokens change with each use.
    RefreshTokens,
    /// What it may ask for.
    Scope,
    /// Where.
    Resources,
    /// In which details.
    DetailsTypes,
    /// The resource server that it is.
    ResourceServer,
    /// Where it is told of logouts.
    Logout,
    /// How it learns of answers to backchannel requests.
    Backchannel,
}

/// A sentence about a client.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Words {
    /// It must.
    Required,
    /// It may.
    Optional,
    /// There is nothing of the kind.
    None,
    /// The issuer, and nothing else.
    IssuerAlone,
    /// The issuer, or the URL of the endpoint.
    IssuerOrEndpoint,
    /// They came with its registration.
    KeysByValue,
    /// Unless it is an OpenID Connect request: one whose scope has `openid` in it.
    UnlessOpenId,
    /// By a certificate.
    Certificate,
    /// By DPoP or by a certificate.
    KeyOrCertificate,
    /// By DPoP.
    Key,
    /// They need not be.
    BearerTokens,
    /// Each use replaces it, unless it is bound to a key.
    Rotated,
    /// It stays.
    NotRotated,
    /// The same for everybody.
    PublicSubjects,
    /// Of its sector's own.
    PairwiseSubjects,
    /// As plain JSON.
    PlainJson,
}

/// Every line about `client`. `code_life` is the setting.
#[must_use]
pub fn lines(client: &Client, code_life: Seconds) -> Vec<Line> {
    let mut lines = Vec::new();
    authentication(client, &mut lines);
    if client.grant_types.contains(&GrantType::AuthorizationCode) {
        requests(client, code_life, &mut lines);
        answers(client, &mut lines);
    }
    tokens(client, &mut lines);
    reach(client, &mut lines);
    told(client, &mut lines);
    lines
}

const fn line(topic: Topic, said: Said, source: Source) -> Line {
    Line { topic, said, source }
}

fn values<T: ToString>(values: impl IntoIterator<Item = T>) -> Said {
    Said::Values(values.into_iter().map(|value| value.to_string()).collect())
}

/// Whether something must be: by the profile, or by what was registered.
const fn demanded(topic: Topic, profile: bool, registered: bool) -> Line {
    match (profile, registered) {
        (true, _) => line(topic, Said::Words(Words::Required), Source::Profile),
        (false, true) => line(topic, Said::Words(Words::Required), Source::Registration),
        (false, false) => line(topic, Said::Words(Words::Optional), Source::Everybody),
    }
}

fn authentication(client: &Client, lines: &mut Vec<Line>) {
    let rules = client.profile.rules();
    let method = client.authentication.method().as_str();
    let alg = client.metadata.token_endpoint_auth_signing_alg.map(|alg| alg.as_str());
    let whom = match &client.authentication {
        ClientAuthentication::WorkloadJwt(identity) => Some(identity.issuer.clone()),
        ClientAuthentication::SpiffeJwt { spiffe_id } | ClientAuthentication::SpiffeX509 { spiffe_id } => {
            Some(spiffe_id.to_string())
        }
        ClientAuthentication::AttestJwtClientAuth { attester }
        | ClientAuthentication::AttestJwtClientAuthDpop { attester } => Some(attester.clone()),
        _ => None,
    };
    let said = [method].into_iter().chain(alg).chain(whom.as_deref());
    lines.push(line(Topic::Authentication, values(said), Source::Registration));
    if client.authentication == ClientAuthentication::PrivateKeyJwt {
        let words = match rules.assertion_audience {
            AssertionAudience::IssuerAlone => Words::IssuerAlone,
            AssertionAudience::IssuerOrEndpoint => Words::IssuerOrEndpoint,
        };
        lines.push(line(Topic::AssertionAudience, Said::Words(words), Source::Profile));
    }
    let keys = match &client.keys {
        KeySource::None => Said::Words(Words::None),
        KeySource::Jwks(_) => Said::Words(Words::KeysByValue),
        KeySource::JwksUri(uri) => values([uri]),
    };
    lines.push(line(Topic::Keys, keys, Source::Registration));
    let algs = rules.signing_algs.iter().map(|alg| alg.as_str());
    lines.push(line(Topic::SigningAlgs, values(algs), Source::Profile));
    let grants = client.grant_types.iter().map(|grant| grant.as_str());
    lines.push(line(Topic::GrantTypes, values(grants), Source::Registration));
}

fn requests(client: &Client, code_life: Seconds, lines: &mut Vec<Line>) {
    let rules = client.profile.rules();
    lines.push(line(Topic::RedirectUris, values(&client.redirect_uris), Source::Registration));
    lines.push(demanded(Topic::RedirectUriSaid, rules.redirect_uri_required, false));
    let exposed = client.is_public() || client.agent().is_some();
    let challenge = match rules.code_challenge {
        CodeChallengeRule::UnlessOpenId if !exposed => Words::UnlessOpenId,
        CodeChallengeRule::PublicOnly if !exposed => Words::Optional,
        CodeChallengeRule::Always | CodeChallengeRule::UnlessOpenId | CodeChallengeRule::PublicOnly => {
            Words::Required
        }
    };
    lines.push(line(Topic::CodeChallenge, Said::Words(challenge), Source::Profile));
    let (life, source) = match rules.code_life {
        Some(most) if most < code_life => (most, Source::Profile),
        _ => (code_life, Source::Everybody),
    };
    lines.push(line(Topic::CodeLife, Said::Lasts(life), source));
    let pushed = client.require_pushed_authorization_requests;
    lines.push(demanded(Topic::PushedRequests, rules.pushed_requests, pushed));
    let signed = client.metadata.require_signed_request_object;
    lines.push(demanded(Topic::SignedRequests, rules.signed_requests, signed));
    if let Some(life) = rules.request_object_life {
        lines.push(line(Topic::RequestObjectLife, Said::Lasts(life), Source::Profile));
    }
}

/// An algorithm, and how its product is encrypted.
fn protected(alg: Option<&str>, encryption: Option<Encryption>) -> Vec<String> {
    let encryption = encryption.map(|with| [with.alg.as_str(), with.enc.as_str()]).into_iter().flatten();
    alg.into_iter().chain(encryption).map(str::to_owned).collect()
}

fn answers(client: &Client, lines: &mut Vec<Line>) {
    let metadata = &client.metadata;
    let jarm = metadata.authorization_signed_response_alg.map(|alg| alg.as_str());
    let jarm = protected(jarm, metadata.authorization_encryption());
    if !jarm.is_empty() {
        lines.push(line(Topic::SignedResponses, Said::Values(jarm), Source::Registration));
    }
    if !client.scope.contains("openid") {
        return;
    }
    let alg = Some(client.id_token_signed_response_alg.as_str());
    let id_token = protected(alg, metadata.id_token_encryption());
    lines.push(line(Topic::IdTokens, Said::Values(id_token), Source::Registration));
    let subjects = match metadata.subject_type {
        SubjectType::Public => Words::PublicSubjects,
        SubjectType::Pairwise => Words::PairwiseSubjects,
    };
    lines.push(line(Topic::Subjects, Said::Words(subjects), Source::Registration));
    let userinfo = metadata.userinfo_signed_response_alg.map(|alg| alg.as_str());
    let userinfo = match protected(userinfo, metadata.userinfo_encryption()) {
        plain if plain.is_empty() => Said::Words(Words::PlainJson),
        protected => Said::Values(protected),
    };
    lines.push(line(Topic::Userinfo, userinfo, Source::Registration));
}

fn tokens(client: &Client, lines: &mut Vec<Line>) {
    let rules = client.profile.rules();
    let certificate = client.metadata.tls_client_certificate_bound_access_tokens;
    let (words, source) = match rules.sender_constraint {
        SenderConstraint::Certificate => (Words::Certificate, Source::Profile),
        SenderConstraint::Required => (Words::KeyOrCertificate, Source::Profile),
        SenderConstraint::AsRegistered if client.agent().is_some() => {
            (Words::KeyOrCertificate, Source::Everybody)
        }
        SenderConstraint::AsRegistered if client.dpop_bound_access_tokens => {
            (Words::Key, Source::Registration)
        }
        SenderConstraint::AsRegistered if certificate => (Words::Certificate, Source::Registration),
        SenderConstraint::AsRegistered => (Words::BearerTokens, Source::Everybody),
    };
    lines.push(line(Topic::BoundTokens, Said::Words(words), source));
    if client.grant_types.contains(&GrantType::RefreshToken) {
        // Credentials protect the tokens of a confidential client, in whatever profile (RFC 9700 §4.14.2).
        let (words, source) = match (rules.refresh_rotation, client.is_public()) {
            (true, true) => (Words::Rotated, Source::Profile),
            (true, false) => (Words::NotRotated, Source::Everybody),
            (false, _) => (Words::NotRotated, Source::Profile),
        };
        lines.push(line(Topic::RefreshTokens, Said::Words(words), source));
    }
}

fn reach(client: &Client, lines: &mut Vec<Line>) {
    lines.push(line(Topic::Scope, values(client.scope.iter()), Source::Registration));
    lines.push(line(Topic::Resources, values(&client.resources), Source::Registration));
    let details = values(&client.authorization_details_types);
    lines.push(line(Topic::DetailsTypes, details, Source::Registration));
    if let Some(resource) = &client.resource_server {
        lines.push(line(Topic::ResourceServer, values([resource]), Source::Registration));
    }
}

fn told(client: &Client, lines: &mut Vec<Line>) {
    let metadata = &client.metadata;
    let logout = metadata.backchannel_logout_uri.iter().chain(&metadata.frontchannel_logout_uri);
    let logout: Vec<_> = logout.map(ToString::to_string).collect();
    if !logout.is_empty() {
        lines.push(line(Topic::Logout, Said::Values(logout), Source::Registration));
    }
    if let Some(mode) = metadata.backchannel_token_delivery_mode {
        let endpoint = metadata.backchannel_client_notification_endpoint.iter().map(ToString::to_string);
        let told = [mode.as_str().to_owned()].into_iter().chain(endpoint);
        lines.push(line(Topic::Backchannel, Said::Values(told.collect()), Source::Registration));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::AuthMethod;
    use crate::profile::SecurityProfile;
    use crate::registration::{Policy, Registration};

    /// The lines of a client that registered `more` besides what everybody must.
    fn of(profile: SecurityProfile, more: serde_json::Value) -> Vec<Line> {
        let policy = Policy {
            profile,
            auth_methods: AuthMethod::ALL.into(),
            scope: "openid orders:read".parse().unwrap(),
            resources: ["https://orders.example".parse().unwrap()].into(),
            grant_types: GrantType::ALL.into(),
            authorization_details_types: [].into(),
        };
        let mut document = json!({
            "redirect_uris": ["https://a.example/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
            "jwks_uri": "https://a.example/jwks",
        });
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let registration = Registration::parse(document.as_object().unwrap(), &policy).unwrap();
        let client = registration.into_client("a".parse().unwrap(), "digest".into(), &policy);
        lines(&client, Seconds(120))
    }

    fn about(lines: &[Line], topic: Topic) -> Option<(Said, Source)> {
        lines.iter().find(|line| line.topic == topic).map(|line| (line.said.clone(), line.source))
    }

    fn words(lines: &[Line], topic: Topic) -> (Words, Source) {
        match about(lines, topic) {
            Some((Said::Words(words), source)) => (words, source),
            other => panic!("{topic:?}: {other:?}"),
        }
    }

    #[test]
    fn what_the_profile_demands_is_told_as_the_profiles() {
        let fapi = of(SecurityProfile::Fapi2MessageSigning, json!({}));
        for topic in
            [Topic::PushedRequests, Topic::SignedRequests, Topic::RedirectUriSaid, Topic::CodeChallenge]
        {
            assert_eq!(words(&fapi, topic), (Words::Required, Source::Profile), "{topic:?}");
        }
        assert_eq!(words(&fapi, Topic::BoundTokens), (Words::KeyOrCertificate, Source::Profile));
        assert_eq!(words(&fapi, Topic::RefreshTokens), (Words::NotRotated, Source::Profile));
        assert_eq!(about(&fapi, Topic::CodeLife), Some((Said::Lasts(Seconds(60)), Source::Profile)));
        let hour = Some((Said::Lasts(Seconds::minutes(60)), Source::Profile));
        assert_eq!(about(&fapi, Topic::RequestObjectLife), hour);
    }

    #[test]
    fn what_the_client_registered_is_told_as_its_own() {
        let lenient = of(
            SecurityProfile::OAuth21,
            json!({"require_pushed_authorization_requests": true, "dpop_bound_access_tokens": true}),
        );
        assert_eq!(words(&lenient, Topic::PushedRequests), (Words::Required, Source::Registration));
        assert_eq!(words(&lenient, Topic::SignedRequests), (Words::Optional, Source::Everybody));
        assert_eq!(words(&lenient, Topic::BoundTokens), (Words::Key, Source::Registration));
        assert_eq!(words(&lenient, Topic::CodeChallenge).0, Words::UnlessOpenId);
        assert_eq!(about(&lenient, Topic::CodeLife), Some((Said::Lasts(Seconds(120)), Source::Everybody)));
    }

    #[test]
    fn a_public_client_needs_a_code_challenge_and_rotates_under_every_profile_it_may_have() {
        for profile in [SecurityProfile::OAuth21, SecurityProfile::Oidc] {
            let public = of(profile, json!({"token_endpoint_auth_method": "none"}));
            assert_eq!(words(&public, Topic::CodeChallenge).0, Words::Required);
            assert_eq!(words(&public, Topic::RefreshTokens), (Words::Rotated, Source::Profile));
        }
    }

    #[test]
    fn how_answers_are_signed_and_encrypted_is_told_together() {
        let told = of(
            SecurityProfile::OAuth21,
            json!({"id_token_encrypted_response_alg": "ECDH-ES", "authorization_signed_response_alg": "ES256"}),
        );
        let values = |values: &[&str]| Said::Values(values.iter().map(|v| (*v).to_owned()).collect());
        let id_token = Some((values(&["RS256", "ECDH-ES", "A128CBC-HS256"]), Source::Registration));
        assert_eq!(about(&told, Topic::IdTokens), id_token);
        assert_eq!(about(&told, Topic::SignedResponses), Some((values(&["ES256"]), Source::Registration)));
        assert_eq!(words(&told, Topic::Userinfo).0, Words::PlainJson);
    }
}
