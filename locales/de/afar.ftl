# Fragen von anderswo: Geräte mit einem Code, und Clients, die aus der Ferne fragen.

account-waiting = { $count ->
    [one] Eine Frage wartet auf Ihre Antwort
   *[other] { $count } Fragen warten auf Ihre Antwort
}
account-approvals = Fragen von anderswo

device-title = Gerät verbinden
device-heading = Gerät verbinden
device-intro = Geben Sie den Code ein, den Ihr Gerät anzeigt.
device-code = Code
device-code-hint = Acht Buchstaben. Großschreibung und Striche sind gleich.
device-warning = Niemand sonst braucht diesen Code von Ihnen, und niemand sollte Ihnen einen schicken. Geben Sie nur ein, was ein eigenes Gerät gerade anzeigt.
device-submit = Weiter
device-wrong = Diesen Code gibt es nicht, oder seine Zeit ist um. Vergleichen Sie ihn mit Ihrem Gerät, oder beginnen Sie dort neu.
device-too-many = Das waren zu viele Codes, die es nicht gibt. Bitte warten Sie eine Minute und versuchen Sie es noch einmal.
device-allowed = Fertig
device-allowed-words = Sie können zu Ihrem Gerät zurückkehren: { $name } hat jetzt, was Sie erlaubt haben.
device-denied = Nichts wurde erlaubt
device-denied-words = { $name } hat nichts bekommen. Sie können diese Seite schließen.

afar-device = Ein Gerät fragt
afar-device-only-if = Erlauben Sie das nur, wenn Sie es selbst begonnen haben und das Gerät vor Ihnen genau diesen Code anzeigt.
afar-backchannel = Sie werden von anderswo gefragt
afar-binding-message = Wer fragt, muss Ihnen auch diese Worte zeigen:
afar-backchannel-only-if = Erlauben Sie das nur, wenn Sie wissen, warum Sie jetzt gefragt werden. Sonst lehnen Sie ab.
afar-asked-at = Gefragt um
afar-from = Gefragt von der Netzadresse
afar-from-here = dieselbe wie Ihre jetzt
afar-from-elsewhere = eine andere als Ihre jetzt
afar-then = Wer gefragt hat, erfährt Ihre Antwort.

question-mail-subject = Eine Frage wartet auf Ihre Antwort
question-mail-hello = Guten Tag { $name },
question-mail-asks = { $name } bittet Sie um die Erlaubnis für Folgendes:
question-mail-agent-asks = { $name }, ein KI-Agent, bittet Sie um die Erlaubnis für Folgendes:
question-mail-binding-message = Wer fragt, muss Ihnen auch diese Worte zeigen: „{ $message }“
question-mail-look = Melden Sie sich an, um die ganze Frage zu lesen und zu erlauben oder abzulehnen:
question-mail-only-if = Erlauben Sie es nur, wenn Sie wissen, warum Sie gerade jetzt gefragt werden. Sonst lehnen Sie ab oder tun Sie nichts: Ohne Ihre Antwort bekommt niemand etwas.

approvals-title = Fragen von anderswo
approvals-heading = Fragen von anderswo
approvals-intro = Anwendungen und Agenten, die um Ihr Wort bitten, während Sie nicht bei ihnen sind.
approvals-empty = Nichts wartet auf Sie
approvals-empty-hint = Wenn jemand von anderswo um Ihr Wort bittet, steht die Frage hier, bis ihre Zeit um ist.
approvals-look = Ansehen
approvals-binding-message = Mit den Worten
approvals-allowed = Erlaubt: { $name } erfährt es.
approvals-denied = Abgelehnt: { $name } hat nichts bekommen.
approvals-code-heading = Ihr Code gegen unerwünschte Fragen
approvals-code-intro = Mit einem eigenen Code kann Sie von anderswo nur fragen, wem Sie ihn gesagt haben.
approvals-code = Code
approvals-code-hint = Mindestens 4 Zeichen. Er ist kein Passwort und kann nichts erlauben.
approvals-code-submit = Code setzen
approvals-code-remove = Ohne Code
approvals-code-is-set = Ein Code ist gesetzt. Wer ihn nicht mitschickt, kann Sie nicht fragen.
approvals-code-set = Der Code ist gesetzt.
approvals-code-removed = Es gibt keinen Code mehr.
approvals-code-refused = Der Code braucht mindestens 4 und höchstens 128 Zeichen.

# Eine Token-Anfrage, die auf die Zustimmung eines Menschen wartet.

approval-title = Einer Aktion zustimmen
approval-heading-you = { $name } will dies für Sie tun und braucht Ihre Zustimmung
approval-heading-other = { $name } will dies für { $subject } tun und braucht Ihre Zustimmung
approval-heading-itself = { $name } will dies auf eigene Rechnung tun und braucht Ihre Zustimmung
approval-intro = Sie werden gefragt, weil Aktionen wie diese jedes Mal das Wort eines Menschen brauchen.
approval-what = Was genau
approval-where = Bei
approval-way = Wer für wen fragt
approval-way-hint = Von wem die Befugnis kommt und durch wessen Hände sie geht. Wer fragt, kann nicht selbst zustimmen.
approval-then = { $count ->
    [one] Wenn Sie zustimmen, ist genau dies erlaubt, ein einziges Mal und höchstens eine Minute lang. Ändert sich etwas daran, werden Sie erneut gefragt.
   *[other] Wenn Sie zustimmen, ist genau dies erlaubt, ein einziges Mal und höchstens { $count } Minuten lang. Ändert sich etwas daran, werden Sie erneut gefragt.
}
approval-lapses = Wenn Sie nichts tun, verfällt die Anfrage, und niemand bekommt etwas.
approval-until = Verfällt um
approval-approve = Einmal zustimmen
approval-as-owner = Sie werden gefragt, weil Ihnen der Agent gehört.
approval-as-manager = Sie werden gefragt, weil Sie die Person führen, deren Rechte dabei genutzt werden.
approval-changed = Worum Sie gebeten werden, hat sich geändert, seit Sie diese Seite geöffnet haben. Es wurde nichts genehmigt. Bitte sehen Sie es sich noch einmal an.
approval-mail-subject = Eine Aktion wartet auf Ihre Zustimmung
approval-mail-for = Sie würde für { $name } getan.
approval-destination = Wohin es geht
approval-other-domain = Es wird an { $name } weitergegeben, einen Server einer anderen Domäne. Was dort erlaubt ist, entscheidet dann dieser Server, und Sie können es hier nicht beenden.
approval-other-domain-who = Es wird an { $name } weitergegeben, einen Server einer anderen Domäne, und sagt ihm, wer die Person ist. Was dort erlaubt ist, entscheidet dann dieser Server, und Sie können es hier nicht beenden.
approval-trust-domain = Es geht von Dienst zu Dienst von { $name } mit, für diesen Vorgang.
approval-mail-other-domain = Es würde an eine andere Domäne weitergegeben: { $name }.
approval-mail-trust-domain = Es ginge von Dienst zu Dienst von { $name } mit.
