"""The use cases of Onefold, cut by capability: one verb a module.

Every operation has the same four beats: read the input, load under locks, plan (pure), write. An operation of one
capability never calls an operation of another one, except to read profiles.
"""
