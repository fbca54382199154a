# The account page.

account-title = What you allowed
account-heading = What you allowed
account-intro = Who may act for you now, what they may do, and until when.
account-just-ended = Ended: { $name } can do nothing for you any more.
account-empty = Nobody may act for you
account-empty-hint = When you allow something, it stands here, and you can end it here.
account-through = asked through { $name }
account-what = May
account-passing-on = { $count ->
    [one] may be passed on to one further agent
   *[other] may be passed on to at most { $count } further agents
}
account-offline-access = goes on while you are away
account-tasks = Tasks
account-task-no-purpose = Without a stated purpose
account-tokens = In use now
account-token-count = { $count ->
    [one] 1 live token
   *[other] { $count } live tokens
}
account-no-tokens = Nothing is in use right now.
account-open = Open
account-end = End
account-ended = { $count ->
    [one] 1 that ended
   *[other] { $count } that ended
}
account-ended-revoked = Ended
account-ended-time-over = Time was over
you = You

task-active = Active
task-suspended = Suspended
task-completed = Done
task-revoked = Ended
task-expired = Time over

task-suspend = Suspend
task-resume = Resume
task-revoke = End
task-part-of = Part of
task-rests-above = with the task that it is a part of
task-parts-too = These parts of it, too:
task-suspend-question = Suspend this task?
task-suspend-meaning = { $name } can do nothing for this task until you resume it. What it has for it works again then.
task-resume-question = Resume this task?
task-resume-meaning = { $name } may go on with this task.
task-revoke-question = End this task?
task-revoke-meaning = { $name } can do nothing for this task any more. This cannot be undone. What else you allowed stays.
task-suspend-done = Suspended: { $name } can do nothing for this task until you resume it.
task-resume-done = Resumed: { $name } may go on with this task.
task-revoke-done = Ended: { $name } can do nothing for this task any more.
