"""The input of a plan: the rows that a batch of calls refers to, as values.

A `PlannerState` belongs to one plan; nothing else may keep a reference to it. Planning changes the state in place,
so that each call sees the effects of the calls before it.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from identity.values.calls import Call
from identity.values.documents import Document
from identity.values.enums import UnlinkedReason
from identity.values.ids import BlindIndex, GroupRowId, ProfileId, SetKey
from identity.values.stamps import Micros, Stamp


class Window(Struct):
    """The newest `size` identifiers of a windowed type: key -> last seen (event time)."""

    size: int
    seen: dict[BlindIndex, int]


class Counters(Struct):
    """How many identifiers an origin holds itself, or (folded, on a root) together with its other origins.

    `types` counts identifiers that are not retired; `live` are the user ids among them, `unproven` those that public
    keys alone have linked, with their types, as far as the rules ask for proof. Only a root keeps `origins`, `windows`
    and `cuts`: for each cut, how many identifiers the root holds on each side.
    """

    types: dict[str, int]
    live: list[BlindIndex]
    unproven: dict[BlindIndex, str] = {}
    origins: int = 1
    windows: dict[str, Window] = {}
    cuts: dict[bytes, tuple[int, int]] = {}

    @property
    def total(self) -> int:
        """The number of identifiers that are not retired."""
        return sum(self.types.values())

    def proven(self, type_: str) -> bool:
        """Whether a server key has linked an identifier of a type."""
        count = self.types.get(type_, 0)
        return count > 0 and count > sum(each == type_ for each in self.unproven.values())


class Profile(Struct):
    """One origin. `canonical`, `oldest_birth` and `folded` are valid only on a root.

    `oldest_birth` is the `created` of the canonical profile. A root that loses a merge keeps `joined_to` and
    `joined_at` forever.
    """

    id: ProfileId
    created: Stamp
    root: ProfileId
    canonical: ProfileId
    oldest_birth: Stamp
    own: Counters
    folded: Counters
    version: int = 0
    stamp: Stamp = Stamp(0)
    events: int = 0
    joined_to: ProfileId | None = None
    joined_at: Stamp | None = None


class Sighting(Struct):
    """A set of identifiers seen together at one origin: `seen` times, on how many days, from which sources.

    `first_seen` and `last_seen` are the earliest and the latest event time.
    """

    seen: int
    days: int
    last_day: int
    first_seen: Micros
    last_seen: Micros
    sources: tuple[int, ...]


Sightings = dict[tuple[ProfileId, SetKey], Sighting]
"""Sightings by origin and set of identifiers."""


class GroupState(Struct):
    """A group: the id of its row, its `groupId` in calls, and the traits from group calls."""

    id: GroupRowId
    group_id: str
    document: Document
    version: int = 0


class PlannerState(Struct):
    """Everything a plan reads; a row that is not in the state does not exist for the plan.

    `owners` maps the key of an identifier to its origin. `profiles` are those origins and their roots,
    `documents` the documents of origins (a missing one is empty), `message_keys` those of the messages accepted before.
    `suppressed` and `blocked` hold keys of identifiers, `cuts` maps a key to its (cut, side) pairs. `erased` maps
    the keys of erased people to the moment up to which their calls are ignored. `lock_stamp` is the stamp of the space
    lock. `under_hold` are the roots of the people under a litigation hold, loaded where a call takes a profile out of a
    group or may take an identifier over (`may_part`). `decided_joins` are the ids of joins that a call confirms, and
    that wait no more; None where stored calls are planned again, which were decided in their time.
    """

    owners: dict[BlindIndex, ProfileId] = {}
    profiles: dict[ProfileId, Profile] = {}
    documents: dict[ProfileId, Document] = {}
    sightings: Sightings = {}
    groups: dict[bytes, GroupState] = {}
    message_keys: set[bytes] = set()
    suppressed: set[BlindIndex] = set()
    erased: dict[BlindIndex, int] = {}
    blocked: set[BlindIndex] = set()
    cuts: dict[BlindIndex, list[tuple[bytes, int]]] = {}
    decided_joins: set[str] | None = None
    lock_stamp: Stamp = Stamp(0)
    under_hold: set[ProfileId] = set()

    def hidden(self, call: Call) -> AbstractSet[BlindIndex]:
        """The identifiers that this call must leave no trace of.

        The identifiers of erased people belong to them where the call is not later than the erasure. A call
        imported as history is late by nature and sent on purpose, so erasures do not apply to it. A departure from a
        group is no call about the person, so nothing is hidden of it.
        """
        if call.kind == "leave":
            return frozenset()
        if not self.erased or call.history:
            return self.suppressed
        return self.suppressed | {key for key, until in self.erased.items() if call.time <= until}

    def hidden_reason(self, key: BlindIndex) -> UnlinkedReason:
        """Why a call must leave no trace of an identifier: suppressed, or older than an erasure of the person."""
        return UnlinkedReason.SUPPRESSED if key in self.suppressed else UnlinkedReason.BEFORE_ERASURE

    def may_part(self, calls: Sequence[Call]) -> bool:
        """Whether these calls may take a person out of a group, or an identifier from a person: a hold forbids both."""
        if any(call.kind == "leave" for call in calls):
            return True
        speaking = (call for call in calls if call.source.server or call.proof)
        named = {each.key for call in speaking for each in call.identifiers if call.vouches_for(each)}
        if not named:
            return False
        # What a public key claims in these calls, a server key may take over in them.
        claimed = {each.key for call in calls if not call.source.server for each in call.identifiers}
        claims = (profile.folded.unproven for profile in self.profiles.values())
        return not named.isdisjoint(claimed) or any(not named.isdisjoint(keys) for keys in claims)

    def is_under_hold(self, call: Call) -> bool:
        """Whether a call takes a person under a litigation hold out of a group."""
        if call.kind != "leave" or not self.under_hold:
            return False
        roots = (self.root_of(identifier.key) for identifier in call.identifiers)
        return any(root is not None and root.id in self.under_hold for root in roots)

    def root_of(self, key: BlindIndex) -> Profile | None:
        """The root of the canonical profile that holds this identifier, if it is known."""
        origin = self.owners.get(key)
        if origin is None:
            return None
        return self.profiles[self.profiles[origin].root]
