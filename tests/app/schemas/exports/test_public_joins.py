"""The advice that goes with identifiers that public keys alone have joined."""

import pytest

from app.schemas.exports.public_joins import public_joins
from identity.planning.privacy.public_joins import PublicJoins


@pytest.mark.parametrize(("cut", "advice"), [(False, "/v1/profiles/unmerge"), (True, "unmerged first")])
def test_the_advice_says_what_was_done_and_what_to_do(cut: bool, advice: str) -> None:  # noqa: FBT001
    """With the number and the identifiers."""
    shown = public_joins(PublicJoins(2, ["user_id:a", "user_id:b"], cut))
    assert shown is not None
    assert (shown.total, shown.identifiers, shown.cut) == (2, ["user_id:a", "user_id:b"], cut)
    assert advice in shown.advice


def test_without_joins_there_is_nothing_to_say() -> None:
    """The field is null."""
    assert public_joins(None) is None
