"""The parameters of lists of the Profile API."""

from identity.operations.profiles.segment_paging import ListParameters
from identity.values.calls import KINDS


def test_a_list_without_parameters_leaves_nothing_out() -> None:
    """It begins at the first item, and a list of events has calls of every kind."""
    every = ListParameters(limit=10)

    assert [every.next, every.start, every.end] == [None] * 3
    assert not every.include | every.exclude
    assert every.kinds == KINDS
