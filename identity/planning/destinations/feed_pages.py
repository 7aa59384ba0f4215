"""The feed of one destination: where it stands, and what a page of entries tells it.

A place in the feed is a number per lane, so no entry that commits late is skipped. A new destination,
and one whose entitlement or whose space's purposes changed, first goes through all profiles: then it
has the lanes from where it stood. What a page tells is the state at the time it is served, never that
at the time of the entry, so it never tells what may not be seen any more.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from identity.values.calls import MICRO
from identity.values.enums import FeedOperation

BEGINNING: Final = bytes(16)
ASTRAY: Final = 3_600 * MICRO
"""How far clocks may be apart, and an erasure may take: a younger one is only settled by its own entry."""
_HEAD: Final = struct.Struct(">BIIqB16sB")
_LANE: Final = struct.Struct(">hq")
_FORM: Final = 1


class Position(Struct, frozen=True):
    """A place in the feed.

    `lanes`: how far it is in each; `after`: the profile up to which it went through all of them, None
    once it did; `entitled` and `purposes` are the versions it did so under, `began` when (microseconds)
    it first did.
    """

    entitled: int
    purposes: int
    began: int
    after: bytes | None
    lanes: dict[int, int]

    def again(self, entitled: int, purposes: int) -> "Position":
        """The same place, from where all profiles are gone through if other versions are in force."""
        if (entitled, purposes) == (self.entitled, self.purposes):
            return self
        return Position(entitled, purposes, self.began, BEGINNING, self.lanes)

    def behind(self, other: "Position") -> bool:
        """Whether it is before another one in some lane."""
        return any(self.lanes.get(lane, 0) < seq for lane, seq in other.lanes.items())


def pack(position: Position) -> bytes:
    """A place as it is written into a cursor."""
    after = position.after
    head = _HEAD.pack(
        _FORM, position.entitled, position.purposes, position.began, after is not None, after or BEGINNING,
        len(position.lanes),
    )  # fmt: skip
    return head + b"".join(_LANE.pack(lane, seq) for lane, seq in sorted(position.lanes.items()))


def unpack(raw: bytes) -> Position | None:
    """The inverse of `pack`; None for another form."""
    if len(raw) < _HEAD.size or raw[0] != _FORM:
        return None
    _, entitled, purposes, began, whole, after, count = _HEAD.unpack_from(raw)
    if len(raw) != _HEAD.size + count * _LANE.size:
        return None
    lanes = dict(_LANE.unpack_from(raw, _HEAD.size + at * _LANE.size) for at in range(count))
    return Position(entitled, purposes, began, after if whole else None, lanes)


def within(raw: bytes, heads: Mapping[int, int]) -> bool:
    """Whether a place as it is written can be read, and lies in lanes that have come as far (`heads`)."""
    position = unpack(raw)
    return position is not None and all(0 <= seq <= heads.get(lane, -1) for lane, seq in position.lanes.items())


def starts(place: bytes) -> bool:
    """Whether a packed place is the very beginning, before anybody was told of."""
    position = unpack(place)
    return position is not None and position.after == BEGINNING


def stands(place: bytes | None, entitled: int, purposes: int, entries: int) -> bool:
    """Whether nothing can have come after a packed place: under these versions, and so many entries in all lanes."""
    position = None if place is None else unpack(place)
    return (
        position is not None
        and position.after is None
        and (position.entitled, position.purposes) == (entitled, purposes)
        and sum(position.lanes.values()) == entries
    )


def between(before: bytes | None, after: bytes) -> tuple[list[tuple[int, int, int]], int | None]:
    """The entries from one packed place to another, each (lane, after, upto), and what else was told by then.

    That is everything from before the moment that is returned, where everybody was gone through anew.
    """
    known = None if before is None else unpack(before)
    place = unpack(after)
    if place is None:
        return [], None
    lanes = {} if known is None else known.lanes
    ahead = [(lane, lanes.get(lane, 0), seq) for lane, seq in place.lanes.items() if seq > lanes.get(lane, 0)]
    # Whoever went through everybody anew keeps nobody who is not there any more.
    return ahead, place.began - ASTRAY if place.after is None else None


def further(*places: bytes | None) -> dict[int, int]:
    """How far the furthest of some packed places is in each lane."""
    lanes: dict[int, int] = {}
    for place in places:
        position = None if place is None else unpack(place)
        for lane, seq in () if position is None else position.lanes.items():
            lanes[lane] = max(seq, lanes.get(lane, 0))
    return lanes


class LaneEntry(NamedTuple):
    """One entry of a lane.

    `other` of a merge is who is no more, of an unmerge who came back, of an erasure the erasure.
    """

    lane: int
    seq: int
    op: int
    version: int
    at: int
    profile: bytes
    other: bytes | None


class FeedItem(NamedTuple):
    """One thing to tell: `op` with the ids it is about; a state where `op` is None."""

    op: int | None
    profile: bytes
    others: tuple[bytes, ...]
    version: int
    at: int
    erasure: bytes | None = None


def advanced(position: Position, entries: Iterable[LaneEntry]) -> Position:
    """The place after these entries."""
    lanes = dict(position.lanes)
    for entry in entries:
        lanes[entry.lane] = max(entry.seq, lanes.get(entry.lane, 0))
    return Position(position.entitled, position.purposes, position.began, position.after, lanes)


def missed(position: Position, entries: Iterable[LaneEntry]) -> bool:
    """Whether entries between a place and these are not among them: they went while the page was read."""
    first: dict[int, int] = {}
    for entry in entries:
        first[entry.lane] = min(entry.seq, first.get(entry.lane, entry.seq))
    return any(seq != position.lanes.get(lane, 0) + 1 for lane, seq in first.items())


def collapsed(entries: Sequence[LaneEntry], canonical: Mapping[bytes, bytes]) -> list[FeedItem]:
    """What a page of entries comes to, in their order; `canonical` leads from the ids that are there.

    Each state is told once, where its last entry stands. Whether two are one is told as it is by now,
    since what parted them may have been told in another lane before what joined them. An id that leads
    nowhere is told as a state: whoever knows it has to hear that it is gone.
    """
    told: list[FeedItem] = []
    states: dict[bytes, int] = {}
    erased: dict[bytes, int] = {}

    def state(id_: bytes, entry: LaneEntry) -> None:
        before = states.get(id_)
        if before is not None:
            told[before] = told[before]._replace(profile=b"")
        states[id_] = len(told)
        told.append(FeedItem(None, id_, (), entry.version, entry.at))

    for entry in entries:
        at = canonical.get(entry.profile, entry.profile)
        if entry.op == FeedOperation.ERASE and entry.other is not None:
            if entry.other in erased:
                nr = erased[entry.other]
                told[nr] = told[nr]._replace(others=(*told[nr].others, entry.profile))
            else:
                erased[entry.other] = len(told)
                told.append(FeedItem(FeedOperation.ERASE, entry.profile, (), entry.version, entry.at, entry.other))
        elif entry.op in (FeedOperation.MERGE, FeedOperation.UNMERGE) and entry.other is not None:
            to = canonical.get(entry.other, entry.other)
            here = entry.profile in canonical and entry.other in canonical
            if here and at == to:
                others = tuple(id_ for id_ in (entry.profile, entry.other) if id_ != at)
                told.append(FeedItem(FeedOperation.MERGE, at, others, entry.version, entry.at))
            elif here:
                told.append(FeedItem(FeedOperation.UNMERGE, at, (to,), entry.version, entry.at))
            state(at, entry)
            if to != at:
                state(to, entry)
        else:
            state(at, entry)
    return [each for each in told if each.profile]
