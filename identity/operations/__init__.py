"""What Onefold does, a module or package per verb, each in four beats.

Read in, load (locked), plan (pure), apply. Journeys do not import each other.
"""
