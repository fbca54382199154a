//! A JWT of a trusted issuer as `subject_token` (RFC 8693 §2.1): it enters the lineage as a token of its own, for the
//! client that presents it, and what is derived hangs on that.

use std::sync::Arc;

use protocol::actor::Chain;
use protocol::audience::Audience;
use protocol::audit::AuditEvent;
use protocol::claims_request::ClaimsRequest;
use protocol::delegation::Issuable;
use protocol::identifier::TokenId;
use protocol::jwt_bearer::GrantRefused;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::{Subject, Token, TokenKind};
use protocol::trusted_issuer::Purpose;

use super::desk::{Brought, Desk, Once};
use super::trusted;
use super::trusted::Verified;
use crate::failure::{Broken, Failure};
use crate::registry::Registry;
use crate::store::Record;
use crate::tokens;

/// What a foreign subject token became.
#[derive(Clone)]
pub(super) struct Foreign {
    /// What it is here.
    pub(super) token: Arc<Token>,
    /// That it was shown, where it may be shown once.
    pub(super) shown: Option<Once>,
    /// Whether it entered the lineage before, when a person was asked.
    pub(super) kept: bool,
}

impl Foreign {
    /// The record that what is derived hangs on, unless it is there. Nobody finds it by a text: each presentation is
    /// one of its own.
    pub(super) fn record(&self, desk: &Desk<'_>) -> Result<Option<Record>, Broken> {
        if self.kept {
            return Ok(None);
        }
        Ok(Some(tokens::record_of_foreign(desk.app, Issuable::root(self.token.as_ref().clone())?)))
    }
}

/// Reads one. Why it is not acceptable is told to the audit log alone: `otherwise` is for the client.
pub(super) async fn read(
    desk: &Desk<'_>,
    registry: &Registry,
    presented: &str,
    otherwise: impl Fn() -> Failure,
    event: &mut AuditEvent,
) -> Result<Foreign, Failure> {
    match take_in(desk, registry, presented, event).await {
        // That its issuer's keys are away says nothing of it.
        Err(Failure::Refused(Refusal { code, description, .. }))
            if code != ErrorCode::TemporarilyUnavailable =>
        {
            event.reason = Some(match event.reason.take() {
                Some(known) => format!("{known}; {description}"),
                None => description.into_owned(),
            });
            Err(otherwise())
        }
        taken => taken,
    }
}

async fn take_in(
    desk: &Desk<'_>,
    registry: &Registry,
    presented: &str,
    event: &mut AuditEvent,
) -> Result<Foreign, Failure> {
    let Verified { rule, grant, .. } =
        trusted::verify(desk, presented, Purpose::SubjectTokens, event).await?;
    let user = trusted::user(desk, &grant, event).await?;
    let client = &desk.caller.client;
    let authority = rule.brings(&grant.said, client, grant.expires_at);
    registry.types.check(&authority.details)?;
    authority.details.check_together(desk.visit.now)?;
    event.reason = Some(format!("a token of {}", rule.issuer));
    let token = Token {
        id: tokens::new_id(desk.app)?,
        kind: TokenKind::Foreign,
        client: client.id.clone(),
        instance: desk.caller.instance.clone(),
        subject: Subject::User(user.id.clone()),
        chain: Chain::none(),
        brought: grant.brought.clone(),
        may_act: None,
        audience: Audience::Resources,
        authority,
        cnf: grant.cnf.clone(),
        issued_at: desk.visit.now,
        login: None,
        claims: ClaimsRequest::default(),
        consent: None,
        task: None,
        parent: None,
        family: None,
        session: None,
        status: None,
    };
    match desk.resumes {
        None => Ok(Foreign {
            token: Arc::new(token),
            shown: trusted::shown(rule, &grant, Brought::SubjectToken),
            kept: false,
        }),
        Some(id) => resume(desk, id, token).await,
    }
}

/// What was presented when a person was asked, and was kept then. It is read anew, and must say what it said.
async fn resume(desk: &Desk<'_>, id: &TokenId, read: Token) -> Result<Foreign, Failure> {
    let kept = desk.app.store.find_token_by_id(id).await?;
    let same = |kept: &Token| {
        kept.kind == TokenKind::Foreign
            && *kept == Token { id: kept.id.clone(), issued_at: kept.issued_at, ..read.clone() }
    };
    match kept.filter(|kept| same(kept)) {
        Some(token) => Ok(Foreign { token, shown: None, kept: true }),
        None => Err(GrantRefused::NotAccepted.into()),
    }
}
