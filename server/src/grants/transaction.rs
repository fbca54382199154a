//! Transaction tokens for the workloads of the trust domain (Transaction Tokens §7, §8).

use protocol::audience::{InvalidTarget, Resources};
use protocol::client::{Client, ClientAuthentication};
use protocol::delegation::{DelegationRefused, Issuable};
use protocol::destination::Destination;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::{Token, TokenKind};
use protocol::token_request::{ExchangeRequest, Transaction};
use protocol::transaction_token::{Replacement, TYP, TransactionToken};

use super::Desk;
use crate::failure::Failure;
use crate::secret::{Secret, random_id};
use crate::tokens::{self, Written};

/// A transaction token that is to be written.
pub(super) struct Wanted {
    trust_domain: String,
    transaction: Transaction,
    /// The one that it takes the place of.
    replaces: Option<TransactionToken>,
    /// Where what it is for has a meaning.
    pub(super) resources: Resources,
}

/// What is wanted, if this caller may want it: a workload of the domain that proves who it is by something signed, from a
/// subject token that says what may be done.
pub(super) fn wanted(desk: &Desk<'_>, request: &ExchangeRequest, subject: &Token) -> Result<Wanted, Failure> {
    let settings = &desk.app.settings.transaction_tokens;
    let client = &desk.caller.client;
    let [trust_domain] = request.audiences.as_slice() else {
        return Err(InvalidTarget::NotOneAudience.into());
    };
    if !settings.admit(trust_domain, &client.id) || !request.resources.is_empty() {
        return Err(InvalidTarget::NotAvailable.into());
    }
    if !proves_itself_by_a_signature(client) {
        let description =
            "a workload must authenticate with a key, a certificate or its platform's word, and no secret";
        return Err(Refusal::new(ErrorCode::UnauthorizedClient, description).into());
    }
    if subject.kind == TokenKind::Refresh {
        return Err(DelegationRefused::NotASubjectToken.into());
    }
    let replaces = match subject.kind {
        TokenKind::Transaction => {
            let claims = desk.app.keys.verify_own(request.subject_token.token.reveal(), TYP);
            let read = claims.ok().and_then(|claims| TransactionToken::of(&claims));
            let ours = read.filter(|read| read.trust_domain == *trust_domain);
            Some(ours.ok_or(DelegationRefused::NotASubjectToken)?)
        }
        _ => None,
    };
    let resources = subject.authority.resources.intersection(&client.resources).cloned().collect();
    Ok(Wanted {
        trust_domain: trust_domain.clone(),
        transaction: request.transaction.clone(),
        replaces,
        resources,
    })
}

/// Transaction Tokens §7: a secret that is sent along proves too little. The word of a platform, a trust domain or an
/// attester is signed, for this server alone, about this workload.
const fn proves_itself_by_a_signature(client: &Client) -> bool {
    match client.authentication {
        ClientAuthentication::PrivateKeyJwt
        | ClientAuthentication::TlsClientAuth
        | ClientAuthentication::SelfSignedTlsClientAuth
        | ClientAuthentication::SpiffeX509 { .. }
        | ClientAuthentication::WorkloadJwt(_)
        | ClientAuthentication::SpiffeJwt { .. }
        | ClientAuthentication::AttestJwtClientAuth { .. }
        | ClientAuthentication::AttestJwtClientAuthDpop { .. } => true,
        ClientAuthentication::None
        | ClientAuthentication::ClientSecretBasic { .. }
        | ClientAuthentication::ClientSecretPost { .. } => false,
    }
}

impl Wanted {
    /// Where it is to go.
    pub(super) fn destination(&self) -> Destination {
        Destination::Transaction {
            audience: self.trust_domain.clone(),
            request_details: self.transaction.details.clone(),
        }
    }

    /// Writes the transaction token of which `token` is the record. It is bound to nothing, since it goes from one
    /// workload to the next.
    pub(super) fn write(self, desk: &Desk<'_>, issuable: Issuable) -> Result<Written, Failure> {
        let app = desk.app;
        let issuable = issuable.to_be_passed_round();
        let token = issuable.token();
        let act = token.chain.to_claim_on(&token.brought);
        let Transaction { context, details } = self.transaction;
        let workload = desk.caller.client.id.to_string();
        let written = match self.replaces {
            Some(before) => {
                let replacement = Replacement {
                    scope: token.authority.scope.clone(),
                    workload,
                    tctx: details,
                    rctx: context,
                    act,
                    until: token.expires_at(),
                };
                before.replaced(replacement, desk.visit.now)?
            }
            None => TransactionToken {
                issuer: app.issuer().to_owned(),
                trust_domain: self.trust_domain,
                subject: token.subject.as_str().to_owned(),
                txn: match &token.task {
                    Some(task) => task.root.to_string(),
                    None => random_id(app.entropy.as_ref(), "txn_"),
                },
                scope: token.authority.scope.clone(),
                requesting_workload: workload,
                earlier_workloads: Vec::new(),
                tctx: details,
                rctx: context,
                act,
                issued_at: desk.visit.now,
                expires_at: token.expires_at(),
            },
        };
        let alg = protocol::client::SigningAlg::Es256;
        let text = app.keys.sign(alg, TYP, &written.claims())?;
        let text = Secret::from_text(text);
        tokens::check_length(token, &text)?;
        Ok(Written::new(issuable.until(written.expires_at), text))
    }
}
