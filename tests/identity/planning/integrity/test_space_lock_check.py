"""What of the row of a space lock differs from the key store, the journal and other rows."""

import pytest
from msgspec.structs import replace

from identity.planning.integrity.space_lock_check import HeldKeys, SpaceLockFacts, space_lock_differences
from identity.values.calls import DAY, IndexVersions
from identity.values.enums import SpaceMark
from identity.values.stamps import Micros, Stamp, first_stamp

NOW = Micros(1_700_000_000_000_000)
RIGHT = SpaceLockFacts(
    versions=IndexVersions(newest=2, live=1, messages=1, oldest=1),
    epoch=3,
    stamp=first_stamp(NOW),
    marks=SpaceMark.CUTS,
    needed=SpaceMark.CUTS,
    rules_at=Stamp(5),
    base=7,
    bucket=7,
    spread=1,
)
HELD = HeldKeys(indexes=(1, 2), epochs=(2, 3), newest_index=2, newest_epoch=3)
NONE = SpaceMark(0)


def test_nothing_differs_during_a_rotation_and_a_roll() -> None:
    """Older versions and older epochs may still be there."""
    assert space_lock_differences(RIGHT, HELD, NOW) == []


@pytest.mark.parametrize(
    ("edited", "held", "label"),
    [
        (replace(RIGHT, versions=IndexVersions(3, 1, 1, 1)), HELD, "index_version 3, and the key store holds 1, 2"),
        (replace(RIGHT, versions=IndexVersions(2, 2, 2, 9)), HELD, "index_oldest 9, and the key store holds 1, 2"),
        (replace(RIGHT, versions=IndexVersions(2, 1, 1, 2)), HELD, "versions of the index key 2, 1, 1, 2 in no order"),
        (replace(RIGHT, versions=IndexVersions(1, 1, 1, 1)), HELD, "index_version 1, and the journal has 2"),
        (replace(RIGHT, epoch=4), HELD, "epoch 4, and the key store holds 2, 3"),
        (replace(RIGHT, epoch=2), HELD, "epoch 2, and the journal has 3"),
        (RIGHT, replace(HELD, epochs=()), "epoch 3, and the key store holds none"),
        (replace(RIGHT, stamp=Stamp(4)), HELD, "stamp 4, and the rules have 5"),
        (replace(RIGHT, stamp=first_stamp(Micros(NOW + 2 * DAY))), HELD, "which is to come"),
        (replace(RIGHT, marks=NONE), HELD, "marks lack CUTS, and there are rows"),
        (replace(RIGHT, base=8), HELD, "bucket_base 8 and spread 1, and the id asks for 7 and 1"),
        (replace(RIGHT, spread=2), HELD, "bucket_base 7 and spread 2, and the id asks for 7 and 1"),
    ],
)
def test_every_edited_column_is_found(edited: SpaceLockFacts, held: HeldKeys, label: str) -> None:
    """One label each, which names the column."""
    (found,) = space_lock_differences(edited, held, NOW)
    assert found.endswith(label)
