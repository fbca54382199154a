# Questions that come from elsewhere: devices with a code, and clients that ask from afar.

account-waiting = { $count ->
    [one] One question waits for your answer
   *[other] { $count } questions wait for your answer
}
account-approvals = Questions from elsewhere

device-title = Connect a device
device-heading = Connect a device
device-intro = Enter the code that your device shows.
device-code = Code
device-code-hint = Eight letters. Capitals and dashes do not matter.
device-warning = Nobody else needs this code from you, and nobody should send you one. Enter only what a device of your own shows right now.
device-submit = Continue
device-wrong = There is no such code, or its time is over. Compare it with your device, or begin again there.
device-too-many = There were too many codes that do not exist. Please wait a minute and try again.
device-allowed = Done
device-allowed-words = You can go back to your device: { $name } now has what you allowed.
device-denied = Nothing was allowed
device-denied-words = { $name } got nothing. You can close this page.

afar-device = A device is asking
afar-device-only-if = Allow this only if you started it yourself, and the device in front of you shows this very code.
afar-backchannel = You are being asked from elsewhere
afar-binding-message = Whoever asks must show you these words too:
afar-backchannel-only-if = Allow this only if you know why you are asked right now. If not, deny.
afar-asked-at = Asked at
afar-from = Asked from the network address
afar-from-here = the same as yours now
afar-from-elsewhere = another one than yours now
afar-then = Whoever asked is told your answer.

question-mail-subject = A question waits for your answer
question-mail-hello = Hello { $name },
question-mail-asks = { $name } asks for your permission to:
question-mail-agent-asks = { $name }, an AI agent, asks for your permission to:
question-mail-binding-message = It must show you these words too: “{ $message }”
question-mail-look = Sign in to read the whole question, and to allow or deny it:
question-mail-only-if = Allow it only if you know why you are asked right now. If you do not know, deny, or do nothing: without your answer nobody gets anything.

approvals-title = Questions from elsewhere
approvals-heading = Questions from elsewhere
approvals-intro = Applications and agents that ask for your word while you are not with them.
approvals-empty = Nothing waits for you
approvals-empty-hint = When somebody asks for your word from elsewhere, the question stands here until its time is over.
approvals-look = Look at it
approvals-binding-message = With the words
approvals-allowed = Allowed: { $name } is told.
approvals-denied = Denied: { $name } got nothing.
approvals-code-heading = Your code against unwanted questions
approvals-code-intro = With a code of your own, only those can ask you from elsewhere whom you told it.
approvals-code = Code
approvals-code-hint = At least 4 characters. It is no password, and cannot allow anything.
approvals-code-submit = Set the code
approvals-code-remove = Do without a code
approvals-code-is-set = A code is set. Whoever does not send it cannot ask you.
approvals-code-set = The code is set.
approvals-code-removed = There is no code any more.
approvals-code-refused = The code needs at least 4 characters, and at most 128.

# A token request that waits for a person's approval.

approval-title = Approve an action
approval-heading-you = { $name } wants to do this for you, and needs your approval
approval-heading-other = { $name } wants to do this for { $subject }, and needs your approval
approval-heading-itself = { $name } wants to do this on its own account, and needs your approval
approval-intro = You are asked because actions like this one need the word of a person each time.
approval-what = What exactly
approval-where = At
approval-way = Who asks for whom
approval-way-hint = From whom the authority comes, and through whose hands it goes. Whoever asks cannot approve it.
approval-then = { $count ->
    [one] If you approve, exactly this is allowed, once, and for one minute at most. If anything about it changes, you are asked again.
   *[other] If you approve, exactly this is allowed, once, and for { $count } minutes at most. If anything about it changes, you are asked again.
}
approval-lapses = If you do nothing, it lapses, and nobody gets anything.
approval-until = Lapses at
approval-approve = Approve once
approval-as-owner = You are asked as the owner of the agent.
approval-as-manager = You are asked as the manager of the person whose permissions it uses.
approval-changed = What is asked has changed since you opened this page. Nothing was approved. Please look at it once more.
approval-mail-subject = An action waits for your approval
approval-mail-for = It would be done for { $name }.
approval-destination = Where it goes
approval-other-domain = It is passed on to { $name }, a server of another domain. That server then decides what is allowed there, and you cannot end it here.
approval-other-domain-who = It is passed on to { $name }, a server of another domain, and tells it who the user is. That server then decides what is allowed there, and you cannot end it here.
approval-trust-domain = It goes along from service to service of { $name }, for this transaction.
approval-mail-other-domain = It would be passed on to another domain: { $name }.
approval-mail-trust-domain = It would go along from service to service of { $name }.
