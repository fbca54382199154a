//! Actor receipts: who joined a chain, hop by hop, signed when they are first asked for and the same ever after.
//!
//! A hop is told from the lineage: the first token on the way from the user to this one that has so many actors. Until
//! somebody asks nothing is signed, so that an exchange costs one signature; what was given once is kept byte for byte.

use std::sync::Arc;

use protocol::client::SigningAlg;
use protocol::numeric_date::NumericDate;
use protocol::receipts::{Receipt, TYP};
use protocol::token::{Token, TokenKind};

use crate::app::App;
use crate::failure::{Broken, Failure};
use crate::secret::random_id;
use crate::store::{ActorReceipt, Change, CommitError, Record};

/// The receipts of everybody in the chain of `token`, the newest first; none where nobody acts, or where the lineage is
/// not known from its beginning.
///
/// # Errors
/// The store's, the signing key's.
pub async fn of(app: &App, token: &Arc<Token>, now: NumericDate) -> Result<Vec<String>, Failure> {
    let hops = hops(app, token).await?;
    let names: Vec<&str> = hops.iter().map(|hop| name(hop)).collect();
    let mut known = app.store.find_receipts(&names).await?;
    let mut receipts: Vec<String> = Vec::with_capacity(hops.len());
    for hop in &hops {
        let compact = match known.remove(name(hop)) {
            Some(compact) => compact,
            None => make(app, hop, receipts.last().map(String::as_str), now).await?,
        };
        receipts.push(compact);
    }
    receipts.reverse();
    Ok(receipts)
}

/// The tokens at which the chain grew, the oldest first.
async fn hops(app: &App, token: &Arc<Token>) -> Result<Vec<Arc<Token>>, Failure> {
    let mut way = vec![Arc::clone(token)];
    while let Some(parent) = way.last().and_then(|token| token.parent.clone()) {
        let Some(parent) = app.store.find_token_by_id(&parent).await? else { return Ok(Vec::new()) };
        way.push(parent);
    }
    let mut hops: Vec<Arc<Token>> = Vec::with_capacity(token.chain.depth());
    for token in way.iter().rev() {
        if token.chain.depth() > hops.len() {
            hops.push(Arc::clone(token));
        }
    }
    Ok(hops)
}

/// What a hop is kept under. The tokens of one authorization have their first hop in common, so that a refreshed token
/// has the receipts of the one before.
fn name(hop: &Token) -> &str {
    match (&hop.parent, &hop.family) {
        (None, Some(family)) => family.as_str(),
        _ => hop.id.as_str(),
    }
}

/// Signs and keeps the receipt of a hop, or gets the one that somebody else kept at the same moment.
async fn make(app: &App, hop: &Token, before: Option<&str>, now: NumericDate) -> Result<String, Failure> {
    let nobody = || Broken::Inconsistent("a hop without an actor");
    let actor = hop.chain.current().ok_or_else(nobody)?;
    let begins = hop.parent.is_none().then_some(hop.family.as_ref()).flatten();
    let origin = match begins {
        Some(_) if hop.kind == TokenKind::Access => Some(hop.id.clone()),
        Some(family) => app.store.first_token_of_family(family).await?,
        None => Some(hop.id.clone()),
    };
    // Whoever has a refresh token goes on until the consent is over; nothing else outlives the token of its hop.
    let consent = match (begins, &hop.consent) {
        (Some(_), Some(consent)) => app.store.find_consent(consent).await?,
        _ => None,
    };
    let expires_at =
        consent.map_or(hop.expires_at(), |consent| consent.authority.until.max(hop.expires_at()));
    let receipt = Receipt {
        issuer: app.issuer(),
        sub: hop.subject.as_str(),
        sub_profile: hop.subject.sub_profile().as_str(),
        actor,
        issued_at: hop.issued_at,
        expires_at,
        jti: &random_id(app.entropy.as_ref(), "rct_"),
        origin_jti: origin.as_ref().map(|id| id.as_str()),
        before,
    };
    let compact = app.keys.sign(SigningAlg::Es256, TYP, &receipt.claims())?;
    let record = ActorReceipt { hop: name(hop).to_owned(), compact, expires_at };
    match app.store.commit(Change::housekeeping(now).keep(Record::ActorReceipt(record))).await {
        Ok(_) => {}
        Err(CommitError::Broken(error)) => return Err(error.into()),
        Err(CommitError::Conflict(_)) => {
            return Err(Broken::Inconsistent("a receipt that cannot be kept").into());
        }
    }
    let mut kept = app.store.find_receipts(&[name(hop)]).await?;
    kept.remove(name(hop)).ok_or_else(|| Broken::Inconsistent("a receipt that was not kept").into())
}
