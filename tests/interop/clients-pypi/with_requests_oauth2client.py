"""The `requests-oauth2client` library, which knows the extensions."""

from guest import done, house, same, step, visit
from requests_oauth2client import (
    BearerToken,
    ClientSecretBasic,
    DPoPToken,
    OAuth2Client,
    PrivateKeyJwt,
)

import requests

basic, key_client, public = (house["clients"][name] for name in ("basic", "jwt", "open"))
url = house["issuer"] + "/.well-known/openid-configuration"


def client(auth, redirect_uri, **more):
    return OAuth2Client.from_discovery_endpoint(
        url, issuer=house["issuer"], auth=auth, redirect_uri=redirect_uri, testing=True, **more
    )


def with_key(one, **more):
    # The audience of the assertion is the issuer alone, and not the endpoint that the library has as its default.
    auth = PrivateKeyJwt(one["id"], one["jwk"], alg="ES256", aud=house["issuer"])
    return client(auth, one.get("redirect_uri"), **more)


web = client(ClientSecretBasic(basic["id"], basic["secret"]), basic["redirect_uri"])

with step("code with PKCE, state, nonce and issuer checked"):
    asked = web.authorization_request(scope="openid offline_access", prompt="consent")
    token = web.authorization_code(asked.validate_callback(visit(str(asked))), validate=False)
    same(isinstance(token, BearerToken), True, "a bearer token")
    same(web.userinfo(token)["sub"] != "", True, "a subject")

with step("refresh"):
    web.userinfo(web.refresh_token(token))

with step("revocation"):
    same(web.revoke_access_token(token), True, "it was revoked")

with step("a pushed request"):
    asked = web.authorization_request(scope="openid")
    pushed = web.pushed_authorization_request(asked)
    back = visit(str(pushed))
    web.authorization_code(asked.validate_callback(back), validate=False)

with step("a public client with DPoP and its nonce"):
    spa = client(public["id"], public["redirect_uri"], dpop_bound_access_tokens=True)
    asked = spa.authorization_request(scope="openid")
    bound = spa.authorization_code(asked.validate_callback(visit(str(asked))), validate=False)
    same(isinstance(bound, DPoPToken), True, "a DPoP token")
    answer = requests.get(spa.userinfo_endpoint, auth=bound)
    same(answer.status_code, 200, "the status of userinfo")

with step("private_key_jwt, client credentials and DPoP"):
    service = with_key(key_client, dpop_bound_access_tokens=True)
    own = service.client_credentials(scope="orders:read", resource=house["orders"])
    same(isinstance(own, DPoPToken), True, "a DPoP token")

done()
