"""An audit accepts every state the rules produce and reports every other change of pointers and links."""

from collections.abc import Iterable

from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.integrity.audited_space import IDENTIFY, Space, id_, names

histories = st.lists(st.one_of(st.lists(names, min_size=1, max_size=3, unique=True), names), max_size=14)


def lived(history: Iterable[list[str] | str]) -> Space:
    """A space after the calls (lists) and removals (names) of a history, without removals of unlinked names."""
    space = Space()
    for step in history:
        if isinstance(step, list):
            space.call(*step)
        elif space.owner(step):
            space.remove(step)
    return space


@given(history=histories)
def test_calls_and_removals_leave_no_discrepancy(history: list[list[str] | str]) -> None:
    """Components, heads, joins and links agree with the evidence after any calls and removals."""
    assert lived(history).audit() == set()


@given(history=histories, more=histories, pick=names, by=names)
@example(history=[["a"], ["h"], ["a", "h"]], more=[], pick="h", by="a")
def test_a_takeover_leaves_no_discrepancy(
    history: list[list[str] | str], more: list[list[str] | str], pick: str, by: str
) -> None:
    """The former calls with the identifier stay where they are; a link that no call made is still found."""
    space = lived(history)
    former, other = space.owner(pick), space.owner(by)
    # A call takes nothing over from the profile that it reaches.
    if pick == by or former is None or (other is not None and other.head == former.head):
        return
    space.take_over(pick, by)
    for step in more:
        space.call(*step)
    assert space.audit() == set()
    holder = space.owner(pick)
    assert holder
    holder.holds[pick] += 1
    assert {"link_unfounded", "evidence_unlinked"} & space.audit()


@given(history=histories, pick=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_a_merge_without_evidence_is_found(history: list[list[str] | str], pick: tuple[int, int]) -> None:
    """The audit reports a profile under a head its evidence does not support, and a false join."""
    space = lived(history)
    heads = sorted({origin.head for origin in space.origins})
    if len(heads) < 2:
        return
    one, other = heads[pick[0] % len(heads)], heads[(pick[0] + 1 + pick[1] % (len(heads) - 1)) % len(heads)]
    # A merge without its call: the pointers, the join at the stamp of some other call and the canonical id.
    space._merge(one, other, max(stamp for _, stamp, kind, _ in space.evidence if kind == IDENTIFY))
    for origin in space.origins:
        origin.canonical = min(id_(o.number) for o in space.origins if o.head == origin.head)

    assert space.audit() == {"together_unfounded"}


@given(history=histories, pick=st.integers(0, 99))
def test_a_lost_head_pointer_is_found(history: list[list[str] | str], pick: int) -> None:
    """The audit reports a joined origin that points to itself again, with or without identifiers."""
    space = lived(history)
    joined = [origin for origin in space.origins if origin.joined_to]
    if not joined:
        return
    origin = joined[pick % len(joined)]
    origin.head = id_(origin.number)

    assert "join_broken" in space.audit()
