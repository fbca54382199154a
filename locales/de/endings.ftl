# Agenten anhalten, und beenden, was jemand hat.

ending-title = Beenden
ending-agent = Diesen Agenten anhalten
ending-agent-hint = Sie werden noch einmal gefragt und erfahren, was endet.
ending-since = Von der Verwaltung angehalten seit
ending-suspend = Aussetzen
ending-resume = Fortsetzen
ending-retire = Endgültig beenden
ending-user = Alles von dieser Person beenden
ending-owner = Ihre Agenten aussetzen
ending-column = Beenden
ending-cancel = Nichts tun
ending-back = Zurück

ending-suspend-question = Diesen Agenten aussetzen?
ending-suspend-meaning = { $name } darf nicht handeln, bis die Verwaltung ihn fortsetzt, auch nach einem Neustart.
ending-resume-question = Diesen Agenten fortsetzen?
ending-resume-meaning = { $name } darf wieder handeln.
ending-retire-question = Diesen Agenten endgültig beenden?
ending-retire-meaning = { $name } darf nie wieder handeln. Das lässt sich nicht rückgängig machen.
ending-user-question = Alles von dieser Person beenden?
ending-user-meaning = Alles, was { $name } hier erlaubt, begonnen oder erhalten hat, endet jetzt.
ending-owner-question = Alle Agenten dieser Person aussetzen?
ending-owner-meaning = Die Agenten, für die { $name } verantwortlich ist, dürfen nicht handeln, bis die Verwaltung sie fortsetzt.

ending-line-consents = Jede Einwilligung für ihn endet, mit allen Aufgaben darunter.
ending-line-tokens = Seine Token enden, und mit ihnen jedes Token, das andere Agenten daraus abgeleitet haben.
ending-line-pending = Nicht eingelöste Codes, eingereichte Anfragen und Fragen an Personen verfallen.
ending-line-local = Wer Token annimmt, ohne diesen Server zu fragen, nimmt manche vielleicht an, bis sie von selbst ablaufen.
ending-line-anew = Was beim Aussetzen endete, bleibt beendet. Es muss neu erlaubt werden.
ending-line-sessions = Die Person wird in jedem Browser abgemeldet, und die Anwendungen erfahren es.
ending-line-user-consents = Jede ihrer Einwilligungen endet, mit allen Aufgaben darunter.
ending-line-user-tokens = Jedes Token mit ihren Rechten endet, gleich welche Anwendung oder welcher Agent es hat.
ending-line-user-pending = Codes, Fragen, die auf ihre Antwort warten, und Links für ein neues Passwort verfallen.
ending-line-account = Das Konto selbst bleibt: Sie kann sich wieder anmelden.

ending-done = Erledigt
ending-suspend-done = { $name } ist ausgesetzt.
ending-resume-done = { $name } ist fortgesetzt.
ending-retire-done = { $name } ist endgültig beendet.
ending-user-done = Alles von { $name } ist beendet.
ending-owner-done = Die Agenten von { $name } sind ausgesetzt.
ended-under-way = Es ist so viel, dass noch nicht alles als beendet vermerkt werden konnte. Abgewiesen wird es schon jetzt; der Rest geschieht in ein bis zwei Minuten.
ended-intro = Beendet wurde:
ended-nothing = Sonst gab es nichts zu beenden.
ended-agents = { $count ->
    [one] { $count } Agent angehalten
   *[other] { $count } Agenten angehalten
}
ended-sessions = { $count ->
    [one] { $count } Sitzung
   *[other] { $count } Sitzungen
}
ended-consents = { $count ->
    [one] { $count } Einwilligung
   *[other] { $count } Einwilligungen
}
ended-tasks = { $count ->
    [one] { $count } Aufgabe
   *[other] { $count } Aufgaben
}
ended-tokens = { $count ->
    [one] { $count } Token
   *[other] { $count } Token
}
ended-pending = { $count ->
    [one] { $count } Code oder Anfrage
   *[other] { $count } Codes oder Anfragen
}

ending-disable = Sperren
ending-disable-question = Dieses Konto sperren?
ending-disable-meaning = { $name } kann sich nicht anmelden, bis die Verwaltung das Konto freigibt, auch nach einem Neustart.
ending-disable-done = Das Konto von { $name } ist gesperrt.
ending-line-disabled = Wer sich damit anmelden will, erfährt nicht mehr als bei einem falschen Passwort.
ending-enable = Freigeben
ending-enable-question = Dieses Konto freigeben?
ending-enable-meaning = { $name } kann sich wieder anmelden.
ending-enable-done = Das Konto von { $name } ist freigegeben.
ending-line-enable-anew = Was beim Sperren endete, bleibt beendet. Es muss neu erlaubt werden.
ending-consent-question = Diese Einwilligung beenden?
ending-consent-meaning = { $name } darf nicht mehr aufgrund dieser Einwilligung handeln. Das lässt sich nicht rückgängig machen.
ending-consent-done = Die Einwilligung für { $name } ist beendet.
ending-line-consent-tasks = Jede Aufgabe darunter endet, mit allen ihren Teilen.
ending-line-derived = Jedes Token, das daher kommt, endet, gleich welche Anwendung oder welcher Agent es hat, ebenso nicht eingelöste Codes.
ending-task-question = Diese Aufgabe beenden?
ending-task-meaning = { $name } darf nicht daran weiterarbeiten. Das lässt sich nicht rückgängig machen.
ending-task-done = Die Aufgabe von { $name } ist beendet.
ending-line-parts = Jeder Teil davon, der anderen gegeben wurde, endet.

admin-tasks = Offene Aufgaben
admin-tasks-empty = Keine Aufgabe ist offen.
admin-task = Aufgabe
admin-user-state = Konto
admin-user-enabled = Frei
admin-user-disabled = Gesperrt

# Ein Einzelnes: was die Verwaltung davon sieht, und sein Ende.

ending-end = Beenden
ending-task-suspend-question = Diese Aufgabe aussetzen?
ending-task-suspend-meaning = { $name } kann nichts dafür tun, bis die Verwaltung sie fortsetzt. Dann gilt wieder, was dafür gegeben ist.
ending-task-suspend-done = Die Aufgabe von { $name } ist ausgesetzt.
ending-task-resume-question = Diese Aufgabe fortsetzen?
ending-task-resume-meaning = { $name } darf damit weitermachen.
ending-task-resume-done = Die Aufgabe von { $name } ist fortgesetzt.
ending-token-question = Dieses Token beenden?
ending-token-meaning = { $name } kann es nicht mehr verwenden. Das lässt sich nicht rückgängig machen.
ending-token-done = Ein Token von { $name } ist beendet.
ending-family-question = Diese Refresh-Familie beenden?
ending-family-meaning = { $name } erhält durch sie kein Token mehr. Das lässt sich nicht rückgängig machen.
ending-family-done = Eine Refresh-Familie von { $name } ist beendet.
ending-instance-question = Diese Instanz endgültig beenden?
ending-instance-meaning = Diese Instanz von { $name } darf nie wieder handeln. Das lässt sich nicht rückgängig machen.
ending-instance-done = Eine Instanz von { $name } ist endgültig beendet.
ending-line-parts-rest = Jeder Teil davon, der anderen gegeben wurde, ruht mit ihr.
ending-line-parts-go-on = Teile, die nur ihretwegen ruhen, gehen mit ihr weiter.
ending-line-token-derived = Jedes Token, das daraus abgeleitet wurde, endet, gleich wer es hat.
ending-line-token-again = Wo es ein Refresh-Token gibt, ist ein anderes zu bekommen. Soll auch das enden, beenden Sie die Refresh-Familie, die Aufgabe oder die Einwilligung.
ending-line-family-tokens = Ihre Refresh-Token enden, die Access-Token, die mit ihnen kamen, und jedes Token, das daraus abgeleitet wurde, gleich wer es hat.
ending-line-instance-tokens = Die Token, die sie erhalten hat, enden, ebenso die, in denen sie handelt, mit jedem Token, das daraus abgeleitet wurde.
ending-line-instance-pending = Nicht eingelöste Codes, eingereichte Anfragen und Fragen an Personen verfallen.
ending-line-instance-others = Andere Instanzen machen weiter.
ended-took = { $count ->
    [0] Das dauerte weniger als eine Millisekunde.
    [one] Das dauerte { $count } Millisekunde.
   *[other] Das dauerte { $count } Millisekunden.
}

admin-consent = Einwilligung
admin-consent-heading = Einwilligung für { $name }
admin-consent-stands = Gilt
admin-consent-allowed = Was erlaubt wurde
admin-consent-claims = Angaben
admin-consent-how-far = Wie weit
admin-consent-offline = geht weiter, während diese Person nicht da ist
admin-consent-by = Erlaubt von
admin-consent-brought-by = Auf das Wort von
admin-consent-end = Diese Einwilligung beenden
admin-task-heading = Aufgabe von { $name }
admin-task-for = Getan für
admin-task-derived = Abgeleitete Token
admin-task-parts = Ihre Teile
tasks-more = Es gibt mehr; dies sind die ersten hundert.
task-hand-actor = von ihrem Agenten
task-hand-giver = vom Agenten, der ihm diesen Teil gab
task-hand-user = von der Person, für die sie getan wird
task-hand-admin = von der Verwaltung

held-families = Refresh-Familien
held-families-hint = Wer immer wieder neue Token bekommen kann, und bis wann.
held-tokens = Gültige Token
held-hint = Das neueste zuerst. Von einem Token ist hier nur die Kennung bekannt.
held-empty = Kein Token ist gültig.
held-more = Es gibt mehr: Nur die neuesten hundert stehen hier. Endet, woran sie hängen, so enden alle.
held-by = Inhaber
held-kind = Art
held-way = Weg
held-bound = Gebunden an
held-since = Ausgestellt
token-kind-access = Access-Token
token-kind-refresh = Refresh-Token
token-kind-id = ID-Token
token-kind-foreign = Von einem vertrauten Aussteller
token-kind-assertion = Für einen anderen Server
token-kind-transaction = Transaktions-Token
bound-key = Schlüssel
bound-certificate = Zertifikat
bound-client = Client
bound-nothing = Nichts

instances = Instanzen
instances-hint = Die laufenden Kopien, soweit Token von ihnen aufbewahrt sind.
instances-more = Es gibt mehr: Nur die hundert zuletzt gesehenen stehen hier.
instance = Instanz
instance-first = Zuerst gesehen
instance-last = Zuletzt gesehen
instance-tokens = Gültige Token
instance-active = Aktiv
instance-ended = Beendet
