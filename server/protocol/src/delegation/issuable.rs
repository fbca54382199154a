//! What may be issued. The only tokens that are written are [`Issuable`], and there are these ways to one: a token that
//! comes of another one was decided upon ([`super::decide`]); or it goes on with a refresh token, for the same client and
//! within what that permits (RFC 6749 §6); or it is the sign-in's word beside an access token, which ends with that; every
//! other one begins a lineage, and names no token that it comes of.

use crate::authority::Authority;
use crate::authorization_details::DetailsTypes;
use crate::claims_request::ClaimsRequest;
use crate::identifier::{SessionId, TokenId};
use crate::numeric_date::NumericDate;
use crate::status_list::StatusRef;
use crate::token::{Token, TokenKind};

/// A token that may be issued. It can be lessened, and nothing else about it can be changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Issuable(Token);

/// Why a token is not issued. Nobody outside is to blame for it: the server made a token that it must not make.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotIssuable {
    /// It comes of another token, and nothing was decided.
    #[error("a token that comes of another one was not decided upon")]
    NotDecided,
    /// It is not what the refresh token stands for, or more.
    #[error("a refreshed token is not of its refresh token, or beyond it")]
    BeyondRefreshToken,
}

impl Issuable {
    /// What was decided. Only this room says so.
    pub(super) const fn decided(token: Token) -> Self {
        Self(token)
    }

    /// A token that comes of no other one here: of a user's approval, of a client's own standing, or of what somebody
    /// says who is trusted.
    ///
    /// # Errors
    /// [`NotIssuable::NotDecided`] for one that does come of another one, or is of a kind that always does.
    pub fn root(token: Token) -> Result<Self, NotIssuable> {
        let begins = match token.kind {
            TokenKind::Access | TokenKind::Refresh | TokenKind::Foreign => true,
            TokenKind::Id | TokenKind::Assertion | TokenKind::Transaction => false,
        };
        if begins && token.parent.is_none() { Ok(Self(token)) } else { Err(NotIssuable::NotDecided) }
    }

    /// The access token that `refresh_token` is exchanged for: of the same client and the same story, and no more. It may
    /// be of another task, of which the caller knows that it is of this story.
    ///
    /// # Errors
    /// [`NotIssuable::BeyondRefreshToken`].
    pub fn refreshed(token: Token, refresh_token: &Token, types: &DetailsTypes) -> Result<Self, NotIssuable> {
        let Token { authority, cnf, issued_at, id, task, status, .. } = token.clone();
        let same = Token {
            kind: TokenKind::Access,
            parent: Some(refresh_token.id.clone()),
            authority,
            cnf,
            issued_at,
            id,
            task,
            status,
            ..refresh_token.clone()
        };
        let less = token.authority.is_within(&refresh_token.authority, types);
        let right = refresh_token.kind == TokenKind::Refresh && token == same && less;
        if right { Ok(Self(token)) } else { Err(NotIssuable::BeyondRefreshToken) }
    }

    /// The refresh token that takes the place of `used`, and is the same in all but its name and its time.
    ///
    /// # Errors
    /// [`NotIssuable::BeyondRefreshToken`] where that is none.
    pub fn successor(used: &Token, id: TokenId, now: NumericDate) -> Result<Self, NotIssuable> {
        match used.kind {
            TokenKind::Refresh => Ok(Self(Token { id, issued_at: now, ..used.clone() })),
            _ => Err(NotIssuable::BeyondRefreshToken),
        }
    }

    /// The ID token that leaves with `access` (OpenID Connect Core §2), for its client alone: it is bound to nothing, brings
    /// what was `approved` with the sign-in, and is over and ends with the access token.
    ///
    /// # Errors
    /// [`NotIssuable::NotDecided`] beside anything but an access token.
    pub fn beside(
        access: &Token,
        id: TokenId,
        approved: &Authority,
        session: Option<SessionId>,
    ) -> Result<Self, NotIssuable> {
        if access.kind != TokenKind::Access {
            return Err(NotIssuable::NotDecided);
        }
        Ok(Self(Token {
            id,
            kind: TokenKind::Id,
            authority: Authority { until: access.expires_at(), ..approved.clone() },
            cnf: None,
            claims: ClaimsRequest::default(),
            // Whoever ends the access token takes back this sign-in's word too: nothing is exchanged for it any more.
            parent: Some(access.id.clone()),
            session,
            status: None,
            ..access.clone()
        }))
    }

    /// The token.
    #[must_use]
    pub const fn token(&self) -> &Token {
        &self.0
    }

    /// The token, which can then be kept, and not be issued any more.
    #[must_use]
    pub fn into_token(self) -> Token {
        self.0
    }

    /// The same, over at `end` if it is not over before.
    #[must_use]
    pub fn until(mut self, end: NumericDate) -> Self {
        self.0.authority.until = self.0.authority.until.min(end);
        self
    }

    /// The same with its place in a status list.
    #[must_use]
    pub fn listed(mut self, status: Option<StatusRef>) -> Self {
        self.0.status = status;
        self
    }

    /// A transaction token, which is bound to nothing since it goes from one workload to the next; any other token stays
    /// as it is bound.
    #[must_use]
    pub fn to_be_passed_round(mut self) -> Self {
        if self.0.kind == TokenKind::Transaction {
            self.0.cnf = None;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::authorization_details::{AuthorizationDetails, built_in};

    fn refresh_token() -> Token {
        let details = json!([{ "type": "agent_task", "actions": ["read", "write"] }]).to_string();
        let mut token: Token = serde_json::from_value(json!({
            "id": "refresh", "kind": "refresh", "client": "a", "subject": { "user": "alice" },
            "chain": [{ "sub": "a", "iss": "https://as.example", "sub_profile": "ai_agent" }],
            "may_act": null, "audience": "resources",
            "authority": { "scope": "x y", "details": [], "resources": ["urn:r", "urn:s"], "until": 1_000 },
            "cnf": null, "issued_at": 10, "login": null, "consent": "con", "task": null, "parent": null,
            "family": "fam", "session": null
        }))
        .unwrap();
        token.authority.details = AuthorizationDetails::parse(&details).unwrap();
        token
    }

    fn access() -> Token {
        let mut token = refresh_token();
        token.id = "access".parse().unwrap();
        token.kind = TokenKind::Access;
        token.parent = Some("refresh".parse().unwrap());
        token.authority.scope = "x".parse().unwrap();
        token.authority.until = NumericDate(300);
        token
    }

    fn refreshed(change: impl FnOnce(&mut Token)) -> Result<Issuable, NotIssuable> {
        let mut token = access();
        change(&mut token);
        Issuable::refreshed(token, &refresh_token(), &DetailsTypes::new(built_in()).unwrap())
    }

    #[test]
    fn what_comes_of_another_token_is_no_root() {
        let root = || Token { parent: None, ..access() };
        assert_eq!(Issuable::root(root()).map(Issuable::into_token), Ok(root()));
        assert_eq!(Issuable::root(access()), Err(NotIssuable::NotDecided));
        for kind in [TokenKind::Id, TokenKind::Assertion, TokenKind::Transaction] {
            assert_eq!(Issuable::root(Token { kind, ..root() }), Err(NotIssuable::NotDecided), "{kind:?}");
        }
    }

    #[test]
    fn a_refreshed_token_is_of_the_same_story_and_within_its_refresh_token() {
        assert_eq!(refreshed(|_| {}).map(Issuable::into_token), Ok(access()));
        // What it is bound to, and which of the story's tasks it is for, are of this request.
        assert!(
            refreshed(|token| token.cnf = serde_json::from_value(json!({ "jkt": "k" })).unwrap()).is_ok()
        );
        let wrong: [fn(&mut Token); 13] = [
            |token| token.kind = TokenKind::Refresh,
            |token| token.parent = None,
            |token| token.client = "b".parse().unwrap(),
            |token| token.instance = Some("1".parse().unwrap()),
            |token| token.subject = serde_json::from_value(json!({ "user": "bob" })).unwrap(),
            |token| token.chain = crate::actor::Chain::none(),
            |token| token.consent = None,
            |token| token.family = None,
            |token| token.audience = crate::audience::Audience::Actor("b".parse().unwrap()),
            |token| token.authority.scope = "x z".parse().unwrap(),
            |token| token.authority.until = NumericDate(1_001),
            |token| token.authority.resources.extend(["urn:t".parse().unwrap()]),
            |token| {
                let wider = json!([{ "type": "agent_task", "actions": ["read", "delete"] }]).to_string();
                token.authority.details = AuthorizationDetails::parse(&wider).unwrap();
            },
        ];
        for (nth, change) in wrong.into_iter().enumerate() {
            assert_eq!(refreshed(change), Err(NotIssuable::BeyondRefreshToken), "{nth}");
        }
        let types = DetailsTypes::new(built_in()).unwrap();
        let of_access = Token { kind: TokenKind::Access, ..refresh_token() };
        assert!(Issuable::refreshed(access(), &of_access, &types).is_err(), "only of a refresh token");
    }

    #[test]
    fn an_id_token_is_over_with_its_access_token_and_hangs_on_it() {
        let approved = refresh_token().authority;
        let beside = |access: &Token| Issuable::beside(access, "id".parse().unwrap(), &approved, None);
        let bound = Token { cnf: serde_json::from_value(json!({ "jkt": "k" })).ok(), ..access() };
        let id_token = beside(&bound).unwrap().into_token();
        assert_eq!((id_token.kind, &id_token.parent), (TokenKind::Id, &Some(access().id)));
        assert_eq!((id_token.expires_at(), &id_token.authority.scope), (NumericDate(300), &approved.scope));
        assert_eq!((id_token.cnf, id_token.client, id_token.chain), (None, access().client, access().chain));
        assert_eq!(beside(&refresh_token()), Err(NotIssuable::NotDecided));
    }

    #[test]
    fn a_successor_is_its_predecessor_under_another_name() {
        let next = Issuable::successor(&refresh_token(), "next".parse().unwrap(), NumericDate(20)).unwrap();
        let expected = Token { id: "next".parse().unwrap(), issued_at: NumericDate(20), ..refresh_token() };
        assert_eq!(next.into_token(), expected);
        assert!(Issuable::successor(&access(), "next".parse().unwrap(), NumericDate(20)).is_err());
    }

    #[test]
    fn what_may_be_issued_can_only_be_lessened() {
        let bound = serde_json::from_value(json!({ "jkt": "k" })).ok();
        let root = |kind| Issuable(Token { kind, cnf: bound.clone(), ..access() });
        assert_eq!(root(TokenKind::Access).until(NumericDate(9)).token().expires_at(), NumericDate(9));
        assert_eq!(root(TokenKind::Access).until(NumericDate(999)).token().expires_at(), NumericDate(300));
        assert_eq!(root(TokenKind::Access).to_be_passed_round().token().cnf, bound);
        assert_eq!(root(TokenKind::Transaction).to_be_passed_round().token().cnf, None);
    }
}
