//! Every path, on one page.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use protocol::{admin_api, metadata};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{Any, CorsLayer};
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::TimeoutLayer;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer};

use crate::app::App;
use crate::endpoints::{self, reply, sent};
use crate::failure::Broken;
use crate::federation;
use crate::pages::federation::connections::{self, CONNECTIONS};
use crate::pages::session_store::{COOKIE, Sessions};
use crate::{pages, visit};

/// The longest anybody waits for an answer.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// The whole house.
pub fn router(app: &Arc<App>) -> Router {
    let [openid_configuration, oauth_authorization_server] = metadata::well_known_paths(app.issuer());

    // For programs, in browsers too.
    let open = Router::new()
        .route(&openid_configuration, get(endpoints::metadata::get))
        .route(&oauth_authorization_server, get(endpoints::metadata::get))
        .route(metadata::JWKS, get(endpoints::jwks::get))
        .route(
            metadata::TOKEN,
            // As for questions from afar: the mail that goes out is for people.
            post(endpoints::token::post).layer(Extension(pages::question_mail::approval_letter())),
        )
        .route(metadata::REVOKE, post(endpoints::revoke::post))
        .route(metadata::PAR, post(endpoints::par::post))
        .route(metadata::REGISTER, post(endpoints::register::post))
        .route(metadata::USERINFO, get(endpoints::userinfo::get).post(endpoints::userinfo::post))
        .route(metadata::STATUS_LISTS, get(endpoints::status_lists::list))
        .route(&format!("{}/{{id}}", metadata::STATUS_LISTS), get(endpoints::status_lists::get))
        .layer(cors());

    // For programs that are no browsers.
    let closed = Router::new()
        .route(metadata::INTROSPECT, post(endpoints::introspect::post))
        .route(
            &format!("{}/{{id}}", metadata::GRANTS),
            get(endpoints::grants::get).delete(endpoints::grants::delete),
        )
        .route(metadata::TASKS, get(endpoints::tasks::list).post(endpoints::tasks::post))
        .route(&format!("{}/{{id}}", metadata::TASKS), get(endpoints::tasks::get))
        .route(&format!("{}/{{id}}/{{operation}}", metadata::TASKS), post(endpoints::tasks::operate))
        .route(metadata::ATTESTATION_CHALLENGE, post(endpoints::challenge::post))
        .route(metadata::GLOBAL_TOKEN_REVOCATION, post(endpoints::global_token_revocation::post))
        .merge(admin_api())
        .route(metadata::DEVICE_AUTHORIZATION, post(endpoints::device_authorization::post))
        .route(
            metadata::BACKCHANNEL_AUTHENTICATION,
            // Programs come here; the mail that goes out is for people.
            post(endpoints::backchannel_authentication::post)
                .layer(Extension(pages::question_mail::letter())),
        )
        .route(
            &format!("{}/{{upstream}}/backchannel-logout", federation::PATH),
            post(endpoints::upstream_logout::post),
        )
        .route(
            &format!("{}/{{client_id}}", metadata::REGISTER),
            get(endpoints::register::get).put(endpoints::register::put).delete(endpoints::register::delete),
        )
        .route("/healthz", get(endpoints::health::live))
        .route("/readyz", get(endpoints::health::ready));

    // For people. Forms come from our own pages only, but for an authorization request and a logout request, which come from
    // anywhere.
    let forms = Router::new()
        .route("/", get(pages::home::get))
        .route("/sign-in", get(pages::sign_in::get).post(pages::sign_in::post))
        .route("/select-account", get(pages::select_account::get).post(pages::select_account::post))
        .route("/sign-in/passkey", post(pages::sign_in::passkey::post))
        .route(
            "/sign-in/second-factor",
            get(pages::sign_in::second_factor::get).post(pages::sign_in::second_factor::post),
        )
        .route("/sign-in/recovery-code", post(pages::sign_in::second_factor::recovery_code))
        .route("/forgot-password", get(pages::forgot_password::get).post(pages::forgot_password::post))
        .route("/consent", get(pages::consent::get).post(pages::consent::post))
        .route("/logout/confirm", post(pages::sign_out::confirm))
        .route("/set-password", get(pages::set_password::get).post(pages::set_password::post))
        .route("/account", get(pages::account::get))
        .route(metadata::DEVICE, get(pages::device::get).post(pages::device::post))
        .route("/approvals", get(pages::approvals::list))
        .route("/approvals/user-code", post(pages::approvals::set_user_code))
        .route("/account/approvals", get(pages::approvals::list))
        .route("/approvals/{id}", get(pages::approvals::get).post(pages::approvals::post))
        .route(CONNECTIONS, get(connections::get).post(connections::post))
        .route("/account/consents/end", post(pages::account::end))
        .route(
            "/account/tasks/{task_id}/{operation}",
            get(pages::account_tasks::get).post(pages::account_tasks::post),
        )
        .merge(security())
        .merge(admin())
        .layer(CsrfLayer::new());
    let people = Router::new()
        .route(metadata::AUTHORIZE, get(pages::authorize::get).post(pages::authorize::post))
        .route(metadata::LOGOUT, get(pages::sign_out::get).post(pages::sign_out::post))
        .route(&format!("{}/{{upstream}}/callback", federation::PATH), get(pages::federation::callback))
        .merge(forms)
        .fallback(pages::home::not_found)
        .layer(middleware::from_fn_with_state(Arc::clone(app), pages::browser_state::follow))
        .layer(sessions(app))
        // Who somebody is, is asked when all of their request is here, and not while they may still be sent away.
        .layer(middleware::from_fn(pages::page::whole));
    let assets = Router::new()
        .route("/assets/procura.css", get(pages::assets::css))
        .route("/assets/form_post.js", get(pages::assets::form_post))
        .route("/assets/passkeys.js", get(pages::assets::passkeys))
        .route("/assets/logo.svg", get(pages::assets::logo))
        .route("/clients/{client_id}/logo", get(pages::client_marks::logo))
        .route("/assets/signed-out.js", get(pages::assets::signed_out))
        .route("/assets/check-session.js", get(pages::assets::check_session))
        .route(metadata::CHECK_SESSION, get(pages::browser_state::page));

    // For a conformance suite, and not there otherwise.
    let certification = match &app.settings.certification {
        Some(_) => Router::new()
            .route(
                endpoints::certification::RESOURCE,
                get(endpoints::certification::resource).post(endpoints::certification::resource),
            )
            .route(endpoints::certification::ROTATE_KEYS, post(endpoints::certification::rotate_keys))
            .route(endpoints::certification::CIBA, post(endpoints::certification::ciba)),
        None => Router::new(),
    };

    let around = ServiceBuilder::new()
        .layer(middleware::from_fn_with_state(Arc::clone(app), visit::receive))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST_ANSWER))
        .layer(DefaultBodyLimit::max(app.settings.limits.body_bytes));
    Router::new()
        .merge(open)
        .merge(closed)
        .merge(certification)
        .merge(assets)
        .merge(people)
        .layer(around)
        .with_state(Arc::clone(app))
}

/// What admins see, and what they end, for people.
fn admin() -> Router<Arc<App>> {
    let ending = || get(pages::admin_endings::ask).post(pages::admin_endings::end);
    Router::new()
        .route("/admin", get(pages::admin::get))
        .route("/admin/users/reset-link", post(pages::admin::reset_link))
        .route("/admin/details-types", get(pages::admin_details_types::list))
        .route("/admin/details-types/{name}", get(pages::admin_details_types::one))
        .route("/admin/clients", get(pages::admin_clients::list))
        .route("/admin/clients/{client_id}", get(pages::admin_clients::one))
        .route("/admin/consents/{consent_id}", get(pages::admin_consents::one))
        .route("/admin/tasks/{task_id}", get(pages::admin_tasks::one))
        .route("/admin/tokens/{token_id}/end", ending())
        .route("/admin/families/{family_id}/end", ending())
        .route("/admin/tasks/{task_id}/{ending}", ending())
        .route("/admin/consents/{consent_id}/end", ending())
        .route("/admin/clients/{client_id}/instances/{instance}/end", ending())
        .route("/admin/clients/{client_id}/{ending}", ending())
        .route("/admin/users/{user_id}/{ending}", ending())
}

/// What admins do, for programs. The document at its end lists the same paths.
fn admin_api() -> Router<Arc<App>> {
    use endpoints::admin_api::{details_types as types, endings, lists, openapi, unknown_path};
    let v1 = |path: &str| format!("{}{path}", admin_api::V1);
    Router::new()
        .route(&v1("/endings"), post(endings::post))
        .route(&v1("/agents"), get(lists::agents))
        .route(&v1("/agents/{id}"), get(lists::agent))
        .route(&v1("/users"), get(lists::users))
        .route(&v1("/users/{id}"), get(lists::user))
        .route(&v1("/consents"), get(lists::consents))
        .route(&v1("/consents/{id}"), get(lists::consent))
        .route(&v1("/tasks"), get(lists::tasks))
        .route(&v1("/tasks/{id}"), get(lists::task))
        .route(&v1("/details-types"), get(types::list))
        .route(&v1("/details-types/{name}"), get(types::one).put(types::put).delete(types::delete))
        .route(&v1("/openapi.json"), get(openapi::get))
        .route("/admin/api/{*path}", any(unknown_path))
}

/// What somebody signs in with, and where they are signed in.
fn security() -> Router<Arc<App>> {
    use pages::security::{self, passkeys, password, recovery_codes, sessions, totp};
    Router::new()
        .route("/account/security", get(security::get))
        .route("/account/security/passkey", get(passkeys::get).post(passkeys::post))
        .route("/account/security/passkey/rename", post(passkeys::rename))
        .route("/account/security/passkey/remove", post(passkeys::remove))
        .route("/account/security/totp", get(totp::get).post(totp::post))
        .route("/account/security/totp/remove", post(totp::remove))
        .route("/account/security/recovery-codes", post(recovery_codes::post))
        .route("/account/security/password", get(password::get).post(password::post))
        .route("/account/security/sessions/end", post(sessions::end))
        .route("/account/security/sessions/end-others", post(sessions::end_others))
}

/// Whatever panics has a bug, and the client learns no more than that.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    reply::broken(Broken::Other("a request ended in a panic"))
}

/// Any origin may ask, without cookies: what protects these endpoints is in the request itself (RFC 9449 §7.1, §8).
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, sent::DPOP])
        .expose_headers([reply::DPOP_NONCE, header::WWW_AUTHENTICATE, visit::X_REQUEST_ID])
        .max_age(Duration::from_secs(600))
}

fn sessions(app: &Arc<App>) -> SessionManagerLayer<Sessions> {
    let life = time::Duration::seconds(app.settings.session_life.0);
    SessionManagerLayer::new(Sessions(Arc::clone(app)))
        .with_name(COOKIE)
        .with_secure(true)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(life))
}
