"""From the body of a call to a unified profile, committed.

`request` parses bodies into calls, `queue` collects calls into batches, `commit` takes a batch through one
transaction.
"""
