"""The `Authlib` library as a relying party."""

import time

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from guest import done, house, same, step, visit
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

import requests

metadata = requests.get(house["issuer"] + "/.well-known/openid-configuration").json()
basic, key_client = house["clients"]["basic"], house["clients"]["api"]


def sign_in(session, scope, **params):
    verifier = generate_token(48)
    url, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, **params
    )
    back = visit(url)
    return session.fetch_token(
        metadata["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state
    )


scope = "openid profile offline_access"
session = OAuth2Session(
    basic["id"], basic["secret"], scope=scope, redirect_uri=basic["redirect_uri"], code_challenge_method="S256"
)

with step("code with PKCE"):
    nonce = generate_token(20)
    token = sign_in(session, scope, nonce=nonce, prompt="consent")

with step("the ID token verifies with the published keys"):
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"]).json())
    algs = metadata["id_token_signing_alg_values_supported"]
    claims = jwt.decode(token["id_token"], keys, algorithms=algs).claims
    same(claims["nonce"], nonce, "the nonce")
    same((claims["iss"], claims["aud"]), (house["issuer"], basic["id"]), "issuer and audience")

with step("userinfo"):
    same(session.get(metadata["userinfo_endpoint"]).json()["sub"], claims["sub"], "the subject")

with step("refresh"):
    fresh = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    same(fresh["access_token"] == token["access_token"], False, "the same token again")

with step("revocation"):
    answer = session.revoke_token(metadata["revocation_endpoint"], token=fresh["access_token"])
    same(answer.status_code, 200, "the status")
    same(session.get(metadata["userinfo_endpoint"]).status_code, 401, "userinfo after revocation")

with step("private_key_jwt and client credentials"):
    # The audience of the assertion is the issuer alone, and it lives for a minute: the library would have the endpoint
    # and an hour.
    key = ECKey.import_key(key_client["jwk"])
    own = OAuth2Session(key_client["id"], key, token_endpoint_auth_method="private_key_jwt")
    soon = {"exp": int(time.time()) + 60}
    own.register_client_auth_method(PrivateKeyJWT(house["issuer"], claims=soon, alg="ES256"))
    token = own.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", scope="orders:read",
                            resource=house["orders"])
    same(token["token_type"], "Bearer", "the token type")

done()
