# Die Kontoseite.

account-title = Was Sie erlaubt haben
account-heading = Was Sie erlaubt haben
account-intro = Wer jetzt für Sie handeln darf, was erlaubt ist und bis wann.
account-just-ended = Beendet: { $name } kann nichts mehr für Sie tun.
account-empty = Niemand darf für Sie handeln
account-empty-hint = Wenn Sie etwas erlauben, steht es hier, und hier können Sie es beenden.
account-through = gefragt über { $name }
account-what = Darf
account-passing-on = { $count ->
    [one] darf an einen weiteren Agenten gegeben werden
   *[other] darf an höchstens { $count } weitere Agenten gegeben werden
}
account-offline-access = geht weiter, während Sie nicht da sind
account-tasks = Aufgaben
account-task-no-purpose = Ohne genannten Zweck
account-tokens = Gerade in Gebrauch
account-token-count = { $count ->
    [one] 1 gültiges Token
   *[other] { $count } gültige Token
}
account-no-tokens = Gerade ist nichts in Gebrauch.
account-open = Öffnen
account-end = Beenden
account-ended = { $count ->
    [one] 1 beendete
   *[other] { $count } beendete
}
account-ended-revoked = Beendet
account-ended-time-over = Zeit abgelaufen
you = Sie

task-active = Aktiv
task-suspended = Ausgesetzt
task-completed = Erledigt
task-revoked = Beendet
task-expired = Zeit abgelaufen
