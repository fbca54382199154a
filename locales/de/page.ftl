# Der Rahmen jeder Seite und Wörter, die viele Seiten teilen.

product = Procura
skip-link = Zum Inhalt springen
nav-label = Ihr Konto
nav-account = Was Sie erlaubt haben
nav-security = Anmeldung und Sicherheit
nav-admin = Verwaltung
nav-sign-out = Abmelden
signed-in-as = Angemeldet als
footer = Procura: Sie entscheiden, wer für Sie handeln darf.
test-server = Dies ist ein Testserver. Nichts ist hier geschützt: Benutzen Sie kein Passwort und keine Daten, die Ihnen wichtig sind.
form-too-old = Diese Seite war zu lange offen. Es ist nichts verloren: Bitte senden Sie sie noch einmal.
error-summary = Das hat nicht geklappt

kind-application = Anwendung
kind-service = Dienst
kind-agent = KI-Agent

status-active = Aktiv
status-suspended = Ausgesetzt
status-retired = Außer Dienst
status-expired = Abgelaufen

until = Bis
since = Seit

moment = { $day }. { $month } { $year }, { $time } Uhr (UTC)
month-january = Januar
month-february = Februar
month-march = März
month-april = April
month-may = Mai
month-june = Juni
month-july = Juli
month-august = August
month-september = September
month-october = Oktober
month-november = November
month-december = Dezember

duration-days = { $count ->
    [one] { $count } Tag
   *[other] { $count } Tage
}
duration-hours = { $count ->
    [one] { $count } Stunde
   *[other] { $count } Stunden
}
duration-minutes = { $count ->
    [one] { $count } Minute
   *[other] { $count } Minuten
}
duration-less-than-a-minute = weniger als eine Minute

home-title = Start
home-heading = Sie entscheiden, wer für Sie handeln darf
home-intro = Dieser Server meldet Menschen an und lässt sie einer Anwendung oder einem KI-Agenten einen Teil dessen geben, was sie selbst dürfen: für eine Aufgabe, so lange wie nötig, und mit einem Ende, das einen Klick entfernt ist.
home-account = Ansehen, was Sie erlaubt haben
home-account-hint = und es jederzeit beenden
home-for-developers = Für Entwickler
home-issuer = Issuer
home-metadata-openid = OpenID-Connect-Metadaten
home-metadata-oauth = OAuth-Metadaten

error-title = Fehler
error-code-label = Fehlercode
error-description-label = Für Entwickler
error-request-label = Anfrage
error-request-hint = Nennen Sie diese Nummer, wenn Sie um Hilfe bitten.
error-home = Zur Startseite

error-request-refused = Dieser Anfrage ist nicht zu trauen
error-request-refused-advice = Die Anwendung, die Sie hierher geschickt hat, hat einen Fehler gemacht, oder jemand hat den Link erfunden. Es wurde nichts weitergegeben und nichts erlaubt. Gehen Sie zurück zur Anwendung und beginnen Sie von vorn.
error-link-used = Dieser Link gilt nicht mehr
error-link-used-advice = Er kann nur einmal und nur kurze Zeit benutzt werden. Wenn Sie ihn nicht selbst benutzt haben, sagen Sie es der Person, von der Sie ihn haben, und bitten Sie um einen neuen.
error-no-longer-waiting = Hier wartet nichts mehr
error-no-longer-waiting-advice = Sie haben schon geantwortet, vielleicht in einem anderen Fenster, oder es hat zu lange gedauert. Gehen Sie zurück zur Anwendung und beginnen Sie von vorn.
error-form-refused = Dieses Formular wurde nicht angenommen
error-form-refused-advice = Es war zu lange offen, oder es kam nicht von dieser Website. Gehen Sie zurück, laden Sie die Seite neu und senden Sie es noch einmal.
error-not-allowed = Diese Seite ist nicht für Ihr Konto
error-not-allowed-advice = Wenn Sie sie brauchen, fragen Sie die Verwaltung.
error-not-found = Diese Seite gibt es nicht
error-not-found-advice = Bitte prüfen Sie die Adresse.
error-too-many = Zu viele Anfragen
error-too-many-advice = Warten Sie eine Minute und versuchen Sie es dann noch einmal.
error-broken = Bei uns ist etwas kaputt
error-broken-advice = Es liegt nicht an Ihnen. Es wurde nichts erlaubt. Bitte versuchen Sie es gleich noch einmal.
