# Die Einwilligungsseite.

consent-title = Erlauben oder ablehnen
consent-who-application = { $client } möchte Zugriff auf Ihr Konto
consent-who-agent = { $actor }, ein KI-Agent, möchte für Sie handeln
consent-who-service = { $actor }, ein Dienst, möchte für Sie handeln
consent-who-application-for-agent = { $client } möchte den KI-Agenten { $actor } für Sie handeln lassen
consent-who-application-for-service = { $client } möchte den Dienst { $actor } für Sie handeln lassen
consent-you = Sie
consent-asked-by = { $name } fragt

consent-actor-owner = { $name } steht dafür ein.
consent-actor-expires = Registriert bis

consent-task = Wofür
consent-task-reference = Referenz
consent-task-done = Fertig, wenn
consent-task-limits = Grenzen

consent-what = Was Sie erlauben
consent-what-hint = Entfernen Sie das Häkchen, wo Sie etwas nicht erlauben möchten.
consent-nothing-left = Es ist nichts mehr zu erlauben. Wählen Sie mindestens einen Punkt, oder lehnen Sie ab.
consent-too-weak = Das kann nur erlauben, wer sich mit einem zweiten Faktor oder einem Passkey angemeldet hat. Richten Sie in Ihrem Konto unter „Sicherheit“ einen ein und melden Sie sich neu an, oder lehnen Sie ab.
consent-always = immer dabei
consent-nothing-more = Nur, dass Sie sich angemeldet haben, und nichts aus Ihrem Konto.
consent-resources = Wo

consent-standing = Was Sie schon erlaubt haben
consent-standing-hint = Es bleibt erlaubt, was immer Sie unten wählen. Was Sie jetzt erlauben, kommt hinzu.
consent-standing-until = Alles zusammen endet:
consent-standing-replaced = Was Sie bisher erlaubt haben
consent-standing-replaced-hint = Wenn Sie das Folgende erlauben, tritt es an diese Stelle. Alles, was damit begonnen wurde, endet.
consent-stays = Bleibt erlaubt
consent-goes = Nicht mehr erlaubt
consent-new = Neu
consent-already = Schon erlaubt
consent-inseparable = Dieser Teil kann nicht allein hinzukommen: Zusammen mit dem, was Sie schon erlaubt haben, würde er mehr erlauben als beides. Wählen Sie alle Punkte, oder lehnen Sie ab.

risk-low = Geringes Risiko
risk-medium = Mittleres Risiko
risk-high = Hohes Risiko

consent-how-long = Wie lange und wie weit
consent-until = Erlaubt für
consent-passing-on = { $count ->
    [one] Darf Teile davon an einen weiteren Agenten geben
   *[other] Darf Teile davon an höchstens { $count } weitere Agenten geben, einen nach dem anderen
}
consent-passing-on-hint = Jeder bekommt höchstens, was Sie hier erlauben, und nie mehr.
consent-offline-access = Darf weitermachen, während Sie nicht da sind
consent-offline-access-hint = Auch wenn Sie abgemeldet sind, bis zum Ende oben.

consent-then-label = Was dann geschieht
consent-then = Sie können es jederzeit in Ihrem Konto unter „Was Sie erlaubt haben“ beenden. Wenn Sie ablehnen, wird nichts weitergegeben.
consent-return = In beiden Fällen kommen Sie zurück zu { $name }.
consent-approve = Erlauben
consent-deny = Ablehnen

# Die Angaben zu einer Person, um die einzeln gebeten werden kann.

consent-claims = Außerdem sieht sie
claim-name = Ihren vollen Namen
claim-family-name = Ihren Familiennamen
claim-given-name = Ihren Vornamen
claim-middle-name = Ihren zweiten Vornamen
claim-nickname = Ihren Spitznamen
claim-preferred-username = Ihren Benutzernamen
claim-profile = Ihre Profilseite
claim-picture = Ihr Bild
claim-website = Ihre Website
claim-gender = Ihr Geschlecht
claim-birthdate = Ihr Geburtsdatum
claim-zoneinfo = Ihre Zeitzone
claim-locale = Ihre Sprache
claim-updated-at = Wann Ihre Angaben zuletzt geändert wurden
claim-email = Ihre E-Mail-Adresse
claim-email-verified = Ob Ihre E-Mail-Adresse geprüft wurde
claim-address = Ihre Postanschrift
claim-phone-number = Ihre Telefonnummer
claim-phone-number-verified = Ob Ihre Telefonnummer geprüft wurde
