"""What an audit accepts and reports of unmerges, joins, ids left over and lanes."""

import pytest

from identity.planning.corrections.rebuild import DORMANT
from identity.planning.integrity.counter_check import CounterCheck
from identity.planning.integrity.discrepancies import Discrepancies
from identity.planning.integrity.evidence_check import EvidenceCheck, Reversals
from identity.planning.integrity.row_index import RowIndex
from tests.support.integrity.audited_space import IDENTIFY, Origin, Space, id_


def merged() -> tuple[Space, Origin, Origin]:
    """Two people merged by one call."""
    space = Space()
    space.call("a1")
    space.call("b1")
    space.call("a1", "b1")
    one, other = space.origins
    assert space.audit() == set()
    return space, one, other


def part(space: Space, other: Origin) -> None:
    """Point an origin at itself again, as an unmerge does."""
    other.head, other.joined_to, other.joined_at = id_(other.number), None, None
    space.parted |= {id_(origin.number) for origin in space.origins}


def test_an_unmerge_outweighs_earlier_calls_only() -> None:
    """A separated call is a discrepancy without an unmerge, none after one, and again one after a new call."""
    space, _, other = merged()
    part(space, other)
    assert space.audit() == {"linked_apart"}

    space.unmerge("b1")
    assert space.audit() == set()

    space.evidence.append((id_(0), 99, IDENTIFY, ["a1", "b1"]))
    assert space.audit() == {"linked_apart"}


def test_an_unmerge_keeps_its_identifiers_together() -> None:
    """An unmerge does not separate the identifiers it names from each other."""
    space, _, other = merged()
    space.call("c1")
    space.call("b1", "c1")
    third = space.origins[2]
    space.unmerge("b1", "c1")
    part(space, other)
    part(space, third)

    assert space.audit() == {"linked_apart"}


def test_a_join_counts_as_evidence_only_after_an_unmerge() -> None:
    """A join without a call is a discrepancy, unless an unmerge can have taken the connecting evidence away."""
    space = Space()
    one, other = space.make(holds={"a1": 1}), space.make(holds={"b1": 2}, head=id_(0))
    other.joined_to, other.joined_at = id_(0), 3
    space.evidence = [(id_(0), 1, IDENTIFY, ["a1"]), (id_(1), 2, IDENTIFY, ["b1"])]
    assert space.audit() == {"together_unfounded", "join_unfounded"}

    space.parted = {id_(one.number)}
    assert space.audit() == set()


def test_an_identifier_linked_again_counts_as_a_new_one() -> None:
    """A removed identifier does not connect its later holder to its earlier holder."""
    space = Space()
    space.call("a1", "x")
    space.remove("x")
    space.call("b1", "x")
    assert space.audit() == set()
    assert len({origin.head for origin in space.origins}) == 2

    space._merge(id_(0), id_(1), 4)
    assert "together_unfounded" in space.audit()


@pytest.mark.parametrize(("head", "found"), [
    (id_(0), set()), (DORMANT, set()), (id_(77), {"head_unknown"}), (id_(1), {"head_moved"}),
])  # fmt: skip
def test_a_left_over_id_needs_only_a_valid_head(head: bytes, found: set[str]) -> None:
    """An id without rows of its own has to point to a profile or to none."""
    space, _, _ = merged()
    space.make(head=head, joined_to=id_(1), origins=0)

    assert space.audit() == found


def test_a_circle_of_joins_is_found() -> None:
    """The joins of a circle lead to no head, though every origin has one."""
    space, _, other = merged()
    space.call("c1")
    space.call("a1", "c1")
    third = space.origins[2]
    other.joined_to, third.joined_to = id_(2), id_(1)

    assert space.audit() == {"join_broken"}


def test_an_empty_space_has_no_discrepancy() -> None:
    """The audit of a space without any call finds nothing."""
    findings = Discrepancies()
    index = RowIndex(findings)
    index.resolve_pointers()
    check = EvidenceCheck(index, findings, Reversals([], {}))
    check.check([])
    counters = CounterCheck(index, findings)
    counters.read_lane(0, 0, 0, 0, None, None)
    counters.check(check.calls)

    assert list(findings) == []
