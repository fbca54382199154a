# What is said of clients, to the people they ask and to those who run the server.

client-policy = Privacy
client-tos = Terms of service
client-registered-itself = This application registered itself. Nobody here has checked who runs it.
client-by-document = Who this application is says { $name }, and nobody else. Nobody here has checked it.
client-leads-to = Your answer goes to { $name }: allow it only if you know that place.
client-is-here = Your answer goes to a program on this device, and any program on it could be the one that asks.

admin-clients-link = All clients
admin-clients = Clients
admin-clients-intro = Every client, and what it may and must do.
admin-clients-empty = There is no client.
admin-client-title = Client
admin-client-name = Client
admin-client-kind = Kind
admin-client-profile = Profile
admin-client-vouched = Known through
admin-client-rules = What it may and must do
admin-client-about = About
admin-client-said = Rule
admin-client-why = Because of
vouched-operator = The configuration
vouched-nobody = Its own registration
vouched-document = The document at its id

rule-authentication = How it authenticates
rule-assertion-audience = What its assertions are for
rule-keys = Its public keys
rule-signing-algs = Signature algorithms
rule-grant-types = Grant types
rule-redirect-uris = Redirect URIs
rule-redirect-uri-said = Naming the redirect URI in each request
rule-code-challenge = Code challenge (PKCE)
rule-code-life = Life of an authorization code
rule-pushed-requests = Pushed authorization requests
rule-signed-requests = Signed request objects
rule-request-object-life = Longest life of a request object
rule-signed-responses = Authorization responses as JWT
rule-id-tokens = ID tokens
rule-subjects = Subjects
rule-userinfo = Userinfo
rule-bound-tokens = Access tokens
rule-refresh-tokens = Refresh tokens
rule-scope = The most it may ask for
rule-resources = Resource servers
rule-details-types = Details types
rule-resource-server = The resource server that it is
rule-logout = Told of sign-outs at
rule-backchannel = Told of backchannel answers by

said-required = Required
said-optional = Permitted, not required
said-none = None
said-issuer-alone = The issuer, and nothing else
said-issuer-or-endpoint = The issuer, or the address of the endpoint
said-keys-by-value = Registered as they are
said-unless-openid = Required, unless the scope of the request has openid in it
said-certificate = Bound to its certificate
said-key-or-certificate = Bound to a key or to its certificate
said-key = Bound to a key (DPoP)
said-bearer-tokens = Bearer tokens are permitted
said-rotated = Each use replaces it, unless it is bound to a key
said-not-rotated = Used again until its end
said-public-subjects = The same for every client
said-pairwise-subjects = Of its own sector only
said-plain-json = Plain JSON
said-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
source-everybody = what holds for everybody
source-profile = its profile
source-registration = its registration
