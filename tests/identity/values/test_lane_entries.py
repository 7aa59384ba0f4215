"""The column `other` of an entry of the feed is the id of an erasure or of a profile, by the operation."""

import pytest

from identity.values.enums import FeedOperation
from identity.values.ids import ErasureId, ProfileId
from identity.values.lane_entries import LaneEntry
from identity.values.stamps import Stamp

OTHER = ProfileId(b"o" * 16)


@pytest.mark.parametrize("operation", FeedOperation)
def test_other_is_an_erasure_where_the_entry_announces_one_and_else_a_profile(operation: FeedOperation) -> None:
    """An entry without the column names neither."""
    entry = LaneEntry(lane=0, seq=1, op=operation, version=1, stamp=Stamp(1), profile=ProfileId(b"p" * 16), other=OTHER)
    erased = operation == FeedOperation.ERASE
    assert entry.other_profile == (None if erased else OTHER)
    assert entry.erasure_id == (ErasureId(OTHER) if erased else None)
    nobody = entry._replace(other=None)
    assert (nobody.other_profile, nobody.erasure_id) == (None, None)
