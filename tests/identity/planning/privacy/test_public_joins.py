"""What a request records of the identifiers that public keys alone have joined to its people."""

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.privacy.public_joins import MOST_LISTED, public_joins

JOINED = st.lists(st.lists(st.text(max_size=3), min_size=1, max_size=150), max_size=4)


@given(JOINED, st.booleans())
def test_every_join_is_counted_and_the_first_ones_are_listed(joined: list[list[str]], cut: bool) -> None:  # noqa: FBT001
    """In the order of the people, of whom the first ones are given."""
    found = public_joins([(len(each), each[:MOST_LISTED]) for each in joined], cut=cut)
    flat = [text for each in joined for text in each]
    assert (found.total, list(found.identifiers), found.cut) == (len(flat), flat[:MOST_LISTED], cut)
