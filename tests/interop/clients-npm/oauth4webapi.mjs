// The `oauth4webapi` library, which checks every answer by the letter.
import * as oauth from 'oauth4webapi'
import { compactDecrypt, importJWK } from 'jose'
import { done, failed, fetchWith, house, pause, refused, same, step, visit } from './guest.mjs'

const issuer = new URL(house.issuer)
const { basic, jwt, signed, sealed, afar, mtls, api } = house.clients

for (const algorithm of ['oidc', 'oauth2']) {
  await step(`metadata as ${algorithm} finds it`, async () => {
    const response = await oauth.discoveryRequest(issuer, { algorithm })
    const found = await oauth.processDiscoveryResponse(issuer, response)
    same(found.issuer, house.issuer, 'the issuer')
  })
}
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer))

const keyOf = async ({ jwk }) => ({ key: await importJWK(jwk, 'ES256'), kid: jwk.kid })
const privateKeyJwt = async (one) => oauth.PrivateKeyJwt(await keyOf(one))

/** Repeats a request that is answered with a demand for a nonce. */
async function withNonce(send, read) {
  try {
    return await read(await send())
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return read(await send())
  }
}

async function signIn(client, auth, redirectUri, { DPoP, pushed, jar, jarm, params: more, ...options } = {}) {
  const [verifier, state, nonce] = [
    oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce(),
  ]
  let params = new URLSearchParams({
    client_id: client.client_id, redirect_uri: redirectUri, response_type: 'code', scope: 'openid', state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    ...(jarm ? { response_mode: 'jwt' } : {}), ...more,
  })
  if (jar) {
    const request = await oauth.issueRequestObject(as, client, params, jar)
    params = new URLSearchParams({ client_id: client.client_id, request })
  }
  if (pushed) {
    const answer = await withNonce(
      () => oauth.pushedAuthorizationRequest(as, client, auth, params, { DPoP, ...options }),
      (response) => oauth.processPushedAuthorizationResponse(as, client, response),
    )
    params = new URLSearchParams({ client_id: client.client_id, request_uri: answer.request_uri })
  }
  const back = await visit(`${as.authorization_endpoint}?${params}`)
  const callback = jarm
    ? await oauth.validateJwtAuthResponse(as, client, back, state, options)
    : oauth.validateAuthResponse(as, client, back, state)
  return withNonce(
    () => oauth.authorizationCodeGrantRequest(as, client, auth, callback, redirectUri, verifier, { DPoP, ...options }),
    async (response) => {
      const requireIdToken = params.get('scope')?.includes('openid') ?? true
      const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
        ...(requireIdToken ? { expectedNonce: nonce, requireIdToken } : {}), ...options,
      })
      if (requireIdToken) await oauth.validateApplicationLevelSignature(as, response)
      return tokens
    },
  )
}

/** The subject that userinfo tells, which is that of the ID token. */
async function subjectOf(client, tokens, { DPoP, ...options } = {}) {
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  return withNonce(
    () => oauth.userInfoRequest(as, client, tokens.access_token, { DPoP, ...options }),
    async (response) => {
      const user = await oauth.processUserInfoResponse(as, client, sub, response, options)
      if (client.userinfo_signed_response_alg) await oauth.validateApplicationLevelSignature(as, response)
      return user.sub
    },
  )
}

const web = { client_id: basic.id }
const asWeb = oauth.ClientSecretBasic(basic.secret)

const tokens = await step('code with PKCE', () =>
  signIn(web, asWeb, basic.redirect_uri, { params: { scope: 'openid offline_access', prompt: 'consent' } }), 'code')
const { sub } = oauth.getValidatedIdTokenClaims(tokens)

await step('userinfo of the same subject', async () => same(await subjectOf(web, tokens), sub, 'the subject'), 'userinfo')

await step('refresh', async () => {
  const response = await oauth.refreshTokenGrantRequest(as, web, asWeb, tokens.refresh_token)
  const fresh = await oauth.processRefreshTokenResponse(as, web, response)
  await oauth.validateApplicationLevelSignature(as, response)
  same(await subjectOf(web, fresh), sub, 'the subject')
}, 'refresh')

await step('a pushed request, private_key_jwt and DPoP', async () => {
  const client = { client_id: jwt.id }
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  const bound = await signIn(client, await privateKeyJwt(jwt), jwt.redirect_uri, { DPoP, pushed: true })
  same(bound.token_type, 'dpop', 'the token type')
  same(await subjectOf(client, bound, { DPoP }), sub, 'the subject')
}, 'PAR', 'private_key_jwt', 'DPoP')

await step('a signed request and a signed answer', async () => {
  const client = { client_id: signed.id, authorization_signed_response_alg: 'PS256' }
  const auth = await privateKeyJwt(signed)
  const jar = await keyOf(signed)
  for (const pushed of [false, true]) {
    const answered = await signIn(client, auth, signed.redirect_uri, { jar, jarm: true, pushed })
    same(await subjectOf(client, answered), sub, 'the subject')
  }
}, 'JAR', 'JARM')

await step('an encrypted answer, an encrypted ID token and encrypted userinfo', async () => {
  const client = {
    client_id: sealed.id, authorization_signed_response_alg: 'PS256', userinfo_signed_response_alg: 'ES256',
  }
  const keys = {
    [sealed.ec.kid]: await importJWK(sealed.ec, 'ECDH-ES'), [sealed.rsa.kid]: await importJWK(sealed.rsa, 'RSA-OAEP-256'),
  }
  const algs = []
  const jweDecrypt = async (jwe) => {
    const { plaintext, protectedHeader } = await compactDecrypt(jwe, ({ kid }) => keys[kid])
    algs.push(`${protectedHeader.alg} ${protectedHeader.enc}`)
    return new TextDecoder().decode(plaintext)
  }
  const options = { [oauth.jweDecrypt]: jweDecrypt }
  const read = await signIn(client, await privateKeyJwt(sealed), sealed.redirect_uri, { jarm: true, ...options })
  same(await subjectOf(client, read, options), sub, 'the subject')
  same(algs.join(', '), 'RSA-OAEP-256 A256CBC-HS512, ECDH-ES A256GCM, RSA-OAEP-256 A128CBC-HS256', 'the encryption')
}, 'encrypted JARM', 'encrypted ID token', 'encrypted userinfo')

await step('a certificate in place of a secret, and tokens bound to it', async () => {
  const client = { client_id: mtls.id, use_mtls_endpoint_aliases: true }
  const showing = { [oauth.customFetch]: fetchWith(mtls) }
  const bound = await signIn(client, oauth.TlsClientAuth(), mtls.redirect_uri, { pushed: true, ...showing })
  same(await subjectOf(client, bound, showing), sub, 'the subject')
  await failed(() => subjectOf(client, bound), 'without the certificate')
}, 'mTLS', 'bound')

const far = { client_id: afar.id }
const asFar = await privateKeyJwt(afar)

await step('the device flow', async () => {
  const asked = await oauth.deviceAuthorizationRequest(as, far, asFar, { scope: 'openid' })
  const waiting = await oauth.processDeviceAuthorizationResponse(as, far, asked)
  const poll = async () => oauth.processDeviceCodeResponse(
    as, far, await oauth.deviceCodeGrantRequest(as, far, asFar, waiting.device_code),
  )
  await refused('authorization_pending', poll)
  await visit(waiting.verification_uri_complete)
  await pause(waiting.interval)
  same(await subjectOf(far, await poll()), sub, 'the subject')
}, 'device')

await step('backchannel authentication (poll)', async () => {
  const params = { scope: 'openid', login_hint: 'alice' }
  const asked = await oauth.backchannelAuthenticationRequest(as, far, asFar, params)
  const waiting = await oauth.processBackchannelAuthenticationResponse(as, far, asked)
  const poll = async () => oauth.processBackchannelAuthenticationGrantResponse(
    as, far, await oauth.backchannelAuthenticationGrantRequest(as, far, asFar, waiting.auth_req_id),
  )
  await refused('authorization_pending', poll)
  await visit(`${house.issuer}/approvals`)
  await pause(waiting.interval)
  same(await subjectOf(far, await poll()), sub, 'the subject')
}, 'CIBA')

const resourceServer = { client_id: api.id }
const asApi = await privateKeyJwt(api)

await step('a token that a resource server reads by RFC 9068', async () => {
  const params = { scope: 'orders:read', resource: house.orders }
  const response = await oauth.clientCredentialsGrantRequest(as, resourceServer, asApi, params)
  const { access_token: token } = await oauth.processClientCredentialsResponse(as, resourceServer, response)
  const request = new Request(house.orders, { headers: { authorization: `Bearer ${token}` } })
  const claims = await oauth.validateJwtAccessToken(as, request, house.orders)
  same(claims.client_id, api.id, 'the client')
}, 'JWT access tokens')

await step('introspection and revocation', async () => {
  const forApi = await signIn(web, asWeb, basic.redirect_uri, { params: { scope: 'orders:read' } })
  const isActive = async () => {
    const response = await oauth.introspectionRequest(as, resourceServer, asApi, forApi.access_token)
    return (await oauth.processIntrospectionResponse(as, resourceServer, response)).active
  }
  same(await isActive(), true, 'active before')
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, web, asWeb, forApi.access_token))
  same(await isActive(), false, 'active after')
}, 'introspection', 'revocation')

done()
