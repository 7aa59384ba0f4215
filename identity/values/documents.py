"""The document of an origin: traits, consent, memberships and signals, each entry with event time and stamp.

The entry of a name with the greatest (time, stamp) wins; entries of different names are independent, so documents
merge name by name.
"""

from typing import Any, Literal, NamedTuple

from msgspec import Struct

from identity.values.stamps import Micros, Stamp

Stamped = tuple[Any, Micros, Stamp]
"""A value with its event time and stamp; the greatest (time, stamp) wins."""


Order = Literal["oldest", "min", "max"]
"""The orders of the values of a trait beside the newest first, which a document names for its traits."""


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

    A trait of None is a tombstone, a membership of False a departure. `server_traits` are the values of server keys
    that come before those of public keys, and `orders` the orders of the traits whose newest value does not survive
    (`planning.resolution.rules.trait_rules`). `consent` are decisions from public keys, `server_decisions` those from
    server-side and privacy keys, `signals` statements on classes of purposes (`planning.consent.statements`).
    `size` is the sum of `planning.resolution.fold_documents.cost` over all entries.
    """

    traits: dict[str, Stamped] = {}
    consent: dict[str, Stamped] = {}
    groups: dict[str, Stamped] = {}
    size: int = 0
    server_decisions: dict[str, Stamped] = {}
    signals: dict[str, Stamped] = {}
    server_traits: dict[str, Stamped] = {}
    orders: dict[str, Order] = {}

    @property
    def sections(self) -> tuple[dict[str, Stamped], ...]:
        """The entries by kind."""
        return self.traits, self.consent, self.groups, self.server_decisions, self.signals, self.server_traits
