"""Reading: profiles, their history, and the same in the shapes of Segment's Profile API.

Nothing is cached: a read sees what was committed a moment ago, and what was erased is gone.
"""
