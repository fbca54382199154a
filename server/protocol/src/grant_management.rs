//! Grant Management for OAuth 2.0: a client says what becomes of the user's word. A consent of its own (`create`), a
//! part of one that stands (`merge`), or something in its place (`replace`). The `grant_id` is the consent's id.

use crate::authority::Authority;
use crate::authorization::Registered;
use crate::authorization_details::AuthorizationDetails;
use crate::client::Client;
use crate::consent::Consent;
use crate::identifier::{ClientId, ConsentId, UserId};
use crate::numeric_date::NumericDate;
use crate::params::{Params, RepeatedParameter};
use crate::refusal::{ErrorCode, Refuse};

use serde::{Deserialize, Serialize};

/// What may be done with a consent at its own URL, for `grant_management_actions_supported`.
pub const AT_THE_ENDPOINT: [&str; 2] = ["query", "revoke"];

/// `grant_management_action`, with the `grant_id` that it speaks of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantAction {
    /// `create`: a consent of its own, whatever was allowed before.
    Create,
    /// `merge`: what is approved is added to this consent.
    Merge(ConsentId),
    /// `replace`: what is approved takes the place of what this consent allowed.
    Replace(ConsentId),
}

/// Why it cannot be done.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GrantManagementRefused {
    /// A parameter came twice.
    #[error(transparent)]
    Repeated(#[from] RepeatedParameter),
    /// An action that there is not.
    #[error("grant_management_action must be create, merge or replace")]
    UnknownAction,
    /// `merge` or `replace` of nothing.
    #[error("grant_id is required with this grant_management_action")]
    NoGrant,
    /// A `grant_id` that nothing is to be done with.
    #[error("grant_id is not allowed without grant_management_action merge or replace")]
    GrantNotAllowed,
    /// The server wants to be told what becomes of the user's word.
    #[error("grant_management_action is required")]
    NoAction,
    /// Whoever knows a public client's id can be it.
    #[error("a public client cannot use grant_management_action")]
    PublicClient,
    /// No such consent, or none of this client's, or none that stands.
    #[error("grant_id names no grant of this client that stands")]
    UnknownGrant,
    /// A consent to somebody else to act.
    #[error("the grant is for another actor than this request")]
    OtherActor,
    /// Another user's consent.
    #[error("the grant is not of the user who answers")]
    NotOwner,
    /// Scope words, or details, would reach a place that they were not approved for.
    #[error(
        "merged, the grant would allow more than both parts: name the same resources for all of it, or use create"
    )]
    MoreThanBoth,
    /// The consent holds details of a type that has another version now.
    #[error("the grant holds details of an older version of their type: use replace or create")]
    OlderVersion,
}

impl Refuse for GrantManagementRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownGrant => ErrorCode::InvalidGrantId,
            Self::NotOwner => ErrorCode::AccessDenied,
            Self::PublicClient => ErrorCode::UnauthorizedClient,
            Self::MoreThanBoth => ErrorCode::InvalidTarget,
            Self::OlderVersion => ErrorCode::InvalidAuthorizationDetails,
            Self::Repeated(_)
            | Self::UnknownAction
            | Self::NoGrant
            | Self::GrantNotAllowed
            | Self::NoAction
            | Self::OtherActor => ErrorCode::InvalidRequest,
        }
    }
}

impl GrantAction {
    /// The actions of an authorization request, for `grant_management_actions_supported`.
    pub const NAMES: [&'static str; 3] = ["create", "merge", "replace"];

    /// Reads `grant_management_action` and `grant_id`.
    ///
    /// # Errors
    /// [`GrantManagementRefused`] where they do not fit each other.
    pub fn parse(params: &Params) -> Result<Option<Self>, GrantManagementRefused> {
        let grant = params.once("grant_id")?;
        let standing = |grant: Option<&str>| {
            let grant = grant.ok_or(GrantManagementRefused::NoGrant)?;
            grant.parse::<ConsentId>().map_err(|_| GrantManagementRefused::UnknownGrant)
        };
        match (params.once("grant_management_action")?, grant) {
            (None, None) => Ok(None),
            (None | Some("create"), Some(_)) => Err(GrantManagementRefused::GrantNotAllowed),
            (Some("create"), None) => Ok(Some(Self::Create)),
            (Some("merge"), grant) => Ok(Some(Self::Merge(standing(grant)?))),
            (Some("replace"), grant) => Ok(Some(Self::Replace(standing(grant)?))),
            (Some(_), _) => Err(GrantManagementRefused::UnknownAction),
        }
    }

    /// The consent that it speaks of.
    #[must_use]
    pub const fn grant(&self) -> Option<&ConsentId> {
        match self {
            Self::Create => None,
            Self::Merge(id) | Self::Replace(id) => Some(id),
        }
    }
}

/// Checks that `client` may ask so. Where an action is `required`, it is of every client that may use one.
///
/// # Errors
/// [`GrantManagementRefused::PublicClient`], [`GrantManagementRefused::NoAction`].
pub fn check_client(
    action: Option<&GrantAction>,
    client: &Client,
    required: bool,
) -> Result<(), GrantManagementRefused> {
    match action {
        Some(_) if client.is_public() => Err(GrantManagementRefused::PublicClient),
        None if required && !client.is_public() => Err(GrantManagementRefused::NoAction),
        _ => Ok(()),
    }
}

/// Checks that the consent that was found stands, was asked for through `client`, and is for `actor`. What is not there
/// and what is somebody else's are told alike.
///
/// # Errors
/// [`GrantManagementRefused::UnknownGrant`], [`GrantManagementRefused::OtherActor`].
pub fn check_grant(
    found: Option<&Consent>,
    client: &ClientId,
    actor: &ClientId,
    now: NumericDate,
) -> Result<(), GrantManagementRefused> {
    // What somebody else brought is theirs to bring, and nothing is added to it.
    let asked_for = |consent: &&Consent| consent.client == *client && consent.brought_by.is_none();
    let own = found.filter(|consent| asked_for(consent) && consent.is_live(now));
    match own {
        None => Err(GrantManagementRefused::UnknownGrant),
        Some(consent) if consent.actor != *actor => Err(GrantManagementRefused::OtherActor),
        Some(_) => Ok(()),
    }
}

/// Checks that whoever answers is the one who gave the consent.
///
/// # Errors
/// [`GrantManagementRefused::NotOwner`].
pub fn check_owner(grant: &Consent, user: &UserId) -> Result<(), GrantManagementRefused> {
    if grant.user == *user { Ok(()) } else { Err(GrantManagementRefused::NotOwner) }
}

/// What both allow, and nothing that neither does: a scope word of the one must not come to mean something at a
/// resource of the other, nor a detail. It ends at `until`.
///
/// # Errors
/// [`GrantManagementRefused::MoreThanBoth`].
pub fn union(
    standing: &Authority,
    added: &Authority,
    until: NumericDate,
    registered: Registered<'_>,
) -> Result<Authority, GrantManagementRefused> {
    let both = Authority {
        scope: standing.scope.union(&added.scope),
        details: registered.types.union(&standing.details, &added.details),
        resources: standing.resources.union(&added.resources).cloned().collect(),
        until,
    };
    let parts = [standing, added];
    for resource in &both.resources {
        let here = [resource.clone()].into();
        let allowed = |part: &&&Authority| part.resources.contains(resource);
        let words = parts
            .iter()
            .filter(allowed)
            .fold(crate::scope::Scope::empty(), |words, part| words.union(&part.scope));
        let details: Vec<_> = parts.iter().filter(allowed).flat_map(|part| part.details.iter()).collect();
        let mut meant = both.details.iter().filter(|detail| registered.understands(&here, detail));
        let too_far = meant.any(|detail| !details.contains(&detail));
        if too_far || !both.scope.common(&registered.known_scope(&here)).is_within(&words) {
            return Err(GrantManagementRefused::MoreThanBoth);
        }
    }
    Ok(both)
}

/// The standing consent with what was approved added to it. It stands as long as before, or as long as what was added
/// may be asked for at all; what may be passed on is what both may.
///
/// # Errors
/// [`GrantManagementRefused::MoreThanBoth`], [`GrantManagementRefused::OlderVersion`].
pub fn merge(
    standing: &Consent,
    added: &Consent,
    longest: NumericDate,
    registered: Registered<'_>,
) -> Result<Consent, GrantManagementRefused> {
    check_versions(standing, &added.authority.details, registered)?;
    let until = standing.authority.until.min(longest);
    Ok(Consent {
        authority: union(&standing.authority, &added.authority, until, registered)?,
        claims: standing.claims.union(&added.claims).cloned().collect(),
        types: standing.versions().into_iter().chain(added.versions()).collect(),
        passing_on: standing.passing_on.min(added.passing_on),
        offline_access: standing.offline_access || added.offline_access,
        ..standing.clone()
    })
}

/// Checks that details of the types that `standing` holds, and those of `added`, are of one version: one consent has no
/// two measures for the same field.
///
/// # Errors
/// [`GrantManagementRefused::OlderVersion`].
pub fn check_versions(
    standing: &Consent,
    added: &AuthorizationDetails,
    registered: Registered<'_>,
) -> Result<(), GrantManagementRefused> {
    let before = standing.versions();
    let differs = |(name, version)| before.get(name).is_some_and(|before| before != version);
    let differ = registered.types.versions(added).iter().any(differs);
    if differ { Err(GrantManagementRefused::OlderVersion) } else { Ok(()) }
}

/// The standing consent with what was approved in the place of all that it allowed.
#[must_use]
pub fn replace(standing: &Consent, approved: Consent) -> Consent {
    Consent { id: standing.id.clone(), version: standing.version, ..approved }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::authorization::ResourceServers;
    use crate::authorization_details::{DetailsTypes, built_in};
    use crate::consent::PassingOn;
    use crate::resource_server::ResourceServer;
    use GrantManagementRefused::{
        GrantNotAllowed, MoreThanBoth, NoGrant, OlderVersion, UnknownAction, UnknownGrant,
    };

    fn parse(pairs: &[(&str, &str)]) -> Result<Option<GrantAction>, GrantManagementRefused> {
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        GrantAction::parse(&Params::try_from(pairs).unwrap())
    }

    const ACTION: &str = "grant_management_action";

    #[test]
    fn action_and_grant_fit_each_other_or_are_refused() {
        assert_eq!(parse(&[]), Ok(None));
        assert_eq!(parse(&[(ACTION, "create")]), Ok(Some(GrantAction::Create)));
        let id: ConsentId = "con_1".parse().unwrap();
        assert_eq!(
            parse(&[(ACTION, "merge"), ("grant_id", "con_1")]),
            Ok(Some(GrantAction::Merge(id.clone())))
        );
        assert_eq!(parse(&[(ACTION, "replace"), ("grant_id", "con_1")]), Ok(Some(GrantAction::Replace(id))));
        assert_eq!(parse(&[(ACTION, "create"), ("grant_id", "con_1")]), Err(GrantNotAllowed));
        assert_eq!(parse(&[("grant_id", "con_1")]), Err(GrantNotAllowed));
        assert_eq!(parse(&[(ACTION, "merge")]), Err(NoGrant));
        assert_eq!(parse(&[(ACTION, "replace")]), Err(NoGrant));
        assert_eq!(parse(&[(ACTION, "update"), ("grant_id", "con_1")]), Err(UnknownAction));
        assert_eq!(parse(&[(ACTION, "merge"), ("grant_id", "a b")]), Err(UnknownGrant));
        for name in [ACTION, "grant_id"] {
            let refused = parse(&[(name, "create"), (name, "create")]).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::InvalidRequest);
        }
    }

    #[test]
    fn only_clients_that_prove_who_they_are_manage_grants() {
        let client = |authentication: serde_json::Value| -> Client {
            serde_json::from_value(json!({
                "id": "c", "name": "C", "kind": "application", "grant_types": [], "scope": "", "status": "active",
                "authentication": authentication, "id_token_signed_response_alg": "ES256",
            }))
            .unwrap()
        };
        let (public, confidential) =
            (client(json!("none")), client(json!({"client_secret_basic": {"secret_sha256": "x"}})));
        let create = GrantAction::Create;
        for required in [true, false] {
            assert_eq!(check_client(Some(&create), &confidential, required), Ok(()));
            assert_eq!(
                check_client(Some(&create), &public, required),
                Err(GrantManagementRefused::PublicClient)
            );
            assert_eq!(check_client(None, &public, required), Ok(()));
        }
        assert_eq!(check_client(None, &confidential, false), Ok(()));
        assert_eq!(check_client(None, &confidential, true), Err(GrantManagementRefused::NoAction));
    }

    fn consent(scope: &str, details: serde_json::Value, resources: &[&str]) -> Consent {
        serde_json::from_value(json!({
            "id": "con", "user": "u", "client": "c", "actor": "c", "passing_on": {"up_to": 2},
            "offline_access": false, "created_at": 1, "state": "active", "version": 3,
            "authority": {"scope": scope, "details": details, "resources": resources, "until": 100},
        }))
        .unwrap()
    }

    #[test]
    fn a_grant_that_is_not_there_and_one_of_somebody_else_are_told_alike() {
        let (c, d) = ("c".parse().unwrap(), "d".parse().unwrap());
        let standing = consent("a", json!([]), &[]);
        let check =
            |found: Option<&Consent>, client, actor, now| check_grant(found, client, actor, NumericDate(now));
        assert_eq!(check(Some(&standing), &c, &c, 99), Ok(()));
        assert_eq!(check(Some(&standing), &c, &c, 100), Err(UnknownGrant));
        assert_eq!(check(Some(&standing), &d, &c, 99), Err(UnknownGrant));
        assert_eq!(check(None, &c, &c, 99), Err(UnknownGrant));
        assert_eq!(check(Some(&standing), &c, &d, 99), Err(GrantManagementRefused::OtherActor));
        let revoked = Consent { state: crate::consent::ConsentState::Revoked, ..standing.clone() };
        assert_eq!(check(Some(&revoked), &c, &c, 99), Err(UnknownGrant));
        assert_eq!(check_owner(&standing, &"u".parse().unwrap()), Ok(()));
        assert_eq!(check_owner(&standing, &"v".parse().unwrap()), Err(GrantManagementRefused::NotOwner));
    }

    /// Two places that both know `both` and `agent_task`; each has a word of its own.
    fn servers() -> ResourceServers {
        let server = |id: &str, own: &str| -> ResourceServer {
            serde_json::from_value(json!({
                "identifier": id, "name": id, "scopes": {"both": {"en": "b"}, own: {"en": "o"}},
                "details_types": ["agent_task"], "token_format": "jwt", "signing_alg": "ES256",
            }))
            .unwrap()
        };
        [server("urn:x", "x"), server("urn:y", "y")]
            .map(|server| (server.identifier.clone(), Arc::new(server)))
            .into()
    }

    fn merging(standing: &Consent, added: &Consent) -> Result<Consent, GrantManagementRefused> {
        let (types, servers) = (DetailsTypes::new(built_in()).unwrap(), servers());
        let itself = "urn:itself".parse().unwrap();
        let registered = Registered { types: &types, resource_servers: &servers, itself: &itself };
        merge(standing, added, NumericDate(1000), registered)
    }

    #[test]
    fn merged_holds_both_and_lives_as_long_as_before() {
        let standing = consent("x", json!([]), &["urn:x"]);
        let mut added = consent("y", json!([]), &["urn:y"]);
        (added.authority.until, added.passing_on) = (NumericDate(50), PassingOn::UpTo(1));
        (added.claims, added.offline_access) = (BTreeSet::from(["nickname".to_owned()]), true);
        let both = merging(&standing, &added).unwrap();
        assert_eq!((both.authority.scope.to_string().as_str(), both.authority.resources.len()), ("x y", 2));
        assert_eq!((both.authority.until, both.version), (NumericDate(100), 3));
        assert_eq!(both.passing_on, PassingOn::UpTo(1));
        assert!(both.offline_access && both.claims.contains("nickname"));
        added.passing_on = PassingOn::No;
        assert_eq!(merging(&standing, &added).unwrap().passing_on, PassingOn::No);
    }

    #[test]
    fn nothing_is_merged_to_more_than_both() {
        let at_x = consent("both", json!([]), &["urn:x"]);
        assert_eq!(merging(&at_x, &consent("y", json!([]), &["urn:y"])), Err(MoreThanBoth));
        assert!(merging(&at_x, &consent("both y", json!([]), &["urn:y"])).is_ok());
        let task = json!([{"type": "agent_task", "actions": ["read"]}]);
        let with_task = consent("x", task.clone(), &["urn:x"]);
        assert_eq!(merging(&with_task, &consent("y", json!([]), &["urn:y"])), Err(MoreThanBoth));
        assert!(merging(&with_task, &consent("y", task, &["urn:y"])).is_ok());
    }

    #[test]
    fn a_consent_has_one_measure_for_each_type() {
        let task = json!([{"type": "agent_task", "actions": ["read"]}]);
        let mut standing = consent("", task.clone(), &["urn:x"]);
        let added = consent("", task, &["urn:x"]);
        assert!(merging(&standing, &added).is_ok());
        standing.types.insert("agent_task".parse().unwrap(), 7);
        assert_eq!(merging(&standing, &added), Err(OlderVersion));
        let elsewhere = consent("x", json!([]), &["urn:x"]);
        let merged = merging(&standing, &elsewhere).unwrap();
        assert_eq!(merged.versions().values().collect::<Vec<_>>(), [&7]);
    }

    #[test]
    fn what_replaces_keeps_the_id_and_nothing_else() {
        let standing = consent("x", json!([]), &["urn:x"]);
        let approved =
            Consent { id: "new".parse().unwrap(), version: 1, ..consent("y", json!([]), &["urn:y"]) };
        let after = replace(&standing, approved.clone());
        assert_eq!((after.id.as_str(), after.version), ("con", 3));
        assert_eq!(after.authority, approved.authority);
    }
}
