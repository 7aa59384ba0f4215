"""The plan of a batch: the effects of its calls as values, in the order of the calls.

A plan holds plain personal data and never outlives its batch. Sealing turns a plan into rows, and the store
writes them.
"""

from msgspec import Struct

from identity.planning.resolution.planner_state import GroupState, Profile, Sighting
from identity.values.calls import Call, Identifier, Outcome
from identity.values.documents import Document
from identity.values.enums import FeedOperation, HistoryKind
from identity.values.ids import BlindIndex, ProfileId, SetKey
from identity.values.stamps import Micros, Stamp


class Gained(Struct):
    """An identifier that becomes known; `linked_at` is the stamp of the call.

    The identifier stays with `origin` until a removal, an unmerge or a takeover. `unproven`: public keys alone have
    linked it, and the rules ask for proof.
    """

    identifier: Identifier
    origin: ProfileId
    source: int
    linked_at: Stamp
    first_seen: Micros
    last_seen: Micros
    retired: bool = False
    unproven: bool = False


def widen(gained: Gained, first: Micros, last: Micros) -> None:
    """Count more event times of an identifier: its first is the earliest and its last the latest of all."""
    gained.first_seen, gained.last_seen = min(gained.first_seen, first), max(gained.last_seen, last)


class RecordedCall(Struct):
    """An accepted call, as evidence or as a plain event, at its origin."""

    origin: ProfileId
    stamp: Stamp
    call: Call
    kept: list[BlindIndex]
    demoted: list[tuple[BlindIndex, str]]


class HistoryNote(Struct):
    """One line of history, at the origin that holds the evidence of the call.

    `other` is the canonical id that a merge ends, or that of the other side of an unmerge.
    """

    origin: ProfileId
    stamp: Stamp
    kind: HistoryKind
    keys: list[BlindIndex]
    other: ProfileId | None = None
    reasons: list[str] = []


class MembershipChange(Struct):
    """The new membership of an origin in a group."""

    group_key: bytes
    origin: ProfileId
    member: bool
    time: Micros
    stamp: Stamp


class FeedChange(Struct):
    """One entry of the feed, planned by a call or a correction: a change that a destination can see.

    `other` is the id that a merge ends or that an unmerge restores.
    """

    op: FeedOperation
    profile: ProfileId
    version: int
    stamp: Stamp
    other: ProfileId | None = None


class Plan(Struct):
    """The effects of a batch. `outcomes` keep the order of its calls.

    `created` and `touched` are the origins that the plan changes or reads, `recounted` those with changed
    counters. `moved` maps a root that loses a merge to the new root of its origins. `assumes_unknown`: a decision
    depends on an identifier that no profile holds and that the plan does not link, or the plan takes over another.
    Another batch could link the identifier before this plan commits, or know its former origin, so this plan may commit
    only while the space lock is held alone. `seen` holds
    the first and the last event time of an identifier in this plan, by origin and key. `withdrawn` are the stamps of
    the calls that withdraw consent. `detached` are the stored links (origin, key) that a server key takes over, and
    `gained` has them at their new origin.
    """

    outcomes: list[Outcome] = []
    created: dict[ProfileId, Profile] = {}
    touched: dict[ProfileId, Profile] = {}
    recounted: set[ProfileId] = set()
    moved: dict[ProfileId, ProfileId] = {}
    gained: list[Gained] = []
    seen: dict[tuple[ProfileId, BlindIndex], tuple[Micros, Micros]] = {}
    retired: list[tuple[ProfileId, BlindIndex]] = []
    detached: list[tuple[ProfileId, BlindIndex]] = []
    documents: dict[ProfileId, Document] = {}
    sightings: dict[tuple[ProfileId, SetKey], Sighting] = {}
    evidence: list[RecordedCall] = []
    events: list[RecordedCall] = []
    history: list[HistoryNote] = []
    memberships: dict[tuple[bytes, ProfileId], MembershipChange] = {}
    groups: dict[bytes, GroupState] = {}
    upserts: dict[ProfileId, FeedChange] = {}
    merges: list[FeedChange] = []
    message_keys: set[bytes] = set()
    forced: list[RecordedCall] = []
    confirmed: list[RecordedCall] = []
    withdrawn: set[Stamp] = set()
    assumes_unknown: bool = False
