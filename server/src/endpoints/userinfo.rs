//! `GET` and `POST /userinfo` (OpenID Connect Core §5.3).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use protocol::client::Client;
use protocol::metadata::USERINFO;
use protocol::params::Params;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::userinfo;
use serde_json::{Map, Value};

use super::protected::{self, Asked};
use super::reply;
use super::sent::is_form;
use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};

/// What the user's scopes tell about the user.
pub async fn get(State(app): State<Arc<App>>, request: Parts) -> Response {
    answer(&app, &request).await.unwrap_or_else(|refused| *refused)
}

/// The same, for an access token that may come in a form (RFC 6750 §2.2).
pub async fn post(State(app): State<Arc<App>>, mut request: Parts, body: Bytes) -> Response {
    if is_form(&request.headers)
        && let Err(refused) = take_from_form(&app, &mut request, &body)
    {
        return *refused;
    }
    answer(&app, &request).await.unwrap_or_else(|refused| *refused)
}

/// Moves an access token from the form to where it is looked for. One that comes in both places is malformed
/// (RFC 6750 §2).
fn take_from_form(app: &App, request: &mut Parts, body: &Bytes) -> Result<(), Box<Response>> {
    let visit = protected::visit(&request.extensions)?;
    let refuse = |refusal: Refusal| Box::new(reply::refusal(app, &visit, &refusal, false));
    let form = Params::parse(body).map_err(|reason| refuse(reason.into()))?;
    let Some(token) = form.once("access_token").map_err(|reason| refuse(reason.into()))? else {
        return Ok(());
    };
    let malformed = |what: &'static str| refuse(Refusal::new(ErrorCode::InvalidRequest, what));
    if request.headers.contains_key(header::AUTHORIZATION) {
        return Err(malformed("send the access token in one place"));
    }
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    request.headers.insert(header::AUTHORIZATION, value.map_err(|_| malformed("access_token is malformed"))?);
    Ok(())
}

async fn answer(app: &App, request: &Parts) -> Result<Response, Box<Response>> {
    let visit = protected::visit(&request.extensions)?;
    let url = app.url(USERINFO);
    let (headers, method) = (&request.headers, &request.method);
    let asked = Asked { visit: &visit, headers, method, url: &url, scope: "openid" };
    let token = protected::open(app, &asked).await?;
    protected::check_login(app, &asked, &token, &app.settings.userinfo.demand())?;
    let broken = |failure: Failure| Box::new(reply::failure(app, &visit, failure, false));
    let gone = || broken(Broken::Inconsistent("a live token of a user that is not there").into());
    let user = token.subject.user().ok_or_else(gone)?;
    let user = app.store.find_user(user).await.map_err(|error| broken(error.into()))?.ok_or_else(gone)?;
    let client = app.store.find_client(&token.client).await.map_err(|error| broken(error.into()))?;
    let client = client.ok_or_else(gone)?;
    let subject = app.subject_for(&client, &user.id);
    let claims = userinfo::userinfo(&user, &subject, &token.authority.scope, &token.claims.userinfo);
    write(app, &visit, &client, claims).await.map_err(broken)
}

/// JSON, or a JWT where the client registered that it is signed or encrypted (OpenID Connect Core §5.3.2).
async fn write(
    app: &App,
    visit: &Visit,
    client: &Client,
    claims: Map<String, Value>,
) -> Result<Response, Failure> {
    let encryption = client.metadata.userinfo_encryption();
    let jwt = match (client.metadata.userinfo_signed_response_alg, encryption) {
        (Some(alg), _) => {
            let jwt = app.keys.sign(alg, "JWT", &userinfo::signed(claims, app.issuer(), &client.id))?;
            app.encrypt_to(client, jwt, encryption, visit.now).await?
        }
        (None, Some(encryption)) => app.encrypt_claims_to(client, &claims, encryption, visit.now).await?,
        (None, None) => return Ok(reply::json(StatusCode::OK, Value::Object(claims))),
    };
    let mut response = jwt.into_response();
    reply::forbid_keeping(&mut response);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwt"));
    Ok(response)
}
