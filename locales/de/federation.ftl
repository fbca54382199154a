# Anmelden bei einem anderen OpenID-Anbieter.

upstream-continue = Weiter mit { $name }
upstream-no-password = Mit einer Adresse Ihrer Firma brauchen Sie hier kein Passwort: Sie melden sich dort an.
upstream-leaving-title = Unterwegs
upstream-leaving = Sie gehen zu { $name }
upstream-leaving-words = Dort melden Sie sich an und kommen dann hierher zurück.
upstream-leaving-go = Weiter
upstream-try-again = Noch einmal versuchen
upstream-otherwise = Auf andere Weise anmelden
upstream-back = Zurück
upstream-unreachable = { $name } antwortet nicht
upstream-unreachable-advice = Das liegt nicht an Ihnen, und es ging nichts verloren. Bitte versuchen Sie es gleich noch einmal, oder melden Sie sich auf andere Weise an.
upstream-said-no = { $name } hat Sie nicht angemeldet
upstream-said-no-advice = Wenn Sie das nicht so wollten, versuchen Sie es noch einmal.
upstream-not-asked = Diese Anmeldung bei { $name } ist vorbei
upstream-not-asked-advice = Sie hat zu lange gedauert oder wurde in einem anderen Fenster beendet. Bitte beginnen Sie neu.
upstream-not-proven = Der Antwort von { $name } ist nicht zu trauen
upstream-not-proven-advice = Niemand wurde angemeldet. Bitte versuchen Sie es noch einmal; kommt es wieder vor, fragen Sie den Betreiber dieses Servers.
upstream-not-fresh = { $name } hat Sie nicht neu anmelden lassen
upstream-not-fresh-advice = Was Sie vorhaben, braucht eine frische Anmeldung. Bitte versuchen Sie es noch einmal und melden Sie sich dort neu an.
upstream-no-account = Sie können sich hier nicht mit { $name } anmelden
upstream-no-account-advice = Wenn Sie meinen, dass Sie es können sollten, fragen Sie den Betreiber dieses Servers.
upstream-of-another = Ihr Konto bei { $name } gehört hier zu einem anderen Konto
upstream-of-another-advice = Es wurde nichts geändert. Melden Sie sich bei jenem Konto an, um die Verknüpfung zu lösen, oder nehmen Sie dort ein anderes Konto.

account-connections = Wo Sie sich anmelden
connections-title = Wege zur Anmeldung
connections-heading = Wo Sie sich anmelden
connections-intro = Mit diesen Konten anderswo können Sie sich hier anmelden.
connections-empty = Sie melden sich nur hier an.
connections-add = Einen weiteren hinzufügen
connections-unlink = Entfernen
connections-stays = Diese Verknüpfung bleibt: Sie ist Ihr einziger Weg zur Anmeldung, oder ein Administrator hat sie gesetzt.
connections-just-linked = Ab jetzt können Sie sich mit { $name } anmelden.
connections-just-unlinked = { $name } ist nicht mehr mit diesem Konto verknüpft.
connections-not-fresh = Um hier etwas zu ändern, melden Sie sich zuerst noch einmal an.
connections-sign-in-again = Noch einmal anmelden
