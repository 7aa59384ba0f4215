"""The entry of a lane of the feed: the store reads entries, and planning makes the items of a page from them."""

from typing import NamedTuple

from identity.values.enums import FeedOperation
from identity.values.ids import ErasureId, ProfileId
from identity.values.stamps import Stamp


class LaneEntry(NamedTuple):
    """One entry of a lane, as its row: the column `other` holds another profile id or the id of an erasure."""

    lane: int
    seq: int
    op: int
    version: int
    stamp: Stamp
    profile: ProfileId
    other: ProfileId | ErasureId | None

    @property
    def other_profile(self) -> ProfileId | None:
        """The id that a merge ends or that an unmerge restores."""
        return None if self.other is None or self.op == FeedOperation.ERASE else ProfileId(self.other)

    @property
    def erasure_id(self) -> ErasureId | None:
        """The erasure of an entry that announces one; None where the profile is on hold."""
        return ErasureId(self.other) if self.other is not None and self.op == FeedOperation.ERASE else None
