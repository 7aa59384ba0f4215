"""A word in the place of a type stands for a type of call, for another request, or for nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.calls import KINDS
from identity.values.fields.call_types import meant_type, other_request


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        *((kind, kind) for kind in KINDS),
        *((f" {kind.upper()} ", kind) for kind in KINDS),
        *((kind[0], kind) for kind in KINDS),
        ("$identify", "identify"),
        ("page_view", "page"),
        ("custom event", "track"),
        ("Group-Identify", "group"),
        ("create_alias", "alias"),
    ],
)
def test_a_type_is_known_by_other_spellings_and_words(stated: str, kind: str) -> None:
    """In any case, with any punctuation, by its first letter, and by the words of other vendors."""
    assert meant_type(stated) == kind


@given(kind=st.sampled_from(KINDS), data=st.data())
def test_one_slip_of_the_finger_still_names_the_type(kind: str, data: st.DataObject) -> None:
    """A letter that is missing, swapped with the next, doubled, or too many."""
    at = data.draw(st.integers(0, len(kind) - 1))
    more = data.draw(st.sampled_from("aeinx"))
    missing = kind[:at] + kind[at + 1 :]
    swapped = kind[:at] + kind[at + 1 : at + 2] + kind[at] + kind[at + 2 :]

    assert {meant_type(each) for each in (missing, swapped, kind[:at] + more + kind[at:])} == {kind}


@pytest.mark.parametrize(
    "stated", ["", "x", "delete", "ann@example.com", "identifyyy", "tr\u00e4ck", "trackers of all"]
)
def test_another_word_stands_for_no_type(stated: str) -> None:
    """No word is read as the nearest type."""
    assert meant_type(stated) is None


@pytest.mark.parametrize(
    ("stated", "named"),
    [
        ("delete", "POST /v1/erasures"),
        ("GDPR", "POST /v1/erasures"),
        ("opt-out", "POST /v1/suppressions"),
        ("unsuppress", "POST /v1/suppressions/lift"),
        ("leave_group", "DELETE /v1/groups/{group_id}/members/{ref}"),
        ("Un-Merge", "POST /v1/profiles/unmerge"),
        ("consent", "POST /v1/consent"),
        ("legal hold", "POST /v1/holds"),
        ("batch", "/v1/batch"),
    ],
)
def test_the_word_of_another_request_names_the_route_for_it(stated: str, named: str) -> None:
    """A call of that type would do nothing of the kind."""
    assert named in (other_request(stated) or "")
    assert meant_type(stated) is None


@given(st.text(max_size=12))
def test_no_word_of_another_request_is_a_type(stated: str) -> None:
    """A type of call has no route beside it, and every answer is one of the types."""
    assert meant_type(stated) in {None, *KINDS}
    assert all(other_request(kind) is None for kind in KINDS)
