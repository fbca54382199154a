//! Authorization requests, from the question to the tokens.

use serde_json::Value;

use crate::answer::Answer;
use crate::client::Client;
use crate::form::Form;
use crate::key::{random, s256};
use crate::person::{Arrival, Person};

/// An authorization request with PKCE. Everything about it can be set, and taken out.
#[derive(Clone)]
pub struct Ask {
    params: Vec<(String, String)>,
    verifier: String,
    redirect_uri: String,
}

/// An authorization code, with what its client needs to redeem it.
#[derive(Clone, Debug)]
pub struct Code {
    /// The code.
    pub code: String,
    /// `code_verifier`.
    pub verifier: String,
    /// `redirect_uri`.
    pub redirect_uri: String,
}

impl Ask {
    pub(crate) fn new(client: &Client) -> Self {
        let (verifier, redirect_uri) = (random(), client.redirect_uri());
        let ask = Self { params: Vec::new(), redirect_uri: redirect_uri.clone(), verifier };
        let challenge = s256(&ask.verifier);
        ask.with("response_type", "code")
            .with("client_id", &client.id)
            .with("redirect_uri", &redirect_uri)
            .with("state", "the state")
            .with("code_challenge", &challenge)
            .with("code_challenge_method", "S256")
    }

    /// With one more parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Without a parameter.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.params.retain(|(known, _)| known != name);
        self
    }

    /// Another `redirect_uri`.
    #[must_use]
    pub fn returning_to(self, uri: &str) -> Self {
        let asked = self.without("redirect_uri").with("redirect_uri", uri);
        Self { redirect_uri: uri.to_owned(), ..asked }
    }

    /// `requested_actor`.
    #[must_use]
    pub fn actor(self, id: &str) -> Self {
        self.with("requested_actor", id)
    }

    /// `scope`.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        self.with("scope", scope)
    }

    /// `resource`; may be said several times.
    #[must_use]
    pub fn resource(self, resource: &str) -> Self {
        self.with("resource", resource)
    }

    /// `authorization_details`.
    #[must_use]
    pub fn details(self, details: &Value) -> Self {
        self.with("authorization_details", &details.to_string())
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> Vec<(&str, &str)> {
        self.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// Pushes it as `client`, and goes on with the reference.
    pub async fn pushed(self, client: &Client) -> Self {
        let pushed = client.push(&self.params()).await.ok();
        let params = vec![
            ("client_id".into(), client.id.clone()),
            ("request_uri".into(), pushed.text("request_uri").to_owned()),
        ];
        Self { params, ..self }
    }

    /// Brings it to the house in the browser of `person`.
    pub async fn brought_by(&self, person: &Person) -> Arrival {
        person.authorize(&self.params()).await
    }

    /// This code, with what redeems it: for a code that came back in another way than in the query.
    #[must_use]
    pub fn code(&self, code: &str) -> Code {
        let code = code.to_owned();
        Code { code, verifier: self.verifier.clone(), redirect_uri: self.redirect_uri.clone() }
    }

    /// All of it is approved by `person`, who is signed in.
    pub async fn approved_by(&self, person: &Person) -> Code {
        self.approved_in_part(person, |_| {}).await
    }

    /// The code that the browser brought back.
    #[must_use]
    #[track_caller]
    pub fn code_from(&self, back: &url::Url) -> Code {
        let code = Arrival::Away(back.clone()).param("code");
        Code { code, verifier: self.verifier.clone(), redirect_uri: self.redirect_uri.clone() }
    }

    /// It is approved as `change` leaves the form.
    pub async fn approved_in_part(&self, person: &Person, change: impl FnOnce(&mut Form)) -> Code {
        let code = match self.brought_by(person).await {
            Arrival::Page(page) => page.approve(change).await.param("code"),
            Arrival::Away(url) => Arrival::Away(url).param("code"),
        };
        Code { code, verifier: self.verifier.clone(), redirect_uri: self.redirect_uri.clone() }
    }
}

impl Code {
    /// The parameters that redeem it.
    #[must_use]
    pub fn params(&self) -> Vec<(&str, &str)> {
        vec![
            ("grant_type", "authorization_code"),
            ("code", &self.code),
            ("code_verifier", &self.verifier),
            ("redirect_uri", &self.redirect_uri),
        ]
    }

    /// `client` redeems it.
    pub async fn redeem(&self, client: &Client) -> Answer {
        client.token(&self.params()).await
    }
}
