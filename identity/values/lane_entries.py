"""The entry of a lane of the feed: the store reads entries, and planning makes the items of a page from them."""

from typing import NamedTuple

from identity.values.ids import ErasureId, ProfileId
from identity.values.stamps import Stamp


class LaneEntry(NamedTuple):
    """One entry of a lane.

    `other` is the id merged away, the id that an unmerge restores, or the id of the erasure.
    """

    lane: int
    seq: int
    op: int
    version: int
    stamp: Stamp
    profile: ProfileId
    other: ProfileId | ErasureId | None
