"""The main job: from a call as it arrived to a unified profile.

`read_in` makes calls of bodies, `gather` collects them into batches, `commit` takes a batch
through load, plan and apply, `opening` and `sealing` stand between rows and plain values.
"""
