"""The document of an origin: traits, consent, memberships and signals, each entry with event time and stamp.

The entry of a name with the greatest (time, stamp) wins; entries of different names are independent, so documents
merge name by name.
"""

from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct

from identity.values.stamps import Micros, Stamp

Stamped = tuple[Any, Micros, Stamp]
"""A value with its event time and stamp; the greatest (time, stamp) wins."""


MAX_KEYS = 2_000
MAX_SIZE = 128 * 1024
# The room for decisions in a document that is full of traits: a person's denial has to find room.
SPARE_KEYS = 200
SPARE_SIZE = 16 * 1024
# The room for what servers send in a document that public calls have filled.
SERVER_KEYS = 1_000
SERVER_SIZE = 64 * 1024
_STAMPS = 24  # the bytes of a time, a stamp and their frame in a sealed document

_encode = msgspec.json.encode

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


class DeviceStatements(Struct):
    """What the public calls of one device state on consent: decisions by category, and signals."""

    consent: dict[str, Stamped] = {}
    signals: dict[str, Stamped] = {}


class Document(Struct):
    """The document of one origin.

    A trait of None is a tombstone, a membership of False a departure. `server_traits` are the values of server keys
    that come before those of public keys, and `orders` the orders of the traits whose newest value does not survive
    (`planning.resolution.rules.trait_rules`). `consent` are decisions from public keys, `server_decisions` those from
    server-side and privacy keys, `signals` statements on classes of purposes (`planning.consent.statements`).
    `devices` are the statements of public calls by the tag of their device (`planning.consent.devices`); what older
    releases stored of them is in `consent` and `signals`. `size` is the sum of `cost` over all entries.
    """

    traits: dict[str, Stamped] = {}
    consent: dict[str, Stamped] = {}
    groups: dict[str, Stamped] = {}
    size: int = 0
    server_decisions: dict[str, Stamped] = {}
    signals: dict[str, Stamped] = {}
    server_traits: dict[str, Stamped] = {}
    orders: dict[str, Order] = {}
    devices: dict[str, DeviceStatements] = {}

    def note_order(self, name: str, order: Order | None) -> None:
        """Name the order of a trait; None: the newest value first."""
        if order is None:
            self.orders.pop(name, None)
        else:
            self.orders[name] = order

    @property
    def sections(self) -> tuple[dict[str, Stamped], ...]:
        """The entries by kind."""
        own = (self.traits, self.consent, self.groups, self.server_decisions, self.signals, self.server_traits)
        if not self.devices:
            return own
        stated = sorted(self.devices.items())
        return (*own, *(entries for _, each in stated for entries in (each.consent, each.signals)))


def cost(name: str, value: object) -> int:
    """The bytes that an entry adds to the size of a document."""
    return len(name.encode()) + len(_encode(value)) + _STAMPS


def has_room(document: Document, size: int, *, spare: bool = False, server: bool = False) -> bool:
    """Whether a document has room for one more key of this size.

    `server`: of a server, for which no public call uses up the room.
    """
    keys, room = MAX_KEYS, MAX_SIZE
    if spare:
        keys, room = keys + SPARE_KEYS, room + SPARE_SIZE
    if server:
        keys, room = keys + SERVER_KEYS, room + SERVER_SIZE
    return sum(map(len, document.sections)) < keys and document.size + size <= room
