# Signing in and out, and setting a password.

sign-in-title = Sign in
sign-in-heading = Sign in
sign-in-for-client = to continue to { $name }
sign-in-username = Username
sign-in-password = Password
sign-in-submit = Sign in
sign-in-cancel = Cancel
sign-in-wrong = The username or the password is wrong.
sign-in-too-many-attempts = There were too many attempts. Please wait a few minutes and try again.

sign-out-title = Sign out
sign-out-heading = Do you want to sign out?
sign-out-client = { $name } asks for it.
sign-out-what-stays = Whatever you allowed for the time when you are away goes on until its own end. You can end it under “What you allowed”.
sign-out-confirm = Sign out
sign-out-cancel = Stay signed in

signed-out-title = Signed out
signed-out-heading = You are signed out
signed-out-words = You can close this window.
signed-out-continue = Continue to { $name }
signed-out-continue-plain = Continue
signed-out-frame = Signing you out of an application
signed-out-sign-in-again = Sign in again

set-password-title = Set your password
set-password-heading = Set your password
set-password-for = for the account { $name }
set-password-new = New password
set-password-again = The same again
set-password-hint = At least { $count } characters. A few words in a row are good and easy to remember.
set-password-submit = Set the password
set-password-too-short = The password needs at least { $count } characters.
set-password-too-long = The password is too long.
set-password-not-the-same = The two passwords are not the same.

select-account-title = Choose an account
select-account-heading = Go on with this account?
select-account-now = You are signed in as
select-account-continue = Continue as { $name }
select-account-other = Use another account

form-post-title = Back to the application
form-post-heading = Back to { $name }
form-post-words = Your browser runs no scripts. Please continue with this button.
form-post-continue = Continue
