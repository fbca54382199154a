# Zweite Faktoren, Passkeys, Sitzungen und vergessene Passwörter.

sign-in-again = Bitte melden Sie sich noch einmal an: Was Sie gleich ändern, ist es wert.
sign-in-passkey = Mit einem Passkey anmelden
sign-in-forgot = Ich habe mein Passwort vergessen
passkey-refused = Der Passkey wurde nicht angenommen. Bitte versuchen Sie es noch einmal, oder melden Sie sich anders an.
passkey-not-used = Es wurde kein Passkey benutzt. Sie können es noch einmal versuchen oder sich anders anmelden.
passkey-not-made = Es wurde kein Passkey angelegt. Sie können es noch einmal versuchen.
passkey-needs-script = Ein Passkey braucht einen Browser, der Skripte ausführt.
passkey-name = Name
passkey-name-hint = Damit Sie ihn wiedererkennen, etwa „Mein Telefon“. Er darf leer bleiben.

second-factor-title = Noch ein Schritt
second-factor-heading = Noch ein Schritt
second-factor-for = zur Anmeldung als { $name }
second-factor-passkey = Einen Passkey benutzen
second-factor-code = Code
second-factor-code-hint = Die sechs Ziffern, die Ihre Authentifizierungs-App gerade zeigt.
second-factor-submit = Weiter
second-factor-recovery = Ich habe beides nicht zur Hand
second-factor-recovery-code = Wiederherstellungscode
second-factor-recovery-hint = Einer der Codes, die Sie aufgeschrieben haben. Er gilt einmal.
second-factor-wrong = Der Code ist falsch, oder er wurde schon benutzt. Warten Sie auf den nächsten.
second-factor-recovery-wrong = Der Wiederherstellungscode ist falsch, oder er wurde schon benutzt.
second-factor-back = Als jemand anderes anmelden

security-title = Anmeldung und Sicherheit
security-heading = Anmeldung und Sicherheit
security-intro = Wie Sie sich anmelden, und wo Sie angemeldet sind.
security-back = Zurück, ohne etwas zu ändern
security-password = Passwort
security-password-hint = Wenn Sie es ändern, werden Sie überall sonst abgemeldet.
security-no-password = Sie haben keines: Sie melden sich anders an.
security-password-change = Ändern
security-passkeys = Passkeys
security-passkeys-hint = Ein Passkey meldet Sie mit dem Finger, dem Gesicht oder der PIN Ihres Geräts an. Niemand kann ihn Ihnen abschwatzen.
security-passkeys-no-name = Hier lassen sich keine anlegen: Dieser Server ist unter einer Nummer zu erreichen, und ein Passkey gehört zu einem Namen. Wer ihn betreibt, kann ihm einen geben.
security-passkey-add = Passkey hinzufügen
security-added = Hinzugefügt
security-used = zuletzt benutzt
security-remove = Entfernen
security-rename = Umbenennen
security-rename-save = Speichern
security-totp = Authentifizierungs-App
security-totp-hint = Eine App auf Ihrem Telefon zeigt einen Code, nach dem nach dem Passwort gefragt wird.
security-totp-add = Einrichten
security-recovery = Wiederherstellungscodes
security-recovery-left = { $count ->
    [one] 1 Code ist übrig
   *[other] { $count } Codes sind übrig
}
security-recovery-none = Legen Sie welche an, und verwahren Sie sie dort, wo Sie sie auch ohne Telefon finden.
security-recovery-new = Neue Codes anlegen
security-sessions = Wo Sie angemeldet sind
security-sessions-hint = Mit einer Sitzung endet auch, was Anwendungen dort tun. Was Sie für Ihre Abwesenheit erlaubt haben, geht weiter.
security-sessions-end-others = Alle anderen beenden
security-session-this = Dieser Browser
security-session-since = Seit
device-on = { $browser } auf { $system }
device-unknown = Ein anderer Browser

said-password-changed = Ihr Passwort ist geändert. Überall sonst sind Sie abgemeldet.
said-passkey-added = Der Passkey wurde hinzugefügt.
said-passkey-renamed = Der Passkey hat seinen neuen Namen.
said-passkey-removed = Der Passkey wurde entfernt. Sie können ihn auch auf Ihrem Gerät löschen.
said-totp-added = Die Authentifizierungs-App ist eingerichtet. Ab jetzt wird nach ihrem Code gefragt.
said-totp-removed = Die Authentifizierungs-App wurde entfernt.
said-session-ended = Die Sitzung wurde beendet.
said-sessions-ended = Alle anderen Sitzungen wurden beendet.

add-passkey-title = Passkey hinzufügen
add-passkey-heading = Passkey hinzufügen
add-passkey-intro = Ihr Gerät fragt nach Finger, Gesicht oder PIN und verwahrt einen Schlüssel allein für diese Seite.
add-passkey-submit = Passkey anlegen
add-passkey-refused = Der Passkey wurde nicht angenommen. Bitte versuchen Sie es noch einmal.
add-passkey-too-many = Sie haben zu viele Passkeys. Entfernen Sie erst einen.

add-totp-title = Authentifizierungs-App einrichten
add-totp-heading = Authentifizierungs-App einrichten
add-totp-intro = Scannen Sie dieses Quadrat mit der App und geben Sie dann den Code ein, den sie zeigt.
add-totp-square = Ein Quadrat mit dem Schlüssel für die Authentifizierungs-App; dasselbe steht darunter als Text
add-totp-by-hand = Von Hand
add-totp-code-hint = Sechs Ziffern. Erst wenn sie stimmen, ist die App eingerichtet.
add-totp-submit = Einrichten
add-totp-wrong = Das ist nicht der Code, den die App jetzt zeigen müsste. Geht die Uhr Ihres Telefons richtig?

recovery-codes-title = Wiederherstellungscodes
recovery-codes-heading = Ihre Wiederherstellungscodes
recovery-codes-for = für { $name }
recovery-codes-intro = Jeder gilt einmal, nach Ihrem Passwort, wenn Sie weder Passkey noch Telefon haben. Drucken Sie diese Seite, oder schreiben Sie sie ab.
recovery-codes-once = Sie werden nur dieses eine Mal gezeigt. Frühere Codes gelten nicht mehr.
recovery-codes-kept = Ich habe sie verwahrt

change-password-title = Passwort ändern
change-password-heading = Ändern Sie Ihr Passwort
change-password-intro = Hier bleiben Sie angemeldet, überall sonst werden Sie abgemeldet.
change-password-old = Bisheriges Passwort
change-password-old-wrong = Das bisherige Passwort ist falsch.
set-password-common = Dieses Passwort würde jeder als eines der ersten versuchen.
set-password-own-name = Der eigene Name ist kein Passwort.

forgot-title = Neues Passwort
forgot-heading = Haben Sie Ihr Passwort vergessen?
forgot-intro = Wenn wir Ihre E-Mail-Adresse kennen, schicken wir einen Link dorthin, mit dem Sie ein neues setzen können.
forgot-email = E-Mail-Adresse
forgot-submit = Link schicken
forgot-back = Zurück zur Anmeldung
forgot-sent-heading = Sehen Sie in Ihre Post
forgot-sent-words = Wenn hier jemand diese Adresse hat, ist ein Link unterwegs. Er gilt einmal, für eine halbe Stunde.
forgot-sent-hint = Es kam nichts? Vielleicht liegt es bei der unerwünschten Post. Sonst fragen Sie die Verwaltung.
forgot-mail-subject = Ein neues Passwort
forgot-mail-hello = Guten Tag { $name },
forgot-mail-words = jemand hat um ein neues Passwort für Ihr Konto { $username } gebeten. Wenn Sie es waren, setzen Sie es hier:
forgot-mail-life = Der Link gilt einmal, für eine halbe Stunde. Wenn Sie ein Passwort setzen, werden Sie überall abgemeldet; Passkeys und Authentifizierungs-App bleiben.
forgot-mail-not-you = Wenn Sie es nicht waren, müssen Sie nichts tun. Es wurde nichts geändert.

reset-link-title = Link für ein neues Passwort
reset-link-heading = Link für ein neues Passwort
reset-link-for = für { $name }
reset-link-hint = Geben Sie ihn so weiter, dass ihn sonst niemand lesen kann. Er gilt einmal, für einen Tag. Er wird nur jetzt gezeigt.
admin-users = Personen
admin-users-empty = Es gibt niemanden.
admin-user-email = E-Mail
admin-user-password = Passwort gesetzt
admin-user-reset = Neues Passwort
admin-reset-link = Link anlegen
yes = Ja
no = Nein
