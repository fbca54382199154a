//! A logout request (RP-Initiated Logout §2, §3), and the one decision that follows from it: end the session, ask the
//! user first, or refuse; and whether the browser may be sent anywhere afterwards.

use super::Hint;
use crate::client::Client;
use crate::identifier::ClientId;
use crate::params::{Params, RepeatedParameter};
use crate::redirect_uri::{self, ReturnAddress};
use crate::refusal::{ErrorCode, Refuse};

/// The parameters, all optional. Unknown ones are passed over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogoutRequest {
    /// An ID token that the client got, current or past.
    pub id_token_hint: Option<String>,
    /// Who is logging out, in the client's words.
    pub logout_hint: Option<String>,
    /// The client.
    pub client_id: Option<String>,
    /// Where to go afterwards.
    pub post_logout_redirect_uri: Option<String>,
    /// Comes back there.
    pub state: Option<String>,
    /// The languages that the user prefers.
    pub ui_locales: Option<String>,
}

/// Why a logout request is refused. The answer is a page, never a redirect (§4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LogoutRefused {
    /// Not an ID token, or not one of ours.
    #[error("id_token_hint is not an ID token of this server")]
    InvalidHint,
    /// `client_id` names another client than the hint's `aud`.
    #[error("client_id is not the client that id_token_hint was made for")]
    AnotherClient,
    /// No such client, or none that may act.
    #[error("the client is unknown")]
    UnknownClient,
    /// Nothing says whose address it is.
    #[error("post_logout_redirect_uri needs an id_token_hint or a client_id")]
    NobodysAddress,
    /// Not, character by character, one that the client registered.
    #[error("post_logout_redirect_uri is not one that this client registered; the match is exact")]
    NotRegistered,
}

impl Refuse for LogoutRefused {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

/// The session in this browser, as the client of the request knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Present {
    /// Its user's `sub`.
    pub sub: String,
    /// Its `sid`.
    pub sid: String,
    /// By what names a client may mean its user: user name, e-mail address, telephone number.
    pub names: Vec<String>,
}

/// Everything that the decision rests on.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    /// What was sent.
    pub request: &'a LogoutRequest,
    /// The hint, verified; none where none was sent.
    pub hint: Option<&'a Hint>,
    /// The live client that the hint or `client_id` names.
    pub client: Option<&'a Client>,
    /// Who is signed in; nobody where the session is over already, which is no error (§4).
    pub session: Option<&'a Present>,
}

/// What is to happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Nobody is signed in.
    NothingToEnd,
    /// The request proves that it comes from a client of this very session: end it.
    End,
    /// Anybody could have made up this request: ask.
    Ask,
}

/// The decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// What is to happen.
    pub next: Next,
    /// Where the browser may go afterwards.
    pub return_to: Option<ReturnAddress>,
    /// Whether a hint proves that the client knows this user, so that the browser may be sent there unasked (§3).
    pub proven: bool,
}

impl LogoutRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// One that came twice.
    pub fn parse(params: &Params) -> Result<Self, RepeatedParameter> {
        let one = |name| params.once(name).map(|value| value.map(str::to_owned));
        Ok(Self {
            id_token_hint: one("id_token_hint")?,
            logout_hint: one("logout_hint")?,
            client_id: one("client_id")?,
            post_logout_redirect_uri: one("post_logout_redirect_uri")?,
            state: one("state")?,
            ui_locales: one("ui_locales")?,
        })
    }

    /// The parameters that are there, by name, to be sent again.
    #[must_use]
    pub fn to_params(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("id_token_hint", &self.id_token_hint),
            ("logout_hint", &self.logout_hint),
            ("client_id", &self.client_id),
            ("post_logout_redirect_uri", &self.post_logout_redirect_uri),
            ("state", &self.state),
            ("ui_locales", &self.ui_locales),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }

    /// The client that the request names: the hint's, which `client_id` must not contradict.
    ///
    /// # Errors
    /// [`LogoutRefused::AnotherClient`] and, for what cannot be a client's id, [`LogoutRefused::UnknownClient`].
    pub fn client(&self, hint: Option<&Hint>) -> Result<Option<ClientId>, LogoutRefused> {
        let named = self.client_id.as_deref();
        match (hint, named) {
            (Some(hint), Some(named)) if hint.client.as_str() != named => Err(LogoutRefused::AnotherClient),
            (Some(hint), _) => Ok(Some(hint.client.clone())),
            (None, Some(named)) => named.parse().map(Some).map_err(|_| LogoutRefused::UnknownClient),
            (None, None) => Ok(None),
        }
    }
}

impl Story<'_> {
    /// Decides.
    ///
    /// # Errors
    /// [`LogoutRefused`].
    pub fn decide(&self) -> Result<Verdict, LogoutRefused> {
        let named = self.request.client(self.hint)?;
        if named.is_some() && self.client.map(|client| &client.id) != named.as_ref() {
            return Err(LogoutRefused::UnknownClient);
        }
        let return_to = self.request.post_logout_redirect_uri.as_deref().map(|uri| self.address(uri));
        Ok(Verdict { next: self.next(), return_to: return_to.transpose()?, proven: self.hint.is_some() })
    }

    fn address(&self, uri: &str) -> Result<ReturnAddress, LogoutRefused> {
        let registered = &self.client.ok_or(LogoutRefused::NobodysAddress)?.post_logout_redirect_uris;
        // No port is free to choose here, not even on the loopback: the match is exact (§3).
        let exact: Vec<String> = registered.iter().filter(|one| *one == uri).cloned().collect();
        redirect_uri::find(&exact, Some(uri)).map_err(|_| LogoutRefused::NotRegistered)
    }

    fn next(&self) -> Next {
        let Some(present) = self.session else { return Next::NothingToEnd };
        let of_this_session =
            |hint: &Hint| hint.sub == present.sub && hint.sid.as_deref() == Some(present.sid.as_str());
        let means_another = self.request.logout_hint.as_deref().is_some_and(|hint| !present.is_called(hint));
        match self.hint {
            Some(hint) if of_this_session(hint) && !means_another => Next::End,
            _ => Next::Ask,
        }
    }
}

impl Present {
    fn is_called(&self, hint: &str) -> bool {
        hint == self.sub || hint == self.sid || self.names.iter().any(|name| name.eq_ignore_ascii_case(hint))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BYE: &str = "https://web.example/bye?x=1";

    fn client(id: &str) -> Client {
        serde_json::from_value(json!({
            "id": id, "name": "The web", "kind": "application", "authentication": "none",
            "redirect_uris": ["https://web.example/cb"], "grant_types": ["authorization_code"], "scope": "openid",
            "post_logout_redirect_uris": [BYE, "http://127.0.0.1/bye"],
            "id_token_signed_response_alg": "ES256", "status": "active"
        }))
        .unwrap()
    }

    fn request(params: &[(&str, &str)]) -> LogoutRequest {
        let pairs: Vec<_> = params.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        LogoutRequest::parse(&Params::try_from(pairs).unwrap()).unwrap()
    }

    fn hint(sub: &str, sid: Option<&str>) -> Hint {
        Hint { client: "web".parse().unwrap(), sub: sub.into(), sid: sid.map(str::to_owned) }
    }

    fn present() -> Present {
        Present { sub: "u".into(), sid: "s".into(), names: vec!["Alice".into(), "alice@example.com".into()] }
    }

    fn decide(
        params: &[(&str, &str)],
        hint: Option<&Hint>,
        session: Option<&Present>,
    ) -> Result<Verdict, LogoutRefused> {
        let (request, web) = (request(params), client("web"));
        let named = hint.is_some() || params.iter().any(|(name, _)| *name == "client_id");
        let client = named.then_some(&web);
        Story { request: &request, hint, client, session }.decide()
    }

    fn next(params: &[(&str, &str)], hint: Option<&Hint>) -> Next {
        decide(params, hint, Some(&present())).unwrap().next
    }

    #[test]
    fn a_request_without_any_parameter_asks() {
        let verdict = decide(&[], None, Some(&present())).unwrap();
        assert_eq!(verdict, Verdict { next: Next::Ask, return_to: None, proven: false });
        assert_eq!(next(&[("state", "x")], None), Next::Ask);
        assert_eq!(next(&[("client_id", "web")], None), Next::Ask);
    }

    #[test]
    fn only_a_hint_of_this_very_session_ends_it_unasked() {
        assert_eq!(next(&[], Some(&hint("u", Some("s")))), Next::End);
        for other in [hint("u", Some("older")), hint("u", None), hint("bob", Some("s")), hint("bob", None)] {
            assert_eq!(next(&[], Some(&other)), Next::Ask, "{other:?}");
        }
    }

    #[test]
    fn a_logout_hint_that_means_somebody_else_asks() {
        let proof = hint("u", Some("s"));
        for same in ["u", "s", "alice", "ALICE@example.com"] {
            assert_eq!(next(&[("logout_hint", same)], Some(&proof)), Next::End, "{same}");
        }
        assert_eq!(next(&[("logout_hint", "bob")], Some(&proof)), Next::Ask);
    }

    #[test]
    fn nobody_signed_in_is_no_error() {
        let verdict =
            decide(&[("post_logout_redirect_uri", BYE)], Some(&hint("u", Some("s"))), None).unwrap();
        assert_eq!(verdict.next, Next::NothingToEnd);
        assert_eq!(verdict.return_to.unwrap().as_str(), BYE);
    }

    #[test]
    fn the_address_is_registered_character_by_character() {
        let to = |uri| decide(&[("post_logout_redirect_uri", uri)], Some(&hint("u", None)), None);
        assert!(to(BYE).unwrap().return_to.is_some());
        assert!(to("http://127.0.0.1/bye").unwrap().return_to.is_some());
        for attack in [
            "https://web.example/bye",
            "https://web.example/bye?x=1&y=2",
            "https://web.example/bye?x=1#",
            "https://web.example/cb",
            "https://evil.example/bye?x=1",
            "http://127.0.0.1:8080/bye",
            "//web.example/bye?x=1",
            "javascript:alert(1)",
        ] {
            assert_eq!(to(attack), Err(LogoutRefused::NotRegistered), "{attack}");
        }
    }

    #[test]
    fn an_address_needs_somebody_whose_it_is_and_only_a_hint_proves_that_the_request_is_theirs() {
        let address = ("post_logout_redirect_uri", BYE);
        assert_eq!(decide(&[address], None, None), Err(LogoutRefused::NobodysAddress));
        let named = decide(&[address, ("client_id", "web")], None, Some(&present())).unwrap();
        assert!(named.return_to.is_some() && !named.proven);
        assert!(decide(&[address], Some(&hint("u", None)), None).unwrap().proven);
    }

    #[test]
    fn client_id_and_hint_name_one_client_that_is_known() {
        let proof = hint("u", Some("s"));
        assert_eq!(decide(&[("client_id", "app")], Some(&proof), None), Err(LogoutRefused::AnotherClient));
        assert_eq!(next(&[("client_id", "web")], Some(&proof)), Next::End);
        assert_eq!(decide(&[("client_id", "app")], None, None), Err(LogoutRefused::UnknownClient));
        assert_eq!(decide(&[("client_id", "a b")], None, None), Err(LogoutRefused::UnknownClient));
        let request = request(&[("client_id", "web")]);
        let story = Story { request: &request, hint: None, client: None, session: None };
        assert_eq!(story.decide(), Err(LogoutRefused::UnknownClient));
    }

    #[test]
    fn what_is_sent_again_is_what_came_and_nothing_comes_twice() {
        let sent = [("id_token_hint", "h"), ("client_id", "web"), ("state", "a b&c"), ("ui_locales", "de")];
        assert_eq!(request(&sent).to_params(), sent);
        let twice = Params::parse(b"state=1&state=2").unwrap();
        assert_eq!(LogoutRequest::parse(&twice), Err(RepeatedParameter("state")));
    }
}
