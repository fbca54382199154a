//! What an authorization request puts before the user, if client and actor may ask for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::audience::Resources;
use protocol::authority::Authority;
use protocol::authorization::{self, Named};
use protocol::authorization_details::{AuthorizationDetail, AuthorizationDetails, RiskLevel};
use protocol::authorization_request::AuthorizationRequest;
use protocol::claims_request::ClaimsRequest;
use protocol::client::{Client, GrantType};
use protocol::consent::Consent;
use protocol::grant_management::{self, GrantAction, GrantManagementRefused};
use protocol::identifier::{ClientId, UserId};
use protocol::numeric_date::NumericDate;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::scope::Scope;
use protocol::standard_claims;

use crate::app::App;
use crate::failure::Failure;
use crate::registry::Registry;

/// An offer: what is asked, for whom, and how far it could be passed on.
pub struct Offer {
    /// Who asks.
    pub client: Arc<Client>,
    /// Who is to act: the client itself, or the actor it asks for.
    pub actor: Arc<Client>,
    /// Everything that is asked.
    pub authority: Authority,
    /// The claims about the user that are asked for by name, beyond those of the scope.
    pub claims: BTreeSet<String>,
    /// To how many further actors it could be passed on.
    pub passing_on_max: u8,
    /// What becomes of a yes.
    pub becomes: Becomes,
    /// What is registered.
    pub registry: Arc<Registry>,
}

/// What becomes of a yes (Grant Management for OAuth 2.0).
#[derive(Clone, PartialEq, Debug)]
pub enum Becomes {
    /// A consent of its own.
    Itself,
    /// A part of this one.
    PartOf(Arc<Consent>),
    /// What this one allows from now on, in the place of all it did.
    InPlaceOf(Arc<Consent>),
}

impl Becomes {
    /// The consent that stands already.
    #[must_use]
    pub const fn standing(&self) -> Option<&Arc<Consent>> {
        match self {
            Self::Itself => None,
            Self::PartOf(consent) | Self::InPlaceOf(consent) => Some(consent),
        }
    }
}

impl Offer {
    /// How risky the riskiest of its details is, read by what is registered.
    #[must_use]
    pub fn risk(&self) -> RiskLevel {
        let of = |detail: &AuthorizationDetail| {
            let known = self.registry.types.find(detail.type_name())?;
            Some(known.document().risk.of(detail.members()))
        };
        self.authority.details.iter().filter_map(of).max().unwrap_or(RiskLevel::Medium)
    }

    /// The part of it that `user` may grant: what a resource server keeps for groups that they are not in, they are not
    /// asked about.
    ///
    /// # Errors
    /// `access_denied` where nothing is left, or where it is about a consent of somebody else; the store's.
    pub async fn for_user(self, app: &App, user: &UserId) -> Result<Self, Failure> {
        if let Some(standing) = self.becomes.standing() {
            grant_management::check_owner(standing, user)?;
        }
        let open = app.open_to(self.registry.registered(), user, &self.authority).await?;
        match open {
            Some(authority) => Ok(Self { authority, ..self }),
            None => Err(Refusal::new(ErrorCode::AccessDenied, "the user may not grant any of this").into()),
        }
    }
}

/// What a request of `client` asks for, wherever it came from.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// `scope`.
    pub scope: Option<&'a Scope>,
    /// `authorization_details`.
    pub details: Option<&'a AuthorizationDetails>,
    /// Every `resource`.
    pub resources: &'a Resources,
    /// `requested_actor`.
    pub requested_actor: Option<&'a ClientId>,
    /// `claims`, where the way of asking knows it.
    pub claims: Option<&'a ClaimsRequest>,
    /// `grant_management_action` and `grant_id`.
    pub grant_management: Option<&'a GrantAction>,
}

/// Judges an authorization request of `client`.
///
/// # Errors
/// What cannot be asked for.
pub async fn offer(
    app: &App,
    client: &Arc<Client>,
    request: &AuthorizationRequest,
    now: NumericDate,
) -> Result<Offer, Failure> {
    if !client.grant_types.contains(&GrantType::AuthorizationCode) {
        let description = "this client is not registered for authorization requests";
        return Err(Refusal::new(ErrorCode::UnauthorizedClient, description).into());
    }
    request.check_code_challenge(client)?;
    request.check_response_mode(client)?;
    let wanted = Wanted {
        scope: request.scope.as_ref(),
        details: request.authorization_details.as_ref(),
        resources: &request.resources,
        requested_actor: request.requested_actor.as_ref(),
        claims: Some(&request.claims),
        grant_management: request.grant_management.as_ref(),
    };
    offer_of(app, client, wanted, now).await
}

/// Judges what `client` asks for.
///
/// # Errors
/// What cannot be asked for.
pub async fn offer_of(
    app: &App,
    client: &Arc<Client>,
    wanted: Wanted<'_>,
    now: NumericDate,
) -> Result<Offer, Failure> {
    let actor = match wanted.requested_actor {
        Some(id) if *id != client.id => {
            let found = app.store.find_client(id).await?;
            let fits = |actor: &Arc<Client>| {
                actor.is_live(now) && actor.grant_types.contains(&GrantType::TokenExchange)
            };
            found.filter(fits).ok_or_else(|| {
                Refusal::new(
                    ErrorCode::InvalidRequest,
                    "requested_actor is not a client that may act for users",
                )
            })?
        }
        _ => Arc::clone(client),
    };
    let registry = app.registry().await?;
    let named = Named {
        scope: wanted.scope.cloned(),
        details: wanted.details.cloned(),
        resources: wanted.resources.clone(),
    };
    let life =
        if actor.agent().is_some() { app.settings.agent_consent_life } else { app.settings.consent_life };
    let end = actor.agent().map(|agent| agent.expires_at);
    let until = end.into_iter().fold(now.plus(life), NumericDate::min);
    let authority = authorization::offer(client, &actor, &named, registry.registered(), until, now)?;
    let passing_on_max = passing_on_max(app, &actor);
    let claims = claims(client, &actor, wanted.claims, &authority);
    let becomes = becomes(app, client, &actor, wanted.grant_management, now).await?;
    let mut offer =
        Offer { client: Arc::clone(client), actor, authority, claims, passing_on_max, becomes, registry };
    if let Becomes::PartOf(standing) = &offer.becomes {
        // What is added stands as long as what it is added to, and goes no further.
        offer.authority.until = offer.authority.until.min(standing.authority.until);
        offer.passing_on_max = standing.passing_on.further().min(offer.passing_on_max);
        let registered = offer.registry.registered();
        grant_management::check_versions(standing, &offer.authority.details, registered)?;
        grant_management::union(&standing.authority, &offer.authority, until, registered)?;
    }
    Ok(offer)
}

/// What is to become of a yes, as it stands now.
async fn becomes(
    app: &App,
    client: &Client,
    actor: &Client,
    action: Option<&GrantAction>,
    now: NumericDate,
) -> Result<Becomes, Failure> {
    grant_management::check_client(action, client, app.settings.grant_management.action_required)?;
    let Some(id) = action.and_then(GrantAction::grant) else { return Ok(Becomes::Itself) };
    let found = app.store.find_consent_now(id).await?;
    grant_management::check_grant(found.as_ref(), &client.id, &actor.id, now)?;
    let standing = Arc::new(found.ok_or(GrantManagementRefused::UnknownGrant)?);
    Ok(match action {
        Some(GrantAction::Replace(_)) => Becomes::InPlaceOf(standing),
        _ => Becomes::PartOf(standing),
    })
}

/// Claims by name are for the client that signs its users in, and not for somebody who acts for them in its stead.
fn claims(
    client: &Client,
    actor: &Client,
    asked: Option<&ClaimsRequest>,
    authority: &Authority,
) -> BTreeSet<String> {
    let Some(asked) = asked else { return BTreeSet::new() };
    if client.id != actor.id || !authority.scope.contains("openid") {
        return BTreeSet::new();
    }
    let by_scope =
        |name: &String| standard_claims::scope_of(name).is_some_and(|word| authority.scope.contains(word));
    asked.about_user(&client.scope).names().into_iter().filter(|name| !by_scope(name)).collect()
}

/// Agents that may exchange tokens may pass on, as far as chains may be long.
fn passing_on_max(app: &App, actor: &Client) -> u8 {
    let Some(agent) = actor.agent() else { return 0 };
    if !actor.grant_types.contains(&GrantType::TokenExchange) {
        return 0;
    }
    let longest = agent
        .max_chain_depth
        .map_or(app.settings.max_chain_depth, |own| own.min(app.settings.max_chain_depth));
    u8::try_from(longest.saturating_sub(1)).unwrap_or(u8::MAX)
}
