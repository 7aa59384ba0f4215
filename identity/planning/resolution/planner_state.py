"""What a plan is made from: the rows around a batch of calls, as values.

A `PlannerState` is loaded for one plan and belongs to it: planning changes it in place while it
walks through the calls, so that each call sees what the ones before it did. Nothing else may
keep a reference to it.
"""

from collections.abc import Set as AbstractSet

from msgspec import Struct

from identity.values.calls import Call
from identity.values.documents import Document


class Window(Struct):
    """The newest `size` identifiers of a windowed type: key -> last seen (event time)."""

    size: int
    seen: dict[bytes, int]


class Counters(Struct):
    """How many identifiers a profile holds: of its own, or folded over its origins on the root.

    `types` counts those that are not retired; `live` names the user ids among them. The last
    three are only kept on a root: its windows, and per cut how many identifiers it holds on each
    side.
    """

    types: dict[str, int]
    live: list[bytes]
    origins: int = 1
    windows: dict[str, Window] = {}
    cuts: dict[bytes, tuple[int, int]] = {}

    @property
    def total(self) -> int:
        """All identifiers that are not retired."""
        return sum(self.types.values())


class Profile(Struct):
    """One origin. `canonical`, `oldest_birth`, `folded` mean something only on a root.

    `oldest_birth` is the `created` of the canonical profile. A root that was merged away keeps `joined_to`
    and `joined_at` for ever.
    """

    id: bytes
    created: int
    root: bytes
    canonical: bytes
    oldest_birth: int
    own: Counters
    folded: Counters
    version: int = 0
    stamp: int = 0
    events: int = 0
    joined_to: bytes | None = None
    joined_at: int | None = None


class Sighting(Struct):
    """A set of identifiers seen together at one origin: how often, on how many days, by whom."""

    count: int
    days: int
    last_day: int
    sources: tuple[int, ...]


class GroupState(Struct):
    """A group: an id of its own and what group calls told of it (traits only)."""

    id: bytes
    name: str
    document: Document
    version: int = 0


class PlannerState(Struct):
    """Everything a plan may look at; what is not in it does not exist.

    `owners`: key of an identifier -> its origin. `profiles`: those origins and their roots.
    `documents`: of origins; one that is missing is empty. `messages`: those accepted before.
    `suppressed` and `blocked` hold keys of identifiers, `cuts` key -> (cut, side) pairs. `erased` are
    keys with the moment up to which calls of theirs are passed over: those of people who were erased.
    """

    owners: dict[bytes, bytes] = {}
    profiles: dict[bytes, Profile] = {}
    documents: dict[bytes, Document] = {}
    sightings: dict[tuple[bytes, bytes], Sighting] = {}
    accounts: dict[bytes, GroupState] = {}
    messages: set[bytes] = set()
    suppressed: set[bytes] = set()
    erased: dict[bytes, int] = {}
    blocked: set[bytes] = set()
    cuts: dict[bytes, list[tuple[bytes, int]]] = {}
    stamp: int = 0

    def hidden(self, call: Call) -> AbstractSet[bytes]:
        """The identifiers that this call must leave no trace of.

        Of people who were erased those, if it is no later than that; what is imported as history is
        put there on purpose, and comes late by nature.
        """
        if not self.erased or call.history:
            return self.suppressed
        return self.suppressed | {key for key, until in self.erased.items() if call.time <= until}

    def root_of(self, key: bytes) -> Profile | None:
        """The root of the canonical profile that holds this identifier, if it is known."""
        origin = self.owners.get(key)
        if origin is None:
            return None
        return self.profiles[self.profiles[origin].root]
