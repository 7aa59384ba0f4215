"""Segment's words for regulations, in both of Segment's spellings."""

import pytest

from identity.planning.privacy.segment_regulations import SPELLINGS, TYPES, request_kind, subject_type
from identity.values.errors import BadRegulation


@pytest.mark.parametrize("name", [*TYPES, *SPELLINGS])
def test_each_spelling_of_a_type_is_one_kind(name: str) -> None:
    """Segment's schema and its documentation differ."""
    assert request_kind(name) == TYPES[SPELLINGS.get(name, name)]


@pytest.mark.parametrize("name", ["", "delete_only", "SUPPRESS"])
def test_another_type_is_refused_with_the_known_ones(name: str) -> None:
    """The message lists what may be sent."""
    with pytest.raises(BadRegulation, match="SUPPRESS_WITH_DELETE"):
        request_kind(name)


def test_a_subject_is_a_person() -> None:
    """Objects are no people."""
    assert (subject_type("USER_ID"), subject_type("EMAIL")) == ("user_id", "email")
    with pytest.raises(BadRegulation, match="OBJECT_ID"):
        subject_type("OBJECT_ID")
