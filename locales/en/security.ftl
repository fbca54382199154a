# Second factors, passkeys, sessions, and passwords that were forgotten.

sign-in-again = Please sign in once more: what you are about to change is worth it.
sign-in-passkey = Sign in with a passkey
sign-in-forgot = I forgot my password
passkey-refused = The passkey was not accepted. Please try again, or sign in another way.
passkey-not-used = No passkey was used. You can try again, or sign in another way.
passkey-not-made = No passkey was made. You can try again.
passkey-needs-script = A passkey needs a browser that runs scripts.
passkey-name = Name
passkey-name-hint = So that you know it again, such as “My phone”. You may leave it empty.

second-factor-title = One more step
second-factor-heading = One more step
second-factor-for = to sign in as { $name }
second-factor-passkey = Use a passkey
second-factor-code = Code
second-factor-code-hint = The six digits that your authenticator app shows now.
second-factor-submit = Continue
second-factor-recovery = I have neither at hand
second-factor-recovery-code = Recovery code
second-factor-recovery-hint = One of the codes that you wrote down. It works once.
second-factor-wrong = The code is wrong, or it was used before. Wait for the next one.
second-factor-recovery-wrong = The recovery code is wrong, or it was used before.
second-factor-back = Sign in as somebody else

security-title = Sign-in and security
security-heading = Sign-in and security
security-intro = How you sign in, and where you are signed in.
security-back = Back without a change
security-password = Password
security-password-hint = When you change it, you are signed out everywhere else.
security-no-password = You have none: you sign in another way.
security-password-change = Change
security-passkeys = Passkeys
security-passkeys-hint = A passkey signs you in with your finger, your face or the PIN of your device. Nobody can talk you out of it.
security-passkeys-no-name = None can be made here: this server goes by a number, and a passkey belongs to a name. Whoever runs it can give it one.
security-passkey-add = Add a passkey
security-added = Added
security-used = last used
security-remove = Remove
security-rename = Rename
security-rename-save = Save
security-totp = Authenticator app
security-totp-hint = An app on your phone shows a code, which is asked for after your password.
security-totp-add = Set up
security-recovery = Recovery codes
security-recovery-left = { $count ->
    [one] 1 code is left
   *[other] { $count } codes are left
}
security-recovery-none = Make some, and keep them where you find them without your phone.
security-recovery-new = Make new codes
security-sessions = Where you are signed in
security-sessions-hint = Ending one also ends what applications do there. What you allowed for your absence goes on.
security-sessions-end-others = End all others
security-session-this = This browser
security-session-since = Since
device-on = { $browser } on { $system }
device-unknown = Another browser

said-password-changed = Your password is changed. You are signed out everywhere else.
said-passkey-added = The passkey was added.
said-passkey-renamed = The passkey has its new name.
said-passkey-removed = The passkey was removed. You can delete it on your device too.
said-totp-added = The authenticator app is set up. From now on its code is asked for.
said-totp-removed = The authenticator app was removed.
said-session-ended = The session was ended.
said-sessions-ended = All other sessions were ended.

add-passkey-title = Add a passkey
add-passkey-heading = Add a passkey
add-passkey-intro = Your device asks you for your finger, your face or your PIN, and keeps a key for this site alone.
add-passkey-submit = Make the passkey
add-passkey-refused = The passkey was not accepted. Please try again.
add-passkey-too-many = You have too many passkeys. Remove one first.

add-totp-title = Set up an authenticator app
add-totp-heading = Set up an authenticator app
add-totp-intro = Scan this square with the app, then type the code that it shows.
add-totp-square = A square code for the authenticator app; the same is written below
add-totp-by-hand = By hand
add-totp-code-hint = Six digits. Only when they are right is the app set up.
add-totp-submit = Set up
add-totp-wrong = This is not the code that the app should show now. Is your phone's clock right?

recovery-codes-title = Recovery codes
recovery-codes-heading = Your recovery codes
recovery-codes-for = for { $name }
recovery-codes-intro = Each of them works once, after your password, when you have neither your passkey nor your phone. Print this page or write them down.
recovery-codes-once = They are shown this once. Codes that you had before do not work any more.
recovery-codes-kept = I have kept them

change-password-title = Change your password
change-password-heading = Change your password
change-password-intro = You stay signed in here, and are signed out everywhere else.
change-password-old = Password until now
change-password-old-wrong = The password until now is wrong.
set-password-common = This password is among the first that anybody would try.
set-password-own-name = Your own name is no password.

forgot-title = New password
forgot-heading = Did you forget your password?
forgot-intro = If we know your e-mail address, we send a link to it with which you can set a new password.
forgot-email = E-mail address
forgot-submit = Send the link
forgot-back = Back to signing in
forgot-sent-heading = Look into your mail
forgot-sent-words = If somebody has this address here, a link is on its way. It works once, for half an hour.
forgot-sent-hint = Nothing came? It may lie among the unwanted mail. Otherwise ask an administrator.
forgot-mail-subject = A new password
forgot-mail-hello = Hello { $name },
forgot-mail-words = somebody asked for a new password for your account { $username }. If it was you, set it here:
forgot-mail-life = The link works once, for half an hour. When you set a password, you are signed out everywhere; passkeys and the authenticator app stay.
forgot-mail-not-you = If it was not you, you need not do anything. Nothing was changed.

reset-link-title = Link for a new password
reset-link-heading = Link for a new password
reset-link-for = for { $name }
reset-link-hint = Hand it over in a way that nobody else can read. It works once, for a day. It is shown only now.
admin-users = Users
admin-users-empty = There is no user.
admin-user-email = E-mail
admin-user-password = Password set
admin-user-reset = New password
admin-reset-link = Make a link
yes = Yes
no = No
