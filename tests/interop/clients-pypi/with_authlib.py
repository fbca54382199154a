"""The `Authlib` library as a relying party."""

import time

from authlib.common.security import generate_token
from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from guest import certificate_of, done, house, same, step, visit
from joserfc import jwt
from joserfc.jwk import ECKey

import requests

discovery = house["issuer"] + "/.well-known/openid-configuration"
metadata = requests.get(discovery).json()
basic, signed, mtls, api = (house["clients"][name] for name in ("basic", "signed", "mtls", "api"))


class App(OAuth2Mixin, OpenIDMixin, BaseApp):
    """What Authlib makes of a web framework, without one."""

    client_cls = OAuth2Session


class Orders(JWTBearerTokenValidator):
    """The resource server."""

    def get_jwks(self):
        return requests.get(metadata["jwks_uri"]).json()


def assertion(auth, *request):
    """A new assertion for each request: its `jti` would stay the same, together with the other claims."""
    # The audience is the issuer alone, and it lives for a minute: the library would have the endpoint and an hour.
    method = PrivateKeyJWT(house["issuer"], claims={"exp": int(time.time()) + 60}, alg="ES256")
    return method(auth, *request)


def private_key_jwt(client, **more):
    session = OAuth2Session(
        client["id"], ECKey.import_key(client["jwk"]), token_endpoint_auth_method="private_key_jwt", **more
    )
    session.register_client_auth_method(("private_key_jwt", assertion))
    return session


def sign_in(session, **params):
    verifier = generate_token(48)
    url, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, **params
    )
    return session.fetch_token(
        metadata["token_endpoint"], authorization_response=visit(url), code_verifier=verifier, state=state
    )


session = OAuth2Session(
    basic["id"],
    basic["secret"],
    scope="openid profile offline_access",
    redirect_uri=basic["redirect_uri"],
    code_challenge_method="S256",
)
app = App(
    None, "procura", client_id=basic["id"], client_secret=basic["secret"], server_metadata_url=discovery
)

with step("code with PKCE, the ID token verified", "code"):
    nonce = generate_token(20)
    token = sign_in(session, nonce=nonce, prompt="consent")
    claims = app.parse_id_token(token, nonce)

with step("userinfo", "userinfo"):
    same(app.userinfo(token=token)["sub"], claims["sub"], "the subject")

with step("refresh", "refresh"):
    fresh = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    same(fresh["access_token"] == token["access_token"], False, "the same token again")

with step("revocation", "revocation"):
    answer = session.revoke_token(metadata["revocation_endpoint"], token=fresh["access_token"])
    same(answer.status_code, 200, "the status")
    same(session.get(metadata["userinfo_endpoint"]).status_code, 401, "userinfo after revocation")

with step("private_key_jwt and client credentials", "private_key_jwt"):
    own = private_key_jwt(api)
    token_of_api = own.fetch_token(
        metadata["token_endpoint"], grant_type="client_credentials", scope="orders:read", resource=house["orders"]
    )
    same(token_of_api["token_type"], "Bearer", "the token type")

with step("introspection", "introspection"):
    told = own.introspect_token(metadata["introspection_endpoint"], token=token_of_api["access_token"]).json()
    same((told["active"], told["client_id"]), (True, api["id"]), "the token")

with step("a token that a resource server reads by RFC 9068", "JWT access tokens"):
    orders = Orders(house["issuer"], house["orders"])
    read = orders.authenticate_token(token_of_api["access_token"])
    orders.validate_token(read, ["orders:read"], None)
    same(read["client_id"], api["id"], "the client")

with step("a signed request", "JAR"):
    # Signed by joserfc, which is Authlib's own, and handed over as Authlib hands over what it has no name for.
    verifier, state = generate_token(48), generate_token(20)
    now = int(time.time())
    asked = {
        "iss": signed["id"],
        "aud": house["issuer"],
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "client_id": signed["id"],
        "response_type": "code",
        "redirect_uri": signed["redirect_uri"],
        "scope": "openid",
        "state": state,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    key = ECKey.import_key(signed["jwk"])
    request = jwt.encode({"alg": "ES256", "typ": "oauth-authz-req+jwt"}, asked, key)
    signing = private_key_jwt(signed, scope="openid", redirect_uri=signed["redirect_uri"])
    # What stands outside does not count.
    url, _ = signing.create_authorization_url(metadata["authorization_endpoint"], state="outside", request=request)
    signing.fetch_token(
        metadata["token_endpoint"], authorization_response=visit(url), code_verifier=verifier, state=state
    )
    same(signing.get(metadata["userinfo_endpoint"]).json()["sub"], claims["sub"], "the subject")

with step("a certificate in place of a secret, and tokens bound to it", "mTLS", "bound"):
    aliases = metadata["mtls_endpoint_aliases"]
    shown = OAuth2Session(
        mtls["id"],
        token_endpoint_auth_method="none",
        scope="openid",
        redirect_uri=mtls["redirect_uri"],
        code_challenge_method="S256",
        cert=certificate_of(mtls),
    )
    verifier = generate_token(48)
    url, state = shown.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    bound = shown.fetch_token(
        aliases["token_endpoint"], authorization_response=visit(url), code_verifier=verifier, state=state
    )
    same(shown.get(aliases["userinfo_endpoint"]).json()["sub"], claims["sub"], "the subject")
    bare = OAuth2Session(mtls["id"], token=bound)
    same(bare.get(aliases["userinfo_endpoint"]).status_code, 401, "userinfo without the certificate")

with step("logout that leads back with its state", "logout"):
    way = app.create_logout_url(basic["post_logout_redirect_uri"], id_token_hint=token["id_token"])
    same(visit(way["url"]), f"{basic['post_logout_redirect_uri']}?state={way['state']}", "the way back")

done()
