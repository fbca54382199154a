# The consent page.

consent-title = Allow or deny
consent-who-application = { $client } wants access to your account
consent-who-agent = { $actor }, an AI agent, wants to act for you
consent-who-service = { $actor }, a service, wants to act for you
consent-who-application-for-agent = { $client } wants to let the AI agent { $actor } act for you
consent-who-application-for-service = { $client } wants to let the service { $actor } act for you
consent-you = You
consent-asked-by = { $name } asks

consent-actor-owner = { $name } answers for it.
consent-actor-expires = Registered until

consent-task = What for
consent-task-reference = Reference
consent-task-done = Done when
consent-task-limits = Limits

consent-what = What you allow
consent-what-hint = Untick whatever you do not want to allow.
consent-nothing-left = Nothing is left to allow. Tick at least one entry, or deny.
consent-too-weak = This can only be allowed by somebody who signed in with a second factor or a passkey. Add one under “Security” in your account and sign in again, or deny.
consent-always = always part of it
consent-nothing-more = Only that you signed in, and nothing of your account.
consent-resources = Where

consent-standing = What you allowed already
consent-standing-hint = It stays allowed, whatever you choose below. What you allow now is added to it.
consent-standing-until = All of it ends together:
consent-standing-replaced = What you allowed until now
consent-standing-replaced-hint = If you allow what is asked below, it takes the place of this. Everything that was begun with it ends.
consent-stays = Stays allowed
consent-goes = Not allowed any more
consent-new = New
consent-already = Allowed already
consent-inseparable = This part cannot be added alone: together with what you allowed already it would allow more than either. Tick all entries, or deny.

risk-low = Low risk
risk-medium = Medium risk
risk-high = High risk

consent-how-long = How long and how far
consent-until = Allowed for
consent-passing-on = { $count ->
    [one] May hand parts of this to one further agent
   *[other] May hand parts of this to at most { $count } further agents, one after the other
}
consent-passing-on-hint = Each gets at most what you allow here, and never more.
consent-offline-access = May go on while you are away
consent-offline-access-hint = Also when you are signed out, until the end above.

consent-then-label = What happens then
consent-then = You can end this at any time under “What you allowed” in your account. If you deny, nothing is shared.
consent-return = Either way you go back to { $name }.
consent-approve = Allow
consent-deny = Deny

# The claims about a person that can be asked for by name.

consent-claims = It will also see
claim-name = Your full name
claim-family-name = Your family name
claim-given-name = Your given name
claim-middle-name = Your middle name
claim-nickname = Your nickname
claim-preferred-username = Your user name
claim-profile = Your profile page
claim-picture = Your picture
claim-website = Your web site
claim-gender = Your gender
claim-birthdate = Your date of birth
claim-zoneinfo = Your time zone
claim-locale = Your language
claim-updated-at = When your data was last changed
claim-email = Your e-mail address
claim-email-verified = Whether your e-mail address was checked
claim-address = Your postal address
claim-phone-number = Your telephone number
claim-phone-number-verified = Whether your telephone number was checked
