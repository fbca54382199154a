//! From an authorization request to tokens: what is put before the user, what they approve of it, and what one
//! token takes of what was approved. Each is within the one before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::audience::{InvalidTarget, ResourceIndicator, Resources};
use crate::authority::Authority;
use crate::authorization_details::{
    AuthorizationDetail, AuthorizationDetails, DetailsTypes, InvalidAuthorizationDetails,
};
use crate::client::Client;
use crate::numeric_date::{NumericDate, Seconds};
use crate::refusal::{ErrorCode, Refuse};
use crate::resource_server::ResourceServer;
use crate::scope::Scope;
use crate::task;

/// The scope word for authority that lasts in the user's absence (OpenID Connect Core §11).
pub const OFFLINE_ACCESS: &str = "offline_access";

/// The registered resource servers, this server itself among them.
pub type ResourceServers = BTreeMap<ResourceIndicator, Arc<ResourceServer>>;

/// Why an authorization cannot be put before the user, or a token cannot be taken from one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AuthorizationRefused {
    /// A scope that the client or the actor is not registered for, or that no target knows.
    #[error("scope holds a word that is unknown or not registered for this client or the requested actor")]
    ScopeNotAllowed,
    /// More than was approved.
    #[error("scope holds more than was approved, or than this client is registered for; ask for less")]
    ScopeTooWide,
    /// Neither scope nor authorization details.
    #[error("ask for something: send scope or authorization_details")]
    NothingAsked,
    /// Details that are wrong, of a type the client may not use, or wider than approved.
    #[error(transparent)]
    Details(#[from] InvalidAuthorizationDetails),
    /// A target that is unknown or not allowed.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
}

impl Refuse for AuthorizationRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::ScopeNotAllowed | Self::ScopeTooWide | Self::NothingAsked => ErrorCode::InvalidScope,
            Self::Details(details) => details.code(),
            Self::Target(target) => target.code(),
        }
    }
}

/// What is registered: the measure of what can be asked for.
#[derive(Clone, Copy, Debug)]
pub struct Registered<'a> {
    /// The details types.
    pub types: &'a DetailsTypes,
    /// The resource servers.
    pub resource_servers: &'a ResourceServers,
    /// This server as a resource: where userinfo is.
    pub itself: &'a ResourceIndicator,
}

/// What an authorization request or a token request names. `None` means not named.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// `scope`.
    pub scope: Option<Scope>,
    /// `authorization_details`.
    pub details: Option<AuthorizationDetails>,
    /// `resource`.
    pub resources: Resources,
}

/// What is put before the user: everything that was asked for, if client and actor may ask for it (RFC 6749 §3.3,
/// RFC 8707 §2, RFC 9396 §3). Where no resource is named, those follow that the scope words and the details'
/// types and locations belong to.
///
/// # Errors
/// What cannot be asked for, with the error of its specification.
pub fn offer(
    client: &Client,
    actor: &Client,
    named: &Named,
    registered: Registered<'_>,
    until: NumericDate,
    now: NumericDate,
) -> Result<Authority, AuthorizationRefused> {
    let scope = named.scope.clone().unwrap_or_default();
    let details = named.details.clone().unwrap_or_default();
    // How long is no resource server's word; all others must mean something somewhere.
    let what: Scope = scope.iter().filter(|word| word.as_str() != OFFLINE_ACCESS).cloned().collect();
    if what.is_empty() && details.is_empty() {
        return Err(AuthorizationRefused::NothingAsked);
    }
    if !scope.is_within(&client.scope) || !registered.is_actors(&scope, client, actor) {
        return Err(AuthorizationRefused::ScopeNotAllowed);
    }
    registered.types.check(&details)?;
    let allowed: BTreeSet<_> =
        client.authorization_details_types.intersection(&actor.authorization_details_types).collect();
    if let Some(index) = details.iter().position(|detail| !allowed.contains(detail.type_name())) {
        return Err(InvalidAuthorizationDetails::UnknownType { index }.into());
    }
    details.check_together(now)?;
    let resources = registered.targets(&named.resources, &what, &details, actor)?;
    if !what.is_within(&registered.known_scope(&resources)) {
        return Err(AuthorizationRefused::ScopeNotAllowed);
    }
    let offered = Authority { scope, details, resources, until };
    let strange =
        offered.details.iter().position(|detail| !registered.understands(&offered.resources, detail));
    strange.map_or(Ok(offered), |index| Err(InvalidAuthorizationDetails::UnknownType { index }.into()))
}

/// What the user approved of an offer: which entries stay, and until when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approval {
    /// The scope words that stay.
    pub scope: Scope,
    /// The positions of the details that stay.
    pub details: BTreeSet<usize>,
    /// The end that was chosen.
    pub until: NumericDate,
}

/// The approved part of an offer, never wider than it. Resources that nothing is left for fall away; `None` where
/// nothing is left at all.
#[must_use]
pub fn approve(offered: &Authority, approval: &Approval, registered: Registered<'_>) -> Option<Authority> {
    let scope = offered.scope.common(&approval.scope);
    let kept = offered.details.iter().enumerate().filter(|(index, _)| approval.details.contains(index));
    let details = AuthorizationDetails(kept.map(|(_, detail)| detail.clone()).collect());
    registered
        .only(&Authority { details, until: offered.until.min(approval.until), ..offered.clone() }, scope)
}

/// What one token takes of `given`: all of it, or the part that the token request names (RFC 6749 §6, RFC 8707
/// §2.2, RFC 9396 §6), cut to what has a meaning at its resources and to the life of a token.
///
/// # Errors
/// More than was given, or no single place to spend it at and none named.
pub fn take(
    given: &Authority,
    named: &Named,
    registered: Registered<'_>,
    life: Seconds,
    now: NumericDate,
) -> Result<Authority, AuthorizationRefused> {
    if named.scope.as_ref().is_some_and(|scope| !scope.is_within(&given.scope)) {
        return Err(AuthorizationRefused::ScopeTooWide);
    }
    if let Some(asked) = &named.details {
        registered.types.check(asked)?;
        asked.check_deadlines(now)?;
        registered.types.check_within(asked, &given.details)?;
    }
    let wanted = named.scope.as_ref().unwrap_or(&given.scope);
    let mut details = named.details.as_ref().unwrap_or(&given.details).clone();
    let resources = registered.places(given, &named.resources, wanted, &details)?;
    let scope = wanted.common(&registered.known_scope(&resources));
    details.0.retain(|detail| registered.understands(&resources, detail));
    details.check_deadlines(now)?;
    let until = registered.end(&details, &resources, life, now).min(given.until);
    let taken = Authority { scope, details, resources, until };
    // An empty scope in the answer would read as if everything had been granted (RFC 6749 §5.1).
    match (taken.is_empty(), &named.scope) {
        (false, _) => Ok(taken),
        (true, Some(_)) => Err(AuthorizationRefused::ScopeNotAllowed),
        (true, None) => Err(InvalidTarget::NotAvailable.into()),
    }
}

impl Registered<'_> {
    /// The scope words that mean something at one of these resources.
    #[must_use]
    pub fn known_scope(&self, resources: &Resources) -> Scope {
        self.servers(resources).fold(Scope::empty(), |known, server| known.union(&server.scope()))
    }

    /// When a token of these details at these resources ends, by its own life and the deadlines that the details name.
    #[must_use]
    pub fn end(
        &self,
        details: &AuthorizationDetails,
        resources: &Resources,
        life: Seconds,
        now: NumericDate,
    ) -> NumericDate {
        let of_types = details.iter().filter_map(|d| self.types.find(d.type_name())?.document().max_life);
        let of_servers = self.servers(resources).filter_map(|server| server.token_life);
        let end = now.plus(of_types.chain(of_servers).fold(life, Seconds::min));
        task::deadline(details).map_or(end, |deadline| deadline.min(end))
    }

    /// What is left of an authority with these words of its scope, at the resources that it still means something at;
    /// `None` where nothing is left.
    pub(crate) fn only(&self, given: &Authority, scope: Scope) -> Option<Authority> {
        let Authority { details, until, .. } = given;
        let offline_only = scope.iter().all(|word| word.as_str() == OFFLINE_ACCESS);
        if offline_only && details.is_empty() {
            return None;
        }
        let resources = given.resources.iter().filter(|r| self.is_for(r, &scope, details)).cloned().collect();
        Some(Authority { scope, details: details.clone(), resources, until: *until })
    }

    /// Where the user's authority is for an actor other than the client, the actor must be registered for it too;
    /// what is about the user's identity stays between user and client.
    fn is_actors(&self, scope: &Scope, client: &Client, actor: &Client) -> bool {
        let identity = self.known_scope(&Resources::from([self.itself.clone()]));
        client.id == actor.id || scope.without(&identity).is_within(&actor.scope)
    }

    /// Whether the detail's type is known at one of the resources, and where it names registered resource servers
    /// as its locations, one of them is there.
    pub(crate) fn understands(&self, resources: &Resources, detail: &AuthorizationDetail) -> bool {
        let known = self.servers(resources).any(|server| server.details_types.contains(detail.type_name()));
        let named: Vec<_> = detail.locations().into_iter().flatten().filter_map(|l| self.named(l)).collect();
        known && (named.is_empty() || named.iter().any(|place| resources.contains(*place)))
    }

    fn named(&self, location: &str) -> Option<&ResourceIndicator> {
        self.resource_servers.keys().find(|known| known.as_str() == location)
    }

    fn servers(&self, resources: &Resources) -> impl Iterator<Item = &ResourceServer> {
        resources.iter().filter_map(|resource| self.resource_servers.get(resource)).map(AsRef::as_ref)
    }

    /// The resources of an offer: those named, or those that everything asked for belongs to.
    fn targets(
        &self,
        named: &Resources,
        scope: &Scope,
        details: &AuthorizationDetails,
        actor: &Client,
    ) -> Result<Resources, InvalidTarget> {
        let for_identity =
            !self.known_scope(&Resources::from([self.itself.clone()])).common(scope).is_empty();
        let may =
            |resource: &ResourceIndicator| actor.resources.contains(resource) || resource == self.itself;
        let mut targets =
            if named.is_empty() { self.belonging(scope, details, actor) } else { named.clone() };
        if for_identity {
            targets.insert(self.itself.clone());
        }
        if targets.is_empty() {
            return Err(InvalidTarget::NotNamed);
        }
        let known =
            targets.iter().all(|resource| self.resource_servers.contains_key(resource) && may(resource));
        if known { Ok(targets) } else { Err(InvalidTarget::NotAvailable) }
    }

    /// The resource servers among the actor's that know one of the scope words, or a detail's type where the
    /// detail does not say another place.
    fn belonging(&self, scope: &Scope, details: &AuthorizationDetails, actor: &Client) -> Resources {
        let apis = self.resource_servers.keys().filter(|resource| {
            *resource != self.itself
                && actor.resources.contains(*resource)
                && self.is_for(resource, scope, details)
        });
        apis.cloned().collect()
    }

    /// Where one token is spent: as named, or where what is wanted has a meaning, if that is one place besides
    /// this server (RFC 9068 §3).
    fn places(
        &self,
        given: &Authority,
        named: &Resources,
        wanted: &Scope,
        details: &AuthorizationDetails,
    ) -> Result<Resources, InvalidTarget> {
        if !named.is_empty() {
            let within = named.is_subset(&given.resources);
            return if within { Ok(named.clone()) } else { Err(InvalidTarget::NotAvailable) };
        }
        let places: Resources =
            given.resources.iter().filter(|r| self.is_for(r, wanted, details)).cloned().collect();
        let apis = places.iter().filter(|resource| *resource != self.itself).count();
        if apis > 1 || places.is_empty() { Err(InvalidTarget::NotNamed) } else { Ok(places) }
    }

    /// Whether any of this has a meaning at the resource.
    fn is_for(&self, resource: &ResourceIndicator, scope: &Scope, details: &AuthorizationDetails) -> bool {
        let one = Resources::from([resource.clone()]);
        !self.known_scope(&one).common(scope).is_empty() || details.iter().any(|d| self.understands(&one, d))
    }
}
