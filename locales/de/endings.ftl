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
ended-intro = Beendet wurde:
ended-nothing = Sonst gab es nichts zu beenden.
ended-agents = { $count ->
    [one] { $count } Agent ausgesetzt
   *[other] { $count } Agenten ausgesetzt
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
ending-consent = Beenden
ending-consent-question = Diese Einwilligung beenden?
ending-consent-meaning = { $name } darf nicht mehr aufgrund dieser Einwilligung handeln. Das lässt sich nicht rückgängig machen.
ending-consent-done = Die Einwilligung für { $name } ist beendet.
ending-line-consent-tasks = Jede Aufgabe darunter endet, mit allen ihren Teilen.
ending-line-derived = Jedes Token, das daher kommt, endet, gleich welche Anwendung oder welcher Agent es hat, ebenso nicht eingelöste Codes.
ending-task = Beenden
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
