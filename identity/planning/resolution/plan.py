"""What a plan says is to be done: values only, in the order the calls were planned.

Sealing turns these into rows; applying writes them. A plan holds plain personal data and never
outlives its batch.
"""

from msgspec import Struct

from identity.planning.resolution.planner_state import GroupState, Profile, Sighting
from identity.values.calls import Call, Identifier, Outcome
from identity.values.documents import Document
from identity.values.enums import FeedOperation, HistoryKind


class Gained(Struct):
    """An identifier that became known; it stays with `origin` until it is removed or split off."""

    identifier: Identifier
    origin: bytes
    source: int
    stamp: int
    first_seen: int
    last_seen: int
    retired: bool = False


class RecordedCall(Struct):
    """An accepted call, as evidence or as a plain event, at the origin it landed on."""

    origin: bytes
    stamp: int
    call: Call
    kept: list[bytes]
    demoted: list[tuple[bytes, str]]


class HistoryNote(Struct):
    """One line of history, at the origin a call landed on, where its evidence lies.

    `other` is the canonical id that a merge did away with, or that of the other side of an unmerge.
    """

    profile: bytes
    stamp: int
    kind: HistoryKind
    keys: list[bytes]
    other: bytes | None = None
    reasons: list[str] = []


class MembershipChange(Struct):
    """What an origin now says of its belonging to a group."""

    group_key: bytes
    origin: bytes
    member: bool
    time: int
    stamp: int


class FeedChange(Struct):
    """One entry of the feed: what a destination could see has changed."""

    op: FeedOperation
    profile: bytes
    version: int
    at: int
    other: bytes | None = None


class Plan(Struct):
    """The effects of a batch. `outcomes` stand in the order of its calls.

    `created` and `touched` are origins (every one the plan changed or looked at), `recounted` those
    among them whose counters are not what they were, `moved` maps a root that was merged away to
    the one its origins now point to. `rests_on_absence`: some call was decided by an identifier
    being unknown that the plan does not create, so nothing may commit between its load and its
    end.
    """

    outcomes: list[Outcome] = []
    created: dict[bytes, Profile] = {}
    touched: dict[bytes, Profile] = {}
    recounted: set[bytes] = set()
    moved: dict[bytes, bytes] = {}
    gained: list[Gained] = []
    seen: dict[tuple[bytes, bytes], int] = {}
    retired: list[tuple[bytes, bytes]] = []
    documents: dict[bytes, Document] = {}
    sightings: dict[tuple[bytes, bytes], Sighting] = {}
    evidence: list[RecordedCall] = []
    events: list[RecordedCall] = []
    history: list[HistoryNote] = []
    memberships: dict[tuple[bytes, bytes], MembershipChange] = {}
    accounts: dict[bytes, GroupState] = {}
    upserts: dict[bytes, FeedChange] = {}
    merges: list[FeedChange] = []
    messages: set[bytes] = set()
    forced: list[RecordedCall] = []
    rests_on_absence: bool = False
