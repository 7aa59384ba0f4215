"""Consent signals that others wrote, decoded strictly: a signal that cannot be parsed never grants.

Each decoder takes any object and returns a frozen value or raises BadSignal, nothing else, after
work that is bounded by the length it accepts. What a value says of classes of purposes is told by
a function beside its decoder, as a mapping: True granted, False denied, absent no statement.
Only TCF and Google consent mode can grant; all others deny or state nothing.
"""
