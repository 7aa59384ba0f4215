"""The document of an origin: traits, consent, memberships and signals, each entry with event time and stamp.

The entry of a name with the greatest (time, stamp) wins; entries of different names are independent, so documents
merge name by name.
"""

from typing import Any, NamedTuple

from msgspec import Struct

from identity.values.stamps import Micros, Stamp

Stamped = tuple[Any, Micros, Stamp]
"""A value with its event time and stamp; the greatest (time, stamp) wins."""


class TimedSignal(NamedTuple):
    """A signal of a call before it has a stamp: its value and when the person decided, in microseconds."""

    value: Any
    time: Micros


SERVER = ":server"
"""The suffix of the name of a signal from a server-side or privacy key."""
STATED = "stated"
"""The signal of a complete statement of categories; its value is their names."""
MINOR = "minor"
"""The signal that a person is a minor."""


class Document(Struct):
    """The document of one origin.

    A trait of None is a tombstone, a membership of False a departure. `consent` are decisions from public keys,
    `server_decisions` those from server-side and privacy keys, `signals` statements on classes of purposes
    (`planning.consent.statements`). `size` is the sum of `planning.resolution.fold_documents.cost` over all entries.
    """

    traits: dict[str, Stamped] = {}
    consent: dict[str, Stamped] = {}
    groups: dict[str, Stamped] = {}
    size: int = 0
    server_decisions: dict[str, Stamped] = {}
    signals: dict[str, Stamped] = {}

    @property
    def sections(self) -> tuple[dict[str, Stamped], ...]:
        """The entries by kind."""
        return self.traits, self.consent, self.groups, self.server_decisions, self.signals
