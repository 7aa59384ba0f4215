"""An identifier keeps the earliest and the latest of its event times, in whatever order they come."""

import pytest

from identity.planning.resolution.plan import Gained, widen
from identity.values.calls import Identifier
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp


@pytest.mark.parametrize(
    ("first", "last", "expected"), [(3, 7, (3, 8)), (6, 9, (5, 9)), (1, 9, (1, 9)), (6, 7, (5, 8)), (9, 9, (5, 9))]
)
def test_each_end_moves_by_itself(first: int, last: int, expected: tuple[int, int]) -> None:
    """Times inside change nothing."""
    gained = Gained(
        identifier=Identifier("user_id", "u1"),
        origin=ProfileId(b"o" * 16),
        source=1,
        linked_at=Stamp(1),
        first_seen=Micros(5),
        last_seen=Micros(8),
    )
    widen(gained, Micros(first), Micros(last))

    assert (gained.first_seen, gained.last_seen) == expected
