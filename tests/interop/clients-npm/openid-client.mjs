// The `openid-client` library as a relying party.
import * as client from 'openid-client'
import { importJWK } from 'jose'
import { done, failed, fetchWith, house, refused, same, step, visit } from './guest.mjs'

const issuer = new URL(house.issuer)
const { basic, post, jwt, open } = house.clients

async function signIn(config, redirectUri, scope, { start = client.buildAuthorizationUrl, params = {}, dpop } = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()]
  const openid = scope.split(' ').includes('openid')
  const url = await start(config, {
    redirect_uri: redirectUri,
    scope,
    state: expectedState,
    ...(openid ? { nonce: expectedNonce } : {}),
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...params,
  }, ...(dpop ? [{ DPoP: dpop }] : []))
  const back = await visit(url)
  const checks = { pkceCodeVerifier, expectedState, ...(openid ? { expectedNonce, idTokenExpected: true } : {}) }
  return client.authorizationCodeGrant(config, back, checks, undefined, dpop ? { DPoP: dpop } : undefined)
}

const discover = (id, auth) => client.discovery(issuer, id, undefined, auth)

const asBasic = await step('discovery', () => discover(basic.id, client.ClientSecretBasic(basic.secret)))
client.enableNonRepudiationChecks(asBasic)

const tokens = await step('code with PKCE, client_secret_basic, ID token verified', () =>
  signIn(asBasic, basic.redirect_uri, 'openid profile email offline_access', { params: { prompt: 'consent' } }), 'code')
const claims = tokens.claims()

await step('userinfo of the same subject', async () => {
  const user = await client.fetchUserInfo(asBasic, tokens.access_token, claims.sub)
  same(user.email, 'alice@people.example', 'the e-mail address')
}, 'userinfo')

await step('refresh', async () => {
  const fresh = await client.refreshTokenGrant(asBasic, tokens.refresh_token)
  await client.fetchUserInfo(asBasic, fresh.access_token, claims.sub)
}, 'refresh')

await step('prompt=none while alice is signed in', async () => {
  const silent = await signIn(asBasic, basic.redirect_uri, 'openid profile email', { params: { prompt: 'none' } })
  same(silent.claims().sub, claims.sub, 'the subject')
  same(silent.claims().sid, claims.sid, 'the session')
})

await step('client_secret_post', async () => {
  const config = await discover(post.id, client.ClientSecretPost(post.secret))
  await signIn(config, post.redirect_uri, 'openid')
})

const key = { key: await importJWK(jwt.jwk, 'ES256'), kid: jwt.jwk.kid }
const asJwt = await discover(jwt.id, client.PrivateKeyJwt(key))
client.enableNonRepudiationChecks(asJwt)
const dpop = client.getDPoPHandle(asJwt, await client.randomDPoPKeyPair('ES256'))

await step('a pushed request, private_key_jwt, DPoP with its nonce', async () => {
  const bound = await signIn(asJwt, jwt.redirect_uri, 'openid', { start: client.buildAuthorizationUrlWithPAR, dpop })
  same(bound.token_type, 'dpop', 'the token type')
  const user = await client.fetchUserInfo(asJwt, bound.access_token, bound.claims().sub, { DPoP: dpop })
  same(user.sub, bound.claims().sub, 'the subject')
}, 'PAR', 'private_key_jwt', 'DPoP')

await step('client credentials with DPoP', async () => {
  const own = await client.clientCredentialsGrant(asJwt, { scope: 'orders:read', resource: house.orders }, { DPoP: dpop })
  same(own.token_type, 'dpop', 'the token type')
})

await step('a public client with a DPoP key', async () => {
  const config = await discover(open.id, client.None())
  const handle = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const bound = await signIn(config, open.redirect_uri, 'openid', { dpop: handle })
  await client.fetchUserInfo(config, bound.access_token, bound.claims().sub, { DPoP: handle })
})

await step('a signed request and a signed answer (JAR, JARM)', async () => {
  const { signed } = house.clients
  const own = { key: await importJWK(signed.jwk, 'ES256'), kid: signed.jwk.kid }
  const config = await discover(signed.id, client.PrivateKeyJwt(own))
  client.useJwtResponseMode(config)
  const start = (with_, params) => client.buildAuthorizationUrlWithJAR(with_, params, own)
  const answered = await signIn(config, signed.redirect_uri, 'openid', { start })
  await client.fetchUserInfo(config, answered.access_token, answered.claims().sub)
}, 'JAR', 'JARM')

await step('an encrypted answer, an encrypted ID token and encrypted userinfo', async () => {
  const { sealed } = house.clients
  const own = { key: await importJWK(sealed.jwk, 'ES256'), kid: sealed.jwk.kid }
  const metadata = { authorization_signed_response_alg: 'PS256', userinfo_signed_response_alg: 'ES256' }
  const config = await client.discovery(issuer, sealed.id, metadata, client.PrivateKeyJwt(own))
  client.useJwtResponseMode(config)
  client.enableNonRepudiationChecks(config)
  client.enableDecryptingResponses(
    config,
    ['A256GCM', 'A128CBC-HS256', 'A256CBC-HS512'],
    { key: await importJWK(sealed.ec, 'ECDH-ES'), alg: 'ECDH-ES', kid: sealed.ec.kid },
    { key: await importJWK(sealed.rsa, 'RSA-OAEP-256'), alg: 'RSA-OAEP-256', kid: sealed.rsa.kid },
  )
  const read = await signIn(config, sealed.redirect_uri, 'openid')
  same(read.id_token.split('.').length, 5, 'the parts of the ID token')
  const user = await client.fetchUserInfo(config, read.access_token, read.claims().sub)
  same(user.sub, claims.sub, 'the subject')
}, 'encrypted JARM', 'encrypted ID token', 'encrypted userinfo')

await step('a certificate in place of a secret, and tokens bound to it', async () => {
  const { mtls } = house.clients
  const config = await client.discovery(issuer, mtls.id, { use_mtls_endpoint_aliases: true }, client.TlsClientAuth())
  config[client.customFetch] = fetchWith(mtls)
  const bound = await signIn(config, mtls.redirect_uri, 'openid')
  await client.fetchUserInfo(config, bound.access_token, bound.claims().sub)
  const bare = await client.discovery(issuer, mtls.id, { use_mtls_endpoint_aliases: true }, client.TlsClientAuth())
  await failed(() => client.fetchUserInfo(bare, bound.access_token, bound.claims().sub), 'without the certificate')
}, 'mTLS', 'bound')

const { afar } = house.clients
const asAfar = await discover(afar.id, client.PrivateKeyJwt({ key: await importJWK(afar.jwk, 'ES256'), kid: afar.jwk.kid }))

await step('the device flow', async () => {
  const waiting = await client.initiateDeviceAuthorization(asAfar, { scope: 'openid' })
  await visit(waiting.verification_uri_complete)
  const got = await client.pollDeviceAuthorizationGrant(asAfar, waiting)
  same(got.claims().sub, claims.sub, 'the subject')
}, 'device')

await step('backchannel authentication (CIBA, poll)', async () => {
  const waiting = await client.initiateBackchannelAuthentication(asAfar, { scope: 'openid', login_hint: 'alice' })
  await visit(`${house.issuer}/approvals`)
  const got = await client.pollBackchannelAuthenticationGrant(asAfar, waiting)
  same(got.claims().sub, claims.sub, 'the subject')
}, 'CIBA')

await step('introspection and revocation', async () => {
  const asApi = await discover(house.clients.api.id, client.PrivateKeyJwt({
    key: await importJWK(house.clients.api.jwk, 'ES256'), kid: house.clients.api.jwk.kid,
  }))
  const forApi = await signIn(asBasic, basic.redirect_uri, 'orders:read')
  const before = await client.tokenIntrospection(asApi, forApi.access_token)
  same(before.active, true, 'active before')
  await client.tokenRevocation(asBasic, forApi.access_token)
  const after = await client.tokenIntrospection(asApi, forApi.access_token)
  same(after.active, false, 'active after')
}, 'introspection', 'revocation')

await step('a code is good once', async () => {
  let used
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const url = client.buildAuthorizationUrl(asBasic, {
    redirect_uri: basic.redirect_uri, scope: 'openid', state: 's',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
  })
  used = await visit(url)
  const redeem = () => client.authorizationCodeGrant(asBasic, used, { pkceCodeVerifier, expectedState: 's' })
  await redeem()
  await refused('invalid_grant', redeem)
})

await step('logout that leads back with its state', async () => {
  const url = client.buildEndSessionUrl(asBasic, {
    id_token_hint: tokens.id_token, post_logout_redirect_uri: basic.post_logout_redirect_uri, state: 'until then',
  })
  const back = await visit(url)
  same(back.origin + back.pathname, basic.post_logout_redirect_uri, 'the way back')
  same(back.searchParams.get('state'), 'until then', 'the state')
  await refused('login_required', () => signIn(asBasic, basic.redirect_uri, 'openid', { params: { prompt: 'none' } }))
}, 'logout')

done()
