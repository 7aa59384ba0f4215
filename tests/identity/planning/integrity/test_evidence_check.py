"""An audit accepts every state the rules produce and reports every other change of pointers and links."""

from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from identity.planning.corrections.rebuild import ASLEEP
from identity.planning.integrity.counter_check import CounterCheck
from identity.planning.integrity.discrepancies import DIFFERENCES, MOST_SHOWN, Discrepancies
from identity.planning.integrity.evidence_check import REMOVE, UNMERGE, EvidenceCheck, Reversals
from identity.planning.integrity.row_index import RowIndex
from identity.planning.resolution.counters import pack
from identity.planning.resolution.planner_state import Counters

IDENTIFY = 0


def key(name: str) -> bytes:
    """A blind index of a name."""
    return name.encode().ljust(32, b".")


def id_(number: int) -> bytes:
    """The id of an origin; greater numbers are younger."""
    return (number + 1).to_bytes(16, "big")


class Origin(Struct):
    """The part of a profile row an audit reads; `holds` maps a name to the stamp of its link."""

    number: int
    head: bytes
    canonical: bytes
    holds: dict[str, int] = {}
    joined_to: bytes | None = None
    joined_at: int | None = None
    origins: int = 1


class Space:
    """A space in memory with the rows that calls and corrections leave, without limits."""

    def __init__(self) -> None:
        self.origins: list[Origin] = []
        self.evidence: list[tuple[bytes, int, int, list[str]]] = []
        self.forgotten: dict[str, int] = {}
        self.parted: set[bytes] = set()
        self._stamps = count(1)

    def owner(self, name: str) -> Origin | None:
        """The origin that holds an identifier."""
        return next((origin for origin in self.origins if name in origin.holds), None)

    def make(self, **given: object) -> Origin:
        """A new origin, its own head unless `given` names another head."""
        number = len(self.origins)
        values = {"head": id_(number), "canonical": id_(number), "holds": {}, **given}
        self.origins.append(Origin(number, **values))  # type: ignore[arg-type]
        return self.origins[-1]

    def call(self, *names: str) -> int:
        """Record a call with these identifiers and return its stamp."""
        stamp = next(self._stamps)
        owners = [owner for name in names if (owner := self.owner(name))]
        target = owners[0] if owners else self.make()
        # The strongest identifier is a known one where there is any.
        names = tuple(sorted(names, key=lambda name: name not in target.holds))
        for name in names:
            if not self.owner(name):
                target.holds[name] = stamp
        for owner in owners[1:]:
            self._merge(target.head, owner.head, stamp)
        self.evidence.append((id_(target.number), stamp, IDENTIFY, list(names)))
        return stamp

    def _merge(self, one: bytes, other: bytes, stamp: int) -> None:
        if one == other:
            return
        heads = {each: [o for o in self.origins if o.head == each] for each in (one, other)}
        winner, loser = sorted((one, other), key=lambda each: (-len(heads[each]), each))
        for origin in heads[loser]:
            origin.head = winner
            if id_(origin.number) == loser:
                origin.joined_to, origin.joined_at = winner, stamp
        head = next(o for o in self.origins if id_(o.number) == winner)
        head.canonical = min(id_(o.number) for o in self.origins if o.head == winner)

    def remove(self, name: str) -> None:
        """Remove an identifier."""
        origin, stamp = self.owner(name), next(self._stamps)
        assert origin
        del origin.holds[name]
        self.forgotten[name] = stamp
        self.evidence.append((id_(origin.number), stamp, REMOVE, [name]))

    def unmerge(self, *names: str) -> None:
        """Record an unmerge of these identifiers; the test moves the origins itself."""
        origin = self.origins[0]
        self.evidence.append((id_(origin.number), next(self._stamps), UNMERGE, list(names)))

    def audit(self) -> set[str]:
        """The kinds of discrepancy an audit finds."""
        findings = Discrepancies()
        index = RowIndex(findings)
        for o in self.origins:
            own = Counters({"custom": len(o.holds)} if o.holds else {}, [], o.origins)
            index.read_profile(
                id_(o.number), o.head, o.canonical, o.joined_to, o.joined_at, o.number,
                int.from_bytes(o.canonical, "big") - 1, 1, 0, pack(own, lambda _: 99),
            )  # fmt: skip
        held = [(o, name, since) for o in self.origins for name, since in o.holds.items()]
        for o, name, _ in held:
            index.read_forward(key(name), id_(o.number))
        for o, name, since in held:
            index.read_reverse(id_(o.number), key(name), 99, False, since, 0, True)
        index.resolve_pointers()
        packed = [(at, stamp, kind, b"".join(map(key, names))) for at, stamp, kind, names in self.evidence]
        acts = [(stamp, kind, kept) for _, stamp, kind, kept in packed if kind in (UNMERGE, REMOVE)]
        check = EvidenceCheck(
            index, findings, Reversals(acts, {key(name): until for name, until in self.forgotten.items()})
        )
        for row in packed:
            check.read(*row)
        check.check(self.parted)
        return {finding.kind for finding in findings}


names = st.sampled_from("abcdefgh")
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
    (id_(0), set()), (ASLEEP, set()), (id_(77), {"head_unknown"}), (id_(1), {"head_moved"}),
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


@pytest.mark.parametrize(("lane", "good"), [
    ((0, 3, 0, 3, 1, 3), True), ((0, 3, 0, 2, 1, 3), False), ((0, 3, 0, 3, 2, 4), False), ((0, 0, 0, 1, 1, 1), False),
    ((0, 1, 0, 0, None, None), False), ((0, None, 0, 1, 1, 1), False), ((0, 5, 2, 3, 3, 5), True),
    ((0, 5, 5, 0, None, None), True), ((0, 5, 2, 3, 2, 4), False), ((0, 5, 6, 0, None, None), False),
    ((0, 5, 2, 5, 1, 5), False),
])  # fmt: skip
def test_a_lane_holds_exactly_the_entries_after_its_base(lane: Any, good: bool) -> None:  # noqa: FBT001
    """A lane with missing, additional or shifted entries is broken."""
    findings = Discrepancies()
    index = RowIndex(findings)
    index.resolve_pointers()
    CounterCheck(index, findings).read_lane(*lane)

    assert [finding.kind for finding in findings] == ([] if good else ["lane_broken"])


def test_every_discrepancy_counts_and_the_first_are_shown() -> None:
    """Discrepancies come in the order of their kinds, with at most MOST_SHOWN examples each."""
    findings = Discrepancies()
    for number in range(MOST_SHOWN + 5):
        findings.add("blocked_linked", str(number))
    findings.add("linked_apart", "here")
    first, last = findings

    assert (first.kind, first.count, first.examples) == ("linked_apart", 1, ["here"])
    assert (last.kind, last.count, len(last.examples)) == ("blocked_linked", MOST_SHOWN + 5, MOST_SHOWN)
    assert [kind for kind in DIFFERENCES if not DIFFERENCES[kind].endswith(".")] == []
