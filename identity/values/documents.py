"""The document of an origin: traits, consent and memberships, each entry with its event time and stamp.

An entry with a greater (time, stamp) replaces an older one; entries of different names never meet.
"""

from typing import Any

from msgspec import Struct

Stamped = tuple[Any, int, int]
"""A value with its event time and its stamp; the greatest (time, stamp) wins."""

SERVER = ":server"
"""Ends the name of a signal that came with a server-side or privacy key."""
STATED = "stated"
"""The signal of a whole statement of categories: the names it spoke of."""
MINOR = "minor"
"""The signal that somebody is a minor."""


class Document(Struct):
    """The document of one origin: traits, consent decisions and memberships, each with its stamps.

    A trait of None is a tombstone, a membership of False a departure. `consent` are decisions that
    came with public keys, `rulings` those of server-side and privacy keys, `signals` statements about
    whole classes of purposes (`planning.statements`). `size` is the sum of `planning.traits.cost` over
    the entries.
    """

    traits: dict[str, Stamped] = {}
    consent: dict[str, Stamped] = {}
    groups: dict[str, Stamped] = {}
    size: int = 0
    rulings: dict[str, Stamped] = {}
    signals: dict[str, Stamped] = {}

    @property
    def sections(self) -> tuple[dict[str, Stamped], ...]:
        """The entries by kind."""
        return self.traits, self.consent, self.groups, self.rulings, self.signals
