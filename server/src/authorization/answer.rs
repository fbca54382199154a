//! The answer to the client, by whichever way it asked for: in the query or in a form, plain or signed (JARM).

use std::sync::Arc;

use protocol::authorization_response::AuthorizationResponse;
use protocol::client::Client;
use protocol::redirect_uri::ReturnAddress;
use protocol::refusal::Refusal;
use protocol::response_mode::ResponseMode;

use super::Stop;
use crate::app::{App, Visit};
use crate::failure::Broken;

/// What the user's browser is to do with an answer.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// Go to this URL.
    Redirect(String),
    /// Post this form (Form Post Response Mode §2).
    Form {
        /// Where to.
        action: String,
        /// What.
        fields: Vec<(String, String)>,
    },
}

/// The way back to a client whose return address is proven.
pub(super) struct WayBack {
    pub(super) client: Arc<Client>,
    pub(super) address: ReturnAddress,
    pub(super) mode: ResponseMode,
    pub(super) state: Option<String>,
    /// `session_state`, where the client may watch the session (Session Management §2).
    pub(super) session_state: Option<String>,
}

impl WayBack {
    /// The answer that says yes.
    pub(super) async fn granted(&self, app: &App, visit: &Visit, code: &str) -> Result<Answer, Stop> {
        self.lead(app, visit, AuthorizationResponse::granted(code, self.state.as_deref())).await
    }

    /// The answer that says no.
    pub(super) async fn refused(&self, app: &App, visit: &Visit, refusal: &Refusal) -> Result<Answer, Stop> {
        self.lead(app, visit, AuthorizationResponse::refused(refusal, self.state.as_deref())).await
    }

    /// The answer that says no, as what stops a request.
    pub(super) async fn stop(&self, app: &App, visit: &Visit, refusal: &Refusal) -> Stop {
        self.refused(app, visit, refusal).await.map_or_else(|stop| stop, Stop::Answer)
    }

    async fn lead(&self, app: &App, visit: &Visit, response: AuthorizationResponse) -> Result<Answer, Stop> {
        let response = match &self.session_state {
            Some(session_state) => response.with("session_state", session_state),
            None => response,
        };
        let jwt;
        let params = if self.mode.is_jwt() {
            jwt = self.signed(app, visit, &response).await.map_err(Stop::Broken)?;
            vec![("response", jwt.as_str())]
        } else {
            response.plain(app.issuer())
        };
        if !self.mode.is_form() {
            return Ok(Answer::Redirect(self.address.redirect(&params)));
        }
        let fields = params.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Answer::Form { action: self.address.as_str().to_owned(), fields })
    }

    /// Signed, and encrypted where the client registered how (JARM §2.2).
    async fn signed(
        &self,
        app: &App,
        visit: &Visit,
        response: &AuthorizationResponse,
    ) -> Result<String, Broken> {
        let claims = response.claims(app.issuer(), &self.client.id, visit.now);
        let jwt = app.keys.sign(self.client.authorization_response_alg(), "JWT", &claims)?;
        let encryption = self.client.metadata.authorization_encryption();
        Ok(app.encrypt_to(&self.client, jwt, encryption, visit.now).await?)
    }
}
