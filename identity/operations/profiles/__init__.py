"""Reads profiles, their history and their evidence, natively and in the shapes of Segment's Profile API.

Invariant: nothing is cached, so a read sees every commit before it.
"""
