"""Decodes consent signals of third parties strictly: a signal that cannot be parsed never grants.

Each decoder takes any object and returns a frozen value or raises BadSignal, nothing else; its work is
bounded by the length it accepts. `statements`, beside each decoder, maps classes of purposes to True
(granted) or False (denied); an absent class has no statement. Only TCF and Google consent mode grant; all
others deny or state nothing.
"""
