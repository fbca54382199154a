# An- und Abmelden, und das Passwort setzen.

sign-in-title = Anmelden
sign-in-heading = Anmelden
sign-in-for-client = und weiter zu { $name }
sign-in-username = Benutzername
sign-in-password = Passwort
sign-in-submit = Anmelden
sign-in-cancel = Abbrechen
sign-in-wrong = Benutzername oder Passwort ist falsch.
sign-in-too-many-attempts = Das waren zu viele Versuche. Bitte warten Sie einige Minuten und versuchen Sie es dann noch einmal.

sign-out-title = Abmelden
sign-out-heading = Möchten Sie sich abmelden?
sign-out-client = { $name } bittet darum.
sign-out-what-stays = Was Sie für die Zeit Ihrer Abwesenheit erlaubt haben, geht bis zu seinem eigenen Ende weiter. Unter „Was Sie erlaubt haben“ können Sie es beenden.
sign-out-confirm = Abmelden
sign-out-cancel = Angemeldet bleiben

signed-out-title = Abgemeldet
signed-out-heading = Sie sind abgemeldet
signed-out-words = Sie können dieses Fenster schließen.
signed-out-continue = Weiter zu { $name }
signed-out-continue-plain = Weiter
signed-out-frame = Abmeldung bei einer Anwendung
signed-out-sign-in-again = Wieder anmelden

set-password-title = Passwort setzen
set-password-heading = Setzen Sie Ihr Passwort
set-password-for = für das Konto { $name }
set-password-new = Neues Passwort
set-password-again = Noch einmal dasselbe
set-password-hint = Mindestens { $count } Zeichen. Ein paar Wörter hintereinander sind gut und leicht zu merken.
set-password-submit = Passwort setzen
set-password-too-short = Das Passwort braucht mindestens { $count } Zeichen.
set-password-too-long = Das Passwort ist zu lang.
set-password-not-the-same = Die beiden Passwörter sind nicht gleich.

select-account-title = Konto wählen
select-account-heading = Mit diesem Konto weiter?
select-account-now = Sie sind angemeldet als
select-account-continue = Weiter als { $name }
select-account-other = Ein anderes Konto verwenden

form-post-title = Zurück zur Anwendung
form-post-heading = Zurück zu { $name }
form-post-words = Ihr Browser führt keine Skripte aus. Bitte gehen Sie mit dieser Schaltfläche weiter.
form-post-continue = Weiter
