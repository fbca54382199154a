# Was über Clients gesagt wird: denen, die sie um etwas bitten, und denen, die den Server betreiben.

client-policy = Datenschutz
client-tos = Nutzungsbedingungen
client-registered-itself = Diese Anwendung hat sich selbst registriert. Niemand hier hat geprüft, wer sie betreibt.
client-by-document = Wer diese Anwendung ist, sagt { $name } und sonst niemand. Niemand hier hat es geprüft.
client-leads-to = Ihre Antwort geht an { $name }: Erlauben Sie es nur, wenn Sie diesen Ort kennen.
client-is-here = Ihre Antwort geht an ein Programm auf diesem Gerät, und jedes Programm darauf könnte das fragende sein.

admin-clients-link = Alle Clients
admin-clients = Clients
admin-clients-intro = Jeder Client, und was er darf und muss.
admin-clients-empty = Es gibt keinen Client.
admin-client-title = Client
admin-client-name = Client
admin-client-kind = Art
admin-client-profile = Profil
admin-client-vouched = Bekannt durch
admin-client-rules = Was er darf und muss
admin-client-about = Worum es geht
admin-client-said = Regel
admin-client-why = Grundlage
vouched-operator = Die Konfiguration
vouched-nobody = Seine eigene Registrierung
vouched-document = Das Dokument unter seiner ID

rule-authentication = Wie er sich ausweist
rule-assertion-audience = An wen seine Assertions gerichtet sind
rule-keys = Seine öffentlichen Schlüssel
rule-signing-algs = Signaturverfahren
rule-grant-types = Grant-Typen
rule-redirect-uris = Redirect-URIs
rule-redirect-uri-said = Die Redirect-URI in jeder Anfrage nennen
rule-code-challenge = Code-Challenge (PKCE)
rule-code-life = Lebensdauer eines Autorisierungscodes
rule-pushed-requests = Hinterlegte Autorisierungsanfragen (PAR)
rule-signed-requests = Signierte Anfragen
rule-request-object-life = Längste Lebensdauer einer signierten Anfrage
rule-signed-responses = Autorisierungsantworten als JWT
rule-id-tokens = ID-Token
rule-subjects = Kennungen von Personen
rule-userinfo = Userinfo
rule-bound-tokens = Zugriffstoken
rule-refresh-tokens = Refresh-Token
rule-scope = Das meiste, worum er bitten darf
rule-resources = Ressourcenserver
rule-details-types = Detailtypen
rule-resource-server = Der Ressourcenserver, der er ist
rule-logout = Erfährt von Abmeldungen unter
rule-backchannel = Erfährt von Rückkanal-Antworten durch

said-required = Verlangt
said-optional = Erlaubt, nicht verlangt
said-none = Keine
said-issuer-alone = Den Aussteller und sonst nichts
said-issuer-or-endpoint = Den Aussteller oder die Adresse des Endpunkts
said-keys-by-value = Mit der Registrierung hinterlegt
said-unless-openid = Verlangt, außer wenn der Scope der Anfrage openid enthält
said-certificate = An sein Zertifikat gebunden
said-key-or-certificate = An einen Schlüssel oder sein Zertifikat gebunden
said-key = An einen Schlüssel gebunden (DPoP)
said-bearer-tokens = Ungebundene Token sind erlaubt
said-rotated = Jede Verwendung ersetzt es, außer es ist an einen Schlüssel gebunden
said-not-rotated = Bleibt bis zu seinem Ende
said-public-subjects = Für alle Clients dieselben
said-pairwise-subjects = Nur für seinen eigenen Sektor
said-plain-json = Einfaches JSON
said-seconds = { $count ->
    [one] { $count } Sekunde
   *[other] { $count } Sekunden
}
source-everybody = gilt für alle
source-profile = das Profil
source-registration = die Registrierung
