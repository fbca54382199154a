# Stopping agents, and ending what somebody holds.

ending-title = End
ending-agent = Stop this agent
ending-agent-hint = You are asked once more, and told what ends.
ending-since = Stopped by an administrator since
ending-suspend = Suspend
ending-resume = Resume
ending-retire = End for good
ending-user = End everything of theirs
ending-owner = Suspend their agents
ending-column = End
ending-cancel = Do nothing
ending-back = Back

ending-suspend-question = Suspend this agent?
ending-suspend-meaning = { $name } may not act until an administrator resumes it, also after a restart.
ending-resume-question = Resume this agent?
ending-resume-meaning = { $name } may act again.
ending-retire-question = End this agent for good?
ending-retire-meaning = { $name } may never act again. This cannot be undone.
ending-user-question = End everything of this person’s?
ending-user-meaning = Everything that { $name } allowed, began or holds here ends now.
ending-owner-question = Suspend all agents of this person?
ending-owner-meaning = The agents that { $name } answers for may not act until an administrator resumes them.

ending-line-consents = Every consent for it ends, with all tasks under it.
ending-line-tokens = Its tokens end, and with them every token that other agents derived from them.
ending-line-pending = Codes that it did not redeem, requests that it pushed and questions that it put to people are void.
ending-line-local = Whoever accepts tokens without asking this server may accept some until they are over by themselves.
ending-line-anew = What ended when it was suspended stays ended. People have to allow it anew.
ending-line-sessions = They are signed out in every browser, and the applications are told.
ending-line-user-consents = Every consent of theirs ends, with all tasks under it.
ending-line-user-tokens = Every token that carries their authority ends, whichever application or agent has it.
ending-line-user-pending = Codes, questions that wait for their answer and links for a new password are void.
ending-line-account = The account itself stays: they can sign in again.

ending-done = Done
ending-suspend-done = { $name } is suspended.
ending-resume-done = { $name } is resumed.
ending-retire-done = { $name } is ended for good.
ending-user-done = Everything of { $name } has ended.
ending-owner-done = The agents of { $name } are suspended.
ended-under-way = There is so much that not all of it could be marked as ended yet. It is all refused already; the rest is done within a minute or two.
ended-intro = This was ended:
ended-nothing = There was nothing else to end.
ended-agents = { $count ->
    [one] { $count } agent stopped
   *[other] { $count } agents stopped
}
ended-sessions = { $count ->
    [one] { $count } session
   *[other] { $count } sessions
}
ended-consents = { $count ->
    [one] { $count } consent
   *[other] { $count } consents
}
ended-tasks = { $count ->
    [one] { $count } task
   *[other] { $count } tasks
}
ended-tokens = { $count ->
    [one] { $count } token
   *[other] { $count } tokens
}
ended-pending = { $count ->
    [one] { $count } code or request
   *[other] { $count } codes or requests
}

ending-disable = Disable
ending-disable-question = Disable this account?
ending-disable-meaning = { $name } cannot sign in until an administrator enables the account, also after a restart.
ending-disable-done = The account of { $name } is disabled.
ending-line-disabled = Whoever tries to sign in with it is told no more than for a wrong password.
ending-enable = Enable
ending-enable-question = Enable this account?
ending-enable-meaning = { $name } can sign in again.
ending-enable-done = The account of { $name } is enabled.
ending-line-enable-anew = What ended when it was disabled stays ended. It has to be allowed anew.
ending-consent-question = End this consent?
ending-consent-meaning = { $name } may not act under it any more. This cannot be undone.
ending-consent-done = The consent for { $name } has ended.
ending-line-consent-tasks = Every task under it ends, with all its parts.
ending-line-derived = Every token that comes from it ends, whichever application or agent has it, and codes that were not redeemed.
ending-task-question = End this task?
ending-task-meaning = { $name } may not go on with it. This cannot be undone.
ending-task-done = The task of { $name } has ended.
ending-line-parts = Every part of it that was given to others ends.

admin-tasks = Open tasks
admin-tasks-empty = No task is open.
admin-task = Task
admin-user-state = Account
admin-user-enabled = Enabled
admin-user-disabled = Disabled

# One thing: what an administrator sees of it, and its end.

ending-end = End
ending-task-suspend-question = Suspend this task?
ending-task-suspend-meaning = { $name } can do nothing for it until an administrator resumes it. What it has for it works again then.
ending-task-suspend-done = The task of { $name } is suspended.
ending-task-resume-question = Resume this task?
ending-task-resume-meaning = { $name } may go on with it.
ending-task-resume-done = The task of { $name } is resumed.
ending-token-question = End this token?
ending-token-meaning = { $name } cannot use it any more. This cannot be undone.
ending-token-done = A token of { $name } has ended.
ending-family-question = End this refresh family?
ending-family-meaning = { $name } gets no token by it any more. This cannot be undone.
ending-family-done = A refresh family of { $name } has ended.
ending-instance-question = End this instance for good?
ending-instance-meaning = This instance of { $name } may never act again. This cannot be undone.
ending-instance-done = An instance of { $name } has ended for good.
ending-line-parts-rest = Every part of it that was given to others rests with it.
ending-line-parts-go-on = Parts that rest because of it alone go on with it.
ending-line-token-derived = Every token that was derived from it ends, whoever has that.
ending-line-token-again = Where there is a refresh token, another can be had. End the refresh family, the task or the consent to stop that too.
ending-line-family-tokens = Its refresh tokens end, the access tokens that came with them, and every token that was derived from these, whoever has that.
ending-line-instance-tokens = The tokens that it got end, and those in which it acts, with every token that was derived from these.
ending-line-instance-pending = Codes that it did not redeem, requests that it pushed and questions that it put to people are void.
ending-line-instance-others = Other instances go on.
ended-took = { $count ->
    [0] It took less than a millisecond.
    [one] It took { $count } millisecond.
   *[other] It took { $count } milliseconds.
}

admin-consent = Consent
admin-consent-heading = Consent for { $name }
admin-consent-stands = Stands
admin-consent-allowed = What was allowed
admin-consent-claims = Claims
admin-consent-how-far = How far
admin-consent-offline = goes on while this person is away
admin-consent-by = Allowed by
admin-consent-brought-by = On the word of
admin-consent-end = End this consent
admin-task-heading = Task of { $name }
admin-task-for = Done for
admin-task-derived = Tokens derived
admin-task-parts = Its parts
tasks-more = There are more; these are the first hundred.
task-hand-actor = by its agent
task-hand-giver = by the agent that gave it this part
task-hand-user = by the person it is done for
task-hand-admin = by an administrator

held-families = Refresh families
held-families-hint = Who may get new tokens again and again, and until when.
held-tokens = Live tokens
held-hint = The newest first. A token is known here by its id alone.
held-empty = No token lives here.
held-more = There are more: only the newest hundred are shown. Ending what they hang on ends them all.
held-by = Held by
held-kind = Kind
held-way = Way
held-bound = Bound to
held-since = Issued
token-kind-access = Access token
token-kind-refresh = Refresh token
token-kind-id = ID token
token-kind-foreign = From a trusted issuer
token-kind-assertion = Grant for another server
token-kind-transaction = Transaction token
bound-key = A key
bound-certificate = A certificate
bound-client = Its client
bound-nothing = Nothing

instances = Instances
instances-hint = Its running copies, as far as tokens of theirs are kept.
instances-more = There are more: only the hundred that were seen last are shown.
instance = Instance
instance-first = First seen
instance-last = Last seen
instance-tokens = Live tokens
instance-active = Active
instance-ended = Ended
