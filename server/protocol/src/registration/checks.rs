//! What must hold between the members of a registration.

use url::Url;

use super::redirect_uris;
use super::sector;
use super::{Registration, RegistrationRefused};
use crate::client::{
    ApplicationType, AuthMethod, ClientMetadata, DeliveryMode, GrantType, KeySource, SubjectType,
};
use crate::profile::{Judged, SecurityProfile};

/// Holds a registration against every rule, the plain ones first.
pub(super) fn check(
    registration: &Registration,
    profile: SecurityProfile,
) -> Result<(), RegistrationRefused> {
    addresses(registration)?;
    let metadata = &registration.metadata;
    for (member, url) in urls(metadata) {
        if url.is_some_and(|url| !is_plain_https(url)) {
            return Err(RegistrationRefused::NotHttps(member));
        }
    }
    if metadata.request_uris.iter().any(|url| url.scheme() != "https") {
        return Err(RegistrationRefused::NotHttps("request_uris"));
    }
    encryption(metadata)?;
    logout(registration)?;
    ciba(metadata)?;
    certificate(registration)?;
    sector::check_hosts(metadata, &registration.redirect_uris)?;
    keys(registration)?;
    let judged = Judged {
        method: registration.method,
        redirect_uris: &registration.redirect_uris,
        id_token_signed_response_alg: registration.id_token_signed_response_alg,
        metadata,
    };
    profile.judge(&judged).into_iter().next().map_or(Ok(()), |no| Err(RegistrationRefused::NotPermitted(no)))
}

/// RFC 7591 §5, OpenID Connect Registration §2.
fn addresses(registration: &Registration) -> Result<(), RegistrationRefused> {
    let by_code = registration.grant_types.contains(&GrantType::AuthorizationCode);
    if by_code && registration.redirect_uris.is_empty() {
        return Err(RegistrationRefused::NoRedirectUri);
    }
    for (member, uris) in [
        ("redirect_uris", &registration.redirect_uris),
        ("post_logout_redirect_uris", &registration.post_logout_redirect_uris),
    ] {
        for uri in uris {
            redirect_uris::check(uri).map_err(|why| RegistrationRefused::RedirectUri { member, why })?;
        }
    }
    let native = registration.metadata.application_type == ApplicationType::Native;
    if native && registration.redirect_uris.iter().any(|uri| uri.starts_with("https:")) {
        return Err(RegistrationRefused::NativeHttps);
    }
    Ok(())
}

/// Every URL of the metadata that is shown or fetched.
fn urls(metadata: &ClientMetadata) -> [(&'static str, Option<&Url>); 10] {
    [
        ("client_uri", metadata.client_uri.as_ref()),
        ("logo_uri", metadata.logo_uri.as_ref()),
        ("policy_uri", metadata.policy_uri.as_ref()),
        ("tos_uri", metadata.tos_uri.as_ref()),
        ("initiate_login_uri", metadata.initiate_login_uri.as_ref()),
        ("sector_identifier_uri", metadata.sector_identifier_uri.as_ref()),
        ("backchannel_logout_uri", metadata.backchannel_logout_uri.as_ref()),
        ("frontchannel_logout_uri", metadata.frontchannel_logout_uri.as_ref()),
        (
            "backchannel_client_notification_endpoint",
            metadata.backchannel_client_notification_endpoint.as_ref(),
        ),
        ("deferred_client_notification_endpoint", metadata.deferred_client_notification_endpoint.as_ref()),
    ]
}

/// An https URL that names no user and has no fragment.
pub(super) fn is_plain_https(url: &Url) -> bool {
    url.scheme() == "https"
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
}

fn encryption(metadata: &ClientMetadata) -> Result<(), RegistrationRefused> {
    for (member, enc, alg) in [
        (
            "id_token_encrypted_response_enc",
            metadata.id_token_encrypted_response_enc,
            metadata.id_token_encrypted_response_alg,
        ),
        (
            "userinfo_encrypted_response_enc",
            metadata.userinfo_encrypted_response_enc,
            metadata.userinfo_encrypted_response_alg,
        ),
        (
            "authorization_encrypted_response_enc",
            metadata.authorization_encrypted_response_enc,
            metadata.authorization_encrypted_response_alg,
        ),
        (
            "introspection_encrypted_response_enc",
            metadata.introspection_encrypted_response_enc,
            metadata.introspection_encrypted_response_alg,
        ),
    ] {
        if enc.is_some() && alg.is_none() {
            return Err(RegistrationRefused::EncWithoutAlg(member));
        }
    }
    Ok(())
}

/// The rules of the logout specifications, which hold for declared clients too.
fn logout(registration: &Registration) -> Result<(), RegistrationRefused> {
    let unfit = crate::logout::unfit(&registration.metadata, &registration.redirect_uris);
    let first = unfit.into_iter().next();
    first.map_or(Ok(()), |(member, why)| Err(RegistrationRefused::LogoutUri { member, why }))
}

fn ciba(metadata: &ClientMetadata) -> Result<(), RegistrationRefused> {
    let told =
        matches!(metadata.backchannel_token_delivery_mode, Some(DeliveryMode::Ping | DeliveryMode::Push));
    if told && metadata.backchannel_client_notification_endpoint.is_none() {
        return Err(RegistrationRefused::NoNotificationEndpoint);
    }
    Ok(())
}

/// Exactly one name for a certificate that somebody vouches for, and none otherwise (RFC 8705 §2.1.2).
fn certificate(registration: &Registration) -> Result<(), RegistrationRefused> {
    let metadata = &registration.metadata;
    let fits = match registration.method {
        AuthMethod::TlsClientAuth => metadata.certificate_name().is_ok(),
        _ => !metadata.has_certificate_name(),
    };
    if fits { Ok(()) } else { Err(RegistrationRefused::CertificateName) }
}

/// Whatever is signed by the client or encrypted to it needs keys of it.
fn keys(registration: &Registration) -> Result<(), RegistrationRefused> {
    let metadata = &registration.metadata;
    let uses = [
        (
            "token_endpoint_auth_method",
            matches!(registration.method, AuthMethod::PrivateKeyJwt | AuthMethod::SelfSignedTlsClientAuth),
        ),
        ("require_signed_request_object", metadata.require_signed_request_object),
        ("request_object_signing_alg", metadata.request_object_signing_alg.is_some()),
        (
            "backchannel_authentication_request_signing_alg",
            metadata.backchannel_authentication_request_signing_alg.is_some(),
        ),
        ("id_token_encrypted_response_alg", metadata.id_token_encrypted_response_alg.is_some()),
        ("userinfo_encrypted_response_alg", metadata.userinfo_encrypted_response_alg.is_some()),
        ("authorization_encrypted_response_alg", metadata.authorization_encrypted_response_alg.is_some()),
        ("introspection_encrypted_response_alg", metadata.introspection_encrypted_response_alg.is_some()),
    ];
    let needs = uses.into_iter().find(|(_, uses)| *uses);
    match needs {
        Some((member, _)) if registration.keys == KeySource::None => Err(RegistrationRefused::NoKeys(member)),
        _ => Ok(()),
    }
}

/// Whether the client is to see subjects of its sector's own.
pub(super) fn is_pairwise(metadata: &ClientMetadata) -> bool {
    metadata.subject_type == SubjectType::Pairwise
}
