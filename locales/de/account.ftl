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

task-suspend = Aussetzen
task-resume = Fortsetzen
task-revoke = Beenden
task-part-of = Teil von
task-rests-above = mit der Aufgabe, von der sie ein Teil ist
task-parts-too = Auch diese Teile davon:
task-suspend-question = Diese Aufgabe aussetzen?
task-suspend-meaning = { $name } kann für diese Aufgabe nichts tun, bis Sie sie fortsetzen. Dann geht weiter, was dafür gegeben ist.
task-resume-question = Diese Aufgabe fortsetzen?
task-resume-meaning = { $name } darf mit dieser Aufgabe weitermachen.
task-revoke-question = Diese Aufgabe beenden?
task-revoke-meaning = { $name } kann für diese Aufgabe nichts mehr tun. Das lässt sich nicht rückgängig machen. Was Sie sonst erlaubt haben, bleibt.
task-suspend-done = Ausgesetzt: { $name } kann für diese Aufgabe nichts tun, bis Sie sie fortsetzen.
task-resume-done = Fortgesetzt: { $name } darf mit dieser Aufgabe weitermachen.
task-revoke-done = Beendet: { $name } kann für diese Aufgabe nichts mehr tun.
