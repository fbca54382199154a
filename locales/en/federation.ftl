# Signing in at another OpenID Provider.

upstream-continue = Continue with { $name }
upstream-no-password = With an address of your company you need no password here: you sign in there.
upstream-leaving-title = On your way
upstream-leaving = You are going to { $name }
upstream-leaving-words = You sign in there and come back here.
upstream-leaving-go = Continue
upstream-try-again = Try again
upstream-otherwise = Sign in another way
upstream-back = Back
upstream-unreachable = { $name } does not answer
upstream-unreachable-advice = This is not your fault, and nothing was lost. Please try again in a moment, or sign in another way.
upstream-said-no = { $name } did not sign you in
upstream-said-no-advice = If that was not what you wanted, try again.
upstream-not-asked = This sign-in at { $name } is over
upstream-not-asked-advice = It took too long, or it was finished in another window. Please begin again.
upstream-not-proven = The answer of { $name } cannot be trusted
upstream-not-proven-advice = Nobody was signed in. Please try again; if it happens again, ask whoever runs this server.
upstream-not-fresh = { $name } did not ask you to sign in anew
upstream-not-fresh-advice = What you want to do needs a fresh sign-in. Please try again and sign in there once more.
upstream-no-account = You cannot sign in here with { $name }
upstream-no-account-advice = If you think that you should, ask whoever runs this server.
upstream-of-another = Your account at { $name } belongs to another account here
upstream-of-another-advice = Nothing was changed. Sign in to that account to take the link away, or use another account there.

account-connections = Where you sign in
connections-title = Ways to sign in
connections-heading = Where you sign in
connections-intro = With these accounts elsewhere you can sign in here.
connections-empty = You sign in here only.
connections-add = Add another
connections-unlink = Remove
connections-stays = This link cannot be removed: it is your only way to sign in, or an admin set it.
connections-just-linked = From now on you can sign in with { $name }.
connections-just-unlinked = { $name } is no longer linked to this account.
connections-not-fresh = To change anything here, sign in again first.
connections-sign-in-again = Sign in again
