"""Plans the feed of one destination: its position, and the items that a page of entries comes to.

A position holds one sequence number per lane, so an entry that commits late is never skipped. A new destination
first reads all profiles, and so does one after a change of its entitlement or of the purposes of its space;
then it continues in the lanes from its position. A page holds the state at the time of serving, never at the
time of the entry, so it never discloses data that is no longer visible.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct, structs

from identity.values.calls import MICRO
from identity.values.enums import FeedOperation
from identity.values.ids import ErasureId, ProfileId
from identity.values.lane_entries import LaneEntry
from identity.values.stamps import Micros, Stamp

BEGINNING: Final = bytes(16)
ERASURE_MARGIN: Final = 3_600 * MICRO
"""An hour: an erasure that is older than the start of a pass by this much is confirmed by the end of the pass.

A destination that has read all profiles holds no person who was erased before the pass began. Stamps do not say exactly
whether an erasure was committed before: clocks of hosts differ, and an erasure takes time. An erasure inside the
hour is confirmed only when the destination acknowledges its feed entry.
"""
_HEAD: Final = struct.Struct(">BIIqB16sB")
_LANE: Final = struct.Struct(">hq")
_FORM: Final = 1


class Position(Struct, frozen=True):
    """A position in the feed, unpacked; `pack` makes the bytes that cursors and the columns of a delivery hold.

    `lanes`: the last entry read in each lane. `after_profile`: the last profile read while a pass goes through all
    profiles, None once it is through. The two versions were in force when this pass began. `began` is the start of the
    first pass of this cursor (microseconds); a further pass keeps it, which confirms fewer erasures and never too many.
    """

    entitlement_version: int
    purposes_version: int
    began: Micros
    after_profile: bytes | None
    lanes: dict[int, int]

    def again(self, entitlement_version: int, purposes_version: int) -> "Position":
        """The same position, or one that first reads all profiles again where other versions are in force.

        The new one keeps the lanes: after all profiles the feed continues at the same entries.
        """
        if (entitlement_version, purposes_version) == (self.entitlement_version, self.purposes_version):
            return self
        return Position(
            entitlement_version=entitlement_version,
            purposes_version=purposes_version,
            began=self.began,
            after_profile=BEGINNING,
            lanes=self.lanes,
        )

    def behind(self, other: "Position") -> bool:
        """Whether the position is before another one in any lane."""
        return any(self.lanes.get(lane, 0) < seq for lane, seq in other.lanes.items())


def pack(position: Position) -> bytes:
    """The packed form of a position."""
    head = _HEAD.pack(
        _FORM,
        position.entitlement_version,
        position.purposes_version,
        position.began,
        position.after_profile is not None,
        position.after_profile or BEGINNING,
        len(position.lanes),
    )
    return head + b"".join(_LANE.pack(lane, seq) for lane, seq in sorted(position.lanes.items()))


def unpack(packed_position: bytes) -> Position | None:
    """The inverse of `pack`; None for any other form."""
    if len(packed_position) < _HEAD.size or packed_position[0] != _FORM:
        return None
    _, entitlement_version, purposes_version, began, in_pass, after_profile, count = _HEAD.unpack_from(packed_position)
    if len(packed_position) != _HEAD.size + count * _LANE.size:
        return None
    lanes = dict(_LANE.unpack_from(packed_position, _HEAD.size + at * _LANE.size) for at in range(count))
    return Position(
        entitlement_version=entitlement_version,
        purposes_version=purposes_version,
        began=began,
        after_profile=after_profile if in_pass else None,
        lanes=lanes,
    )


def is_valid_position(packed_position: bytes, heads: Mapping[int, int]) -> bool:
    """Whether a packed position can be read and is not beyond the `heads` of its lanes."""
    position = unpack(packed_position)
    return position is not None and all(0 <= seq <= heads.get(lane, -1) for lane, seq in position.lanes.items())


def is_beginning(packed_position: bytes) -> bool:
    """Whether a packed position is the beginning of all profiles."""
    position = unpack(packed_position)
    return position is not None and position.after_profile == BEGINNING


def is_up_to_date(packed_position: bytes | None, entitlement_version: int, purposes_version: int, entries: int) -> bool:
    """Whether a packed position is the end of the feed, under these versions and with so many entries in all lanes."""
    position = None if packed_position is None else unpack(packed_position)
    return (
        position is not None
        and position.after_profile is None
        and (position.entitlement_version, position.purposes_version) == (entitlement_version, purposes_version)
        and sum(position.lanes.values()) == entries
    )


def entries_between(
    packed_before: bytes | None, packed_after: bytes
) -> tuple[list[tuple[int, int, int]], Micros | None]:
    """The entries between two packed positions, each a range (lane, after, upto) of entries, and a time.

    A pass through all profiles, once it is through, has disclosed or withdrawn everything from before that time too.
    """
    before_position = None if packed_before is None else unpack(packed_before)
    position = unpack(packed_after)
    if position is None:
        return [], None
    lanes = {} if before_position is None else before_position.lanes
    lane_ranges = [(lane, lanes.get(lane, 0), seq) for lane, seq in position.lanes.items() if seq > lanes.get(lane, 0)]
    # A destination that read all profiles again keeps no profile that no longer exists.
    return lane_ranges, Micros(position.began - ERASURE_MARGIN) if position.after_profile is None else None


def furthest(*packed_positions: bytes | None) -> dict[int, int]:
    """The greatest sequence number of some packed positions in each lane."""
    lanes: dict[int, int] = {}
    for packed_position in packed_positions:
        position = None if packed_position is None else unpack(packed_position)
        for lane, seq in () if position is None else position.lanes.items():
            lanes[lane] = max(seq, lanes.get(lane, 0))
    return lanes


class FeedItem(NamedTuple):
    """One item of a page: `op` with the ids that it concerns, or a state, whose `op` is None.

    `other_profile_ids`: those that a merge ends, that an unmerge restores, or that an erasure erases beside `profile`.
    """

    op: int | None
    profile: ProfileId
    other_profile_ids: tuple[ProfileId, ...]
    version: int
    stamp: Stamp
    erasure_id: ErasureId | None = None


def advance(position: Position, entries: Iterable[LaneEntry]) -> Position:
    """The position after these entries."""
    lanes = dict(position.lanes)
    for entry in entries:
        lanes[entry.lane] = max(entry.seq, lanes.get(entry.lane, 0))
    return structs.replace(position, lanes=lanes)


def misses_entries(position: Position, entries: Iterable[LaneEntry]) -> bool:
    """Whether entries between a position and these are absent, since they were deleted during the read."""
    first: dict[int, int] = {}
    for entry in entries:
        first[entry.lane] = min(entry.seq, first.get(entry.lane, entry.seq))
    return any(seq != position.lanes.get(lane, 0) + 1 for lane, seq in first.items())


def feed_items(entries: Sequence[LaneEntry], canonical: Mapping[ProfileId, ProfileId]) -> list[FeedItem]:
    """The items of a page of entries, in their order; `canonical` leads from existing ids to canonical ones.

    Each state appears once, at its last entry. Merges and unmerges follow the current state, since an unmerge
    may come in another lane before its merge. An id that leads nowhere appears as a state, so destinations that
    know the id learn that the profile no longer exists.
    """
    items: list[FeedItem] = []
    states: dict[ProfileId, int] = {}
    erased: dict[ErasureId, int] = {}

    def state(id_: ProfileId, entry: LaneEntry) -> None:
        before = states.get(id_)
        if before is not None:
            items[before] = items[before]._replace(profile=ProfileId(b""))
        states[id_] = len(items)
        items.append(FeedItem(op=None, profile=id_, other_profile_ids=(), version=entry.version, stamp=entry.stamp))

    for entry in entries:
        at = canonical.get(entry.profile, entry.profile)
        if entry.erasure_id is not None:
            if entry.erasure_id in erased:
                nr = erased[entry.erasure_id]
                others = (*items[nr].other_profile_ids, entry.profile)
                items[nr] = items[nr]._replace(other_profile_ids=others)
            else:
                erased[entry.erasure_id] = len(items)
                items.append(
                    FeedItem(
                        op=FeedOperation.ERASE,
                        profile=entry.profile,
                        other_profile_ids=(),
                        version=entry.version,
                        stamp=entry.stamp,
                        erasure_id=entry.erasure_id,
                    )
                )
        elif entry.op in (FeedOperation.MERGE, FeedOperation.UNMERGE) and entry.other_profile is not None:
            other = entry.other_profile
            to = canonical.get(other, other)
            here = entry.profile in canonical and other in canonical
            if here and at == to:
                others = tuple(id_ for id_ in (entry.profile, other) if id_ != at)
                items.append(
                    FeedItem(
                        op=FeedOperation.MERGE,
                        profile=at,
                        other_profile_ids=others,
                        version=entry.version,
                        stamp=entry.stamp,
                    )
                )
            elif here:
                items.append(
                    FeedItem(
                        op=FeedOperation.UNMERGE,
                        profile=at,
                        other_profile_ids=(to,),
                        version=entry.version,
                        stamp=entry.stamp,
                    )
                )
            state(at, entry)
            if to != at:
                state(to, entry)
        else:
            state(at, entry)
    return [each for each in items if each.profile]
