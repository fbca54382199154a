"""The `requests-oauth2client` library, which knows the extensions."""

from guest import certificate_of, done, house, same, step, visit
from requests_oauth2client import (
    AuthorizationPending,
    BackChannelAuthenticationPollingJob,
    BearerToken,
    ClientSecretBasic,
    DeviceAuthorizationPollingJob,
    DPoPToken,
    OAuth2Client,
    PrivateKeyJwt,
    PublicApp,
)

import requests

names = ("basic", "jwt", "open", "signed", "sealed", "afar", "mtls", "api")
basic, key_client, public, signed, sealed, afar, mtls, api = (house["clients"][name] for name in names)
url = house["issuer"] + "/.well-known/openid-configuration"
metadata = requests.get(url).json()


def client(auth, redirect_uri, alg="ES256", **more):
    return OAuth2Client.from_discovery_endpoint(
        url,
        issuer=house["issuer"],
        auth=auth,
        redirect_uri=redirect_uri,
        id_token_signed_response_alg=alg,
        # Of these two it does not read the metadata.
        device_authorization_endpoint=metadata["device_authorization_endpoint"],
        backchannel_authentication_endpoint=metadata["backchannel_authentication_endpoint"],
        testing=True,
        **more,
    )


def with_key(one, **more):
    # The audience of the assertion is the issuer alone, and not the endpoint that the library has as its default.
    auth = PrivateKeyJwt(one["id"], one["jwk"], alg="ES256", aud=house["issuer"])
    return client(auth, one.get("redirect_uri"), **more)


def until(job):
    """The token, once the library gave up waiting for it."""
    for _ in range(4):
        if (token := job()) is not None:
            return token
    raise AssertionError("no token came")


def pending(ask):
    """The first answer is to wait."""
    try:
        ask()
    except AuthorizationPending:
        return
    raise AssertionError("there was nothing to wait for")


web = client(ClientSecretBasic(basic["id"], basic["secret"]), basic["redirect_uri"])

with step("code with PKCE, state, nonce, issuer and ID token checked", "code", "userinfo"):
    asked = web.authorization_request(scope="openid offline_access", prompt="consent")
    token = web.authorization_code(asked.validate_callback(visit(str(asked))))
    same(isinstance(token, BearerToken), True, "a bearer token")
    subject = token.id_token.sub
    same(web.userinfo(token)["sub"], subject, "the subject")

with step("refresh", "refresh"):
    same(web.userinfo(web.refresh_token(token))["sub"], subject, "the subject")

with step("introspection and revocation", "introspection", "revocation"):
    asked = web.authorization_request(scope="orders:read")
    for_api = web.authorization_code(asked.validate_callback(visit(str(asked))))
    server = with_key(api)
    same(server.introspect_token(for_api)["active"], True, "active before")
    same(web.revoke_access_token(for_api), True, "it was revoked")
    same(server.introspect_token(for_api)["active"], False, "active after")

with step("a pushed request", "PAR"):
    asked = web.authorization_request(scope="openid")
    pushed = web.pushed_authorization_request(asked)
    web.authorization_code(asked.validate_callback(visit(str(pushed))))

with step("a public client with DPoP and its nonce", "DPoP"):
    spa = client(PublicApp(public["id"]), public["redirect_uri"], dpop_bound_access_tokens=True)
    asked = spa.authorization_request(scope="openid")
    # It cannot yet validate the ID token beside a DPoP token.
    bound = spa.authorization_code(asked.validate_callback(visit(str(asked))), validate=False)
    same(isinstance(bound, DPoPToken), True, "a DPoP token")
    same(requests.get(spa.userinfo_endpoint, auth=bound).json()["sub"], subject, "the subject")

with step("private_key_jwt, client credentials and DPoP", "private_key_jwt"):
    service = with_key(key_client, alg="PS256", dpop_bound_access_tokens=True)
    own = service.client_credentials(scope="orders:read", resource=house["orders"])
    same(isinstance(own, DPoPToken), True, "a DPoP token")

with step("a signed request", "JAR"):
    signing = with_key(signed)
    asked = signing.authorization_request(scope="openid")
    request = asked.sign(signed["jwk"], alg="ES256", lifetime=60)
    token_of_signed = signing.authorization_code(asked.validate_callback(visit(str(request))))
    same(signing.userinfo(token_of_signed)["sub"], subject, "the subject")

with step("a certificate in place of a secret, and tokens bound to it", "mTLS", "bound"):
    session = requests.Session()
    session.cert = certificate_of(mtls)
    at_aliases = OAuth2Client.from_discovery_document(
        {**metadata, **metadata["mtls_endpoint_aliases"]},
        issuer=house["issuer"],
        auth=PublicApp(mtls["id"]),
        redirect_uri=mtls["redirect_uri"],
        authorization_server_jwks=requests.get(metadata["jwks_uri"]).json(),
        id_token_signed_response_alg="ES256",
        session=session,
        testing=True,
    )
    asked = at_aliases.authorization_request(scope="openid")
    bound = at_aliases.authorization_code(asked.validate_callback(visit(str(asked))))
    same(at_aliases.userinfo(bound)["sub"], subject, "the subject")
    same(requests.get(at_aliases.userinfo_endpoint, auth=bound).status_code, 401, "userinfo without it")

with step("an encrypted ID token", "encrypted ID token"):
    reading = with_key(sealed, id_token_decryption_key={**sealed["ec"], "alg": "ECDH-ES"})
    asked = reading.authorization_request(scope="openid")
    token_of_sealed = reading.authorization_code(asked.validate_callback(visit(str(asked))))
    same(token_of_sealed.id_token.sub, subject, "the subject")

elsewhere = with_key(afar)

with step("the device flow", "device"):
    waiting = elsewhere.authorize_device(scope="openid")
    pending(lambda: elsewhere.device_code(waiting.device_code))
    visit(waiting.verification_uri_complete)
    got = until(DeviceAuthorizationPollingJob(elsewhere, waiting))
    same(elsewhere.userinfo(got)["sub"], subject, "the subject")

with step("backchannel authentication (poll)", "CIBA"):
    waiting = elsewhere.backchannel_authentication_request(scope="openid", login_hint="alice")
    visit(house["issuer"] + "/approvals")
    got = until(BackChannelAuthenticationPollingJob(elsewhere, waiting))
    same(elsewhere.userinfo(got)["sub"], subject, "the subject")

done()
