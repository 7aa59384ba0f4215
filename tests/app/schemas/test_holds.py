"""A hold as the API answers it: whether somebody has every identifier that it names."""

import pytest

from app.schemas.holds import hold_info, hold_made, released
from identity.operations.privacy.manage_holds import LitigationHold, ReleasedHold
from identity.values.ids import HoldId, ProfileId
from identity.values.stamps import Micros

ID = HoldId(b"h" * 16)


def hold(*unknown: str) -> LitigationHold:
    """A hold on two identifiers."""
    return LitigationHold(
        id=ID,
        created_at=Micros(0),
        identifiers=2,
        reason="case 7",
        actor="key_1",
        not_found=len(unknown),
        profiles=1,
        profile_ids=[ProfileId(b"p" * 16)],
        unknown=unknown,
    )


@pytest.mark.parametrize(("unknown", "found"), [((), True), (("user_id:u2",), False)])
def test_a_hold_is_found_where_nobody_is_missing(unknown: tuple[str, ...], found: bool) -> None:  # noqa: FBT001
    """The answer to the request names who is missing; later answers count them."""
    made, info = hold_made(hold(*unknown)), hold_info(hold(*unknown))

    assert (made.found, info.found, made.unknown, info.not_found) == (found, found, list(unknown), len(unknown))
    assert (made.hold_id, made.profile_ids) == (f"hld_{ID.hex()}", ["prf_" + "70" * 16])


def test_a_released_hold_counts_the_erasures_that_it_kept_waiting() -> None:
    """With the time of its end."""
    shown = released(ReleasedHold(id=ID, released_at=Micros(1_000_000), resumed=3))

    assert (shown.released_at, shown.resumed) == ("1970-01-01T00:00:01.000Z", 3)
