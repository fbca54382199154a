# The frame of every page, and words that many pages share.

product = Procura
skip-link = Skip to the content
nav-label = Your account
nav-account = What you allowed
nav-security = Sign-in and security
nav-admin = Administration
nav-sign-out = Sign out
signed-in-as = Signed in as
footer = Procura: you decide who may act for you.
test-server = This is a test server. Nothing here is protected: use no password and no data that matter to you.
form-too-old = This page was open for too long. Nothing was lost: please send it again.
error-summary = That did not work

kind-application = Application
kind-service = Service
kind-agent = AI agent

status-active = Active
status-suspended = Suspended
status-retired = Retired
status-expired = Expired

until = Until
since = Since

moment = { $day } { $month } { $year }, { $time } UTC
month-january = January
month-february = February
month-march = March
month-april = April
month-may = May
month-june = June
month-july = July
month-august = August
month-september = September
month-october = October
month-november = November
month-december = December

duration-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
duration-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
duration-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
duration-less-than-a-minute = less than a minute

home-title = Home
home-heading = You decide who may act for you
home-intro = This server signs people in and lets them give an application or an AI agent a part of what they may do: for one task, for as long as it takes, and with an end that is one click away.
home-account = See what you allowed
home-account-hint = and end it, at any time
home-for-developers = For developers
home-issuer = Issuer
home-metadata-openid = OpenID Connect metadata
home-metadata-oauth = OAuth metadata

error-title = Error
error-code-label = Error code
error-description-label = For the developer
error-request-label = Request
error-request-hint = Name this number when you ask for help.
error-home = To the start page

error-request-refused = This request cannot be trusted
error-request-refused-advice = The application that sent you here made a mistake, or somebody else made up the link. Nothing was shared and nothing was allowed. Go back to the application and begin again.
error-link-used = This link no longer works
error-link-used-advice = It can be used once and only for a short time. If you did not use it yourself, tell whoever sent it to you, and ask for a new one.
error-no-longer-waiting = Nothing is waiting here any more
error-no-longer-waiting-advice = You have answered it already, perhaps in another window, or it took too long. Go back to the application and begin again.
error-form-refused = This form was not accepted
error-form-refused-advice = It was open for too long, or it did not come from this site. Go back, load the page again and send it once more.
error-not-allowed = This page is not for your account
error-not-allowed-advice = If you need it, ask an administrator.
error-not-found = There is no such page
error-not-found-advice = Please check the address.
error-too-many = Too many requests
error-too-many-advice = Wait a minute, then try again.
error-broken = Something is broken on our side
error-broken-advice = It is not your fault. Nothing was allowed. Please try again in a moment.
