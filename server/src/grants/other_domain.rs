//! Grants for the authorization servers of other domains: Identity Assertion JWT Authorization Grants (§4.3 of that
//! draft) and JWTs that chain domains (Identity Chaining §2.3). What one permits was decided like any delegation.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::audience::{InvalidTarget, Resources};
use protocol::claims_request::Wanted;
use protocol::delegation::{DelegationRefused, Issuable};
use protocol::resource_authorization_server::{AUD_SUB, Carried, GrantKind, ResourceAuthorizationServer};
use protocol::scope::Scope;
use protocol::token::{Token, TokenKind};
use protocol::token_request::ExchangeRequest;
use protocol::user::{GROUPS, User};
use protocol::{destination, subject, userinfo};

use super::Desk;
use crate::failure::{Broken, Failure};
use crate::secret::Secret;
use crate::store::Record;
use crate::tokens::{self, Written};

/// Where a grant is to go, and of whom it speaks.
pub(super) struct Destination<'a> {
    /// The server.
    pub(super) server: &'a ResourceAuthorizationServer,
    kind: GrantKind,
    client: &'a str,
    user: Arc<User>,
    /// The resources that it is to be for.
    pub(super) resources: Resources,
}

/// Where this request wants to go. One place, by its issuer identifier; whether it is unknown or closed to this client or
/// this user is not told apart.
pub(super) async fn destination<'a>(
    desk: &Desk<'a>,
    request: &ExchangeRequest,
    kind: GrantKind,
    subject: &Token,
) -> Result<Destination<'a>, Failure> {
    // What others say is not said on, and what goes round inside does not leave.
    if !matches!(subject.kind, TokenKind::Access | TokenKind::Refresh | TokenKind::Id) {
        return Err(DelegationRefused::NotASubjectToken.into());
    }
    let mut resources = request.resources.clone();
    let named = match request.audiences.as_slice() {
        [one] => one.clone(),
        // Identity Chaining §2.3: the server may be named as `resource` too.
        [] if kind == GrantKind::Jwt && resources.len() == 1 => {
            resources.pop_first().map(|one| one.as_str().to_owned()).unwrap_or_default()
        }
        _ => return Err(InvalidTarget::NotOneAudience.into()),
    };
    let mut known = desk.app.resource_authorization_servers.iter();
    let server = known.find(|server| server.issuer == named).ok_or(InvalidTarget::NotAvailable)?;
    let user = subject.subject.user().ok_or(InvalidTarget::NotAvailable)?;
    let gone = || Broken::Inconsistent("a token of a user that is not there");
    let user = desk.app.store.find_user(user).await?.ok_or_else(gone)?;
    let client = server.admits(kind, &desk.caller.client.id, &user.groups())?;
    server.login.check_telling(subject.login.as_ref(), desk.visit.now)?;
    if resources.is_empty() {
        resources = server.resources.intersection(&subject.authority.resources).cloned().collect();
    }
    if resources.is_empty() || !resources.is_subset(&server.resources) {
        return Err(InvalidTarget::NotAvailable.into());
    }
    Ok(Destination { server, kind, client, user, resources })
}

impl Destination<'_> {
    /// The same, as it is asked for.
    pub(super) fn asked(&self) -> destination::Destination {
        destination::Destination::other_domain(self.kind, &self.server.issuer)
    }

    /// Whether so much may be said there.
    pub(super) fn check(&self, scope: &Scope) -> Result<(), DelegationRefused> {
        if self.server.may_hear(scope) { Ok(()) } else { Err(DelegationRefused::ScopeTooWide) }
    }

    /// The name by which that server knows the user itself, where they signed in here by way of it, or linked who they are
    /// there to their account.
    async fn name_there(&self, desk: &Desk<'_>) -> Result<Option<String>, Failure> {
        let known = desk.app.store.identities_of_user(&self.user.id).await?;
        let mut there = known.into_iter().filter(|known| known.identity.issuer == self.server.issuer);
        // Who has two names there is not told by one of them.
        let only = there.next().filter(|_| there.next().is_none());
        Ok(only.map(|known| known.identity.subject))
    }

    /// Writes the grant of which `token` is the record, with what else is to be kept: by which name the user is known
    /// there.
    pub(super) async fn write(
        &self,
        desk: &Desk<'_>,
        token: Issuable,
    ) -> Result<(Written, Option<Record>), Failure> {
        let app = desk.app;
        let sees = match &self.server.sign_in_client {
            Some(id) => Some(app.store.find_client(id).await?.ok_or(InvalidTarget::NotAvailable)?),
            None => None,
        };
        let subject = match &sees {
            Some(client) => app.subject_for(client, &self.user.id),
            None => self.user.id.to_string(),
        };
        let seen = sees.and_then(|client| match subject::perspective(&client) {
            subject::Perspective::Public => None,
            subject::Perspective::Pairwise(_) => tokens::subject_seen(app, &client, &self.user.id),
        });
        let special = [GROUPS, AUD_SUB];
        let names: BTreeSet<&String> =
            self.server.claims.iter().filter(|name| !special.contains(&name.as_str())).collect();
        let wanted = names.into_iter().map(|name| (name.clone(), Wanted::default())).collect();
        let mut about_user = userinfo::by_name(&self.user, &wanted);
        if self.server.claims.contains(GROUPS) {
            let groups: Vec<String> = self.user.groups().into_iter().collect();
            about_user.insert(GROUPS.to_owned(), groups.into());
        }
        if self.server.claims.contains(AUD_SUB)
            && let Some(there) = self.name_there(desk).await?
        {
            about_user.insert(AUD_SUB.to_owned(), there.into());
        }
        let carried = Carried {
            issuer: app.issuer(),
            server: self.server,
            kind: self.kind,
            client: self.client,
            subject: &subject,
            about_user: &about_user,
        };
        let text = app.keys.sign(self.server.signing_alg, self.kind.typ(), &carried.claims(token.token()))?;
        Ok((Written::new(token, Secret::from_text(text)), seen.map(Record::PairwiseSubject)))
    }
}
