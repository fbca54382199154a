// The `oauth4webapi` library, which checks every answer by the letter.
import * as oauth from 'oauth4webapi'
import { importJWK } from 'jose'
import { done, house, same, step, visit } from './guest.mjs'

const issuer = new URL(house.issuer)
const { basic, jwt } = house.clients

for (const algorithm of ['oidc', 'oauth2']) {
  await step(`metadata as ${algorithm} finds it`, async () => {
    const response = await oauth.discoveryRequest(issuer, { algorithm })
    const found = await oauth.processDiscoveryResponse(issuer, response)
    same(found.issuer, house.issuer, 'the issuer')
  })
}
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer))

/** Repeats a request that is answered with a demand for a nonce. */
async function withNonce(send, read) {
  try {
    return await read(await send())
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return read(await send())
  }
}

async function signIn(client, auth, redirectUri, { DPoP, pushed, resource } = {}) {
  const [verifier, state, nonce] = [
    oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce(),
  ]
  let params = new URLSearchParams({
    client_id: client.client_id, redirect_uri: redirectUri, response_type: 'code', scope: 'openid', state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })
  if (resource) params.set('resource', resource)
  if (pushed) {
    const answer = await withNonce(
      () => oauth.pushedAuthorizationRequest(as, client, auth, params, { DPoP }),
      (response) => oauth.processPushedAuthorizationResponse(as, client, response),
    )
    params = new URLSearchParams({ client_id: client.client_id, request_uri: answer.request_uri })
  }
  const back = await visit(`${as.authorization_endpoint}?${params}`)
  const callback = oauth.validateAuthResponse(as, client, back, state)
  return withNonce(
    () => oauth.authorizationCodeGrantRequest(as, client, auth, callback, redirectUri, verifier, { DPoP }),
    async (response) => {
      const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
        expectedNonce: nonce, requireIdToken: true,
      })
      await oauth.validateApplicationLevelSignature(as, response)
      return tokens
    },
  )
}

await step('code with PKCE, userinfo, revocation', async () => {
  const client = { client_id: basic.id }
  const auth = oauth.ClientSecretBasic(basic.secret)
  const tokens = await signIn(client, auth, basic.redirect_uri)
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  const user = await oauth.userInfoRequest(as, client, tokens.access_token)
  same((await oauth.processUserInfoResponse(as, client, sub, user)).sub, sub, 'the subject')
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, tokens.access_token))
  const over = await oauth.userInfoRequest(as, client, tokens.access_token)
  same(over.status, 401, 'userinfo after revocation')
})

await step('a pushed request, private_key_jwt and DPoP', async () => {
  const client = { client_id: jwt.id }
  const auth = oauth.PrivateKeyJwt({ key: await importJWK(jwt.jwk, 'ES256'), kid: jwt.jwk.kid })
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  const tokens = await signIn(client, auth, jwt.redirect_uri, { DPoP, pushed: true })
  same(tokens.token_type, 'dpop', 'the token type')
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  const user = await withNonce(
    () => oauth.userInfoRequest(as, client, tokens.access_token, { DPoP }),
    (response) => oauth.processUserInfoResponse(as, client, sub, response),
  )
  same(user.sub, sub, 'the subject')
})

await step('a token that a resource server reads by RFC 9068', async () => {
  const client = { client_id: house.clients.api.id }
  const auth = oauth.PrivateKeyJwt({ key: await importJWK(house.clients.api.jwk, 'ES256'), kid: house.clients.api.jwk.kid })
  const params = { scope: 'orders:read', resource: house.orders }
  const response = await oauth.clientCredentialsGrantRequest(as, client, auth, params)
  const { access_token: token } = await oauth.processClientCredentialsResponse(as, client, response)
  const request = new Request(house.orders, { headers: { authorization: `Bearer ${token}` } })
  const claims = await oauth.validateJwtAccessToken(as, request, house.orders)
  same(claims.client_id, house.clients.api.id, 'the client')
})

done()
