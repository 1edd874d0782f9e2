"""Says what a feature's value was made of: `python -m operate explain FEATURE KEY DATE`.

`features` finds what is asked for; `events`, `orders`, `emails`, `histories` and `pairs` the facts that there were, and
why each counted or did not; `customers`, `products` and `pairs` what they add up to; `places` the landed records that
they come from. `show` prints it, `command` is the command.
"""
