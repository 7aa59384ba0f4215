"""The outside of Onefold: HTTP, the command line, settings and composition. Nothing here decides about identities."""

import gc

# A process loads a thousand modules that stay, and a batch makes thousands of values that form no cycle: garbage
# collection as often as by default costs a fifth of each start and doubles the cost of a call (measured).
gc.set_threshold(50_000, 20, 100)
