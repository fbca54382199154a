//! The authorization code flow, step by step.

use url::Url;

use crate::answer::Answer;
use crate::browser::{Browser, Landing};
use crate::check::Problem;
use crate::jose::{self, Key};
use crate::post::Post;
use crate::profile::{Authentication, Client};
use crate::world::World;

/// An authorization request, well-formed until a check spoils it.
#[derive(Clone)]
pub struct Authorization<'w> {
    pub(crate) world: &'w World,
    /// Who asks.
    pub client: &'w Client,
    /// The parameters.
    pub params: Vec<(String, String)>,
    /// What the challenge was made of.
    pub verifier: String,
    /// The key that the tokens are to be bound to.
    pub key: Option<&'w Key>,
}

impl<'w> Authorization<'w> {
    /// For the first resource and one of its scopes, with PKCE.
    #[must_use]
    pub fn new(world: &'w World, client: &'w Client) -> Self {
        let verifier = jose::fresh();
        let challenge = jose::sha256(&verifier);
        let state = jose::fresh();
        let params = [
            ("response_type", "code"),
            ("client_id", client.id.as_str()),
            ("redirect_uri", client.redirect_uri()),
            ("scope", world.targets().scope.as_str()),
            ("resource", world.targets().resource.as_str()),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let params = params.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec();
        Self { world, client, params, verifier, key: None }
    }

    /// With a parameter, in place of any of that name.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.params.retain(|(known, _)| known != name);
        self.and(name, value)
    }

    /// With another parameter, whether or not there is one of that name.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a parameter.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.params.retain(|(known, _)| known != name);
        self
    }

    /// Without PKCE.
    #[must_use]
    pub fn without_challenge(self) -> Self {
        self.without("code_challenge").without("code_challenge_method")
    }

    /// For tokens that are bound to the suite's key.
    #[must_use]
    pub const fn bound(mut self) -> Self {
        self.key = Some(&self.world.key);
        self
    }

    /// A parameter as it will be sent.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| known == name).map(|(_, v)| v.as_str()).unwrap_or_default()
    }

    /// The URL that starts it.
    ///
    /// # Errors
    /// Where there is no authorization endpoint.
    pub fn url(&self) -> Result<String, Problem> {
        let mut url = Url::parse(self.world.endpoint("authorization_endpoint")?)?;
        url.query_pairs_mut().extend_pairs(&self.params);
        Ok(url.to_string())
    }

    /// The first answer, in a browser where nobody is signed in.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn open(&self) -> Result<Answer, Problem> {
        Ok(Browser::new(self.world.http.clone()).get(&self.url()?).await?)
    }

    /// The refusal that the client is told by redirect, in a browser where nobody is signed in.
    ///
    /// # Errors
    /// Where it is not told so, or told otherwise.
    pub async fn refused(&self, codes: &[&str]) -> Result<Landing, Problem> {
        let answer = self.open().await?;
        let location = answer.header("location").to_owned();
        if !location.starts_with(self.client.redirect_uri()) {
            let told = format!("a redirect with {codes:?} expected, but: {} {location}", answer.brief());
            return Err(Problem::Failed(told));
        }
        let landing = Landing::read(&location, vec![answer])?;
        if codes.contains(&landing.param("error")) && landing.param("code").is_empty() {
            Ok(landing)
        } else {
            Err(Problem::Failed(format!("{codes:?} expected, but: {location}")))
        }
    }

    /// Only a page for the user, and nothing for the client.
    ///
    /// # Errors
    /// Where it is anything else.
    pub async fn stays(&self) -> Result<Answer, Problem> {
        let answer = self.open().await?;
        if answer.status >= 400 && answer.status < 500 && answer.header("location").is_empty() {
            Ok(answer)
        } else {
            let location = answer.header("location");
            Err(Problem::Failed(format!("an error page expected, but: {} {location}", answer.brief())))
        }
    }

    /// The way through sign-in and consent, back to the client.
    ///
    /// # Errors
    /// Where the browser gets stuck.
    pub async fn finish(&self) -> Result<Landing, Problem> {
        self.follow(&self.url()?).await
    }

    /// The same from another URL.
    ///
    /// # Errors
    /// Where the browser gets stuck.
    pub async fn follow(&self, url: &str) -> Result<Landing, Problem> {
        let mut browser = self.world.browser.lock().await;
        let (pages, user) = (&self.world.profile.pages, &self.world.profile.user);
        Ok(browser.follow(url, self.param("redirect_uri"), pages, user).await?)
    }

    /// The code.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn code(&self) -> Result<String, Problem> {
        let landing = self.finish().await?;
        match landing.param("code") {
            "" => Err(Problem::Failed(format!("a code was expected, but: {}", landing.url))),
            code => Ok(code.to_owned()),
        }
    }

    /// The request that redeems a code.
    ///
    /// # Errors
    /// Where there is no token endpoint.
    pub fn redeem(&self, code: &str) -> Result<Post<'w>, Problem> {
        let request = self.world.token(self.client, "authorization_code")?.with("code", code);
        let request = request.with("redirect_uri", self.param("redirect_uri"));
        let request = if self.param("code_challenge").is_empty() {
            request
        } else {
            request.with("code_verifier", &self.verifier)
        };
        Ok(match self.key {
            Some(key) => request.dpop(key),
            None => request,
        })
    }

    /// The whole way to the tokens.
    ///
    /// # Errors
    /// Where it is cut off.
    pub async fn tokens(&self) -> Result<Answer, Problem> {
        self.redeem(&self.code().await?)?.send().await?.granted()
    }

    /// The request that pushes it (RFC 9126).
    ///
    /// # Errors
    /// Where that is not offered.
    pub fn push(&self) -> Result<Post<'w>, Problem> {
        let mut request = self.world.post("pushed_authorization_request_endpoint", self.client)?;
        // A public client says who it is by this very parameter.
        let params = self.params.iter().filter(|(name, _)| {
            name != "client_id" || self.client.authentication != Authentication::None
        });
        for (name, value) in params {
            request = request.and(name, value);
        }
        Ok(request)
    }

    /// The URL that starts a pushed request.
    ///
    /// # Errors
    /// Where there is no authorization endpoint.
    pub fn pushed_url(&self, request_uri: &str) -> Result<String, Problem> {
        let mut url = Url::parse(self.world.endpoint("authorization_endpoint")?)?;
        url.query_pairs_mut().append_pair("client_id", &self.client.id).append_pair("request_uri", request_uri);
        Ok(url.to_string())
    }
}
