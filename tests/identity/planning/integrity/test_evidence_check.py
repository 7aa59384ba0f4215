"""An audit takes what the rules may do for right, and sees what nobody did."""

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
from identity.planning.integrity.evidence_check import REMOVE, UNMERGE, Ties, Undone
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
    """A profile row, as far as an audit looks at it; `holds` are (name, linked at)."""

    number: int
    head: bytes
    canonical: bytes
    holds: dict[str, int] = {}
    joined_to: bytes | None = None
    joined_at: int | None = None
    origins: int = 1


class Space:
    """A space in memory: what a call or an act leaves behind, without limits."""

    def __init__(self) -> None:
        self.origins: list[Origin] = []
        self.evidence: list[tuple[bytes, int, int, list[str]]] = []
        self.forgotten: dict[str, int] = {}
        self.parted: set[bytes] = set()
        self._stamps = count(1)

    def owner(self, name: str) -> Origin | None:
        """Where an identifier lies."""
        return next((origin for origin in self.origins if name in origin.holds), None)

    def make(self, **given: object) -> Origin:
        """A new origin, its own head unless `head` is given."""
        number = len(self.origins)
        values = {"head": id_(number), "canonical": id_(number), "holds": {}, **given}
        self.origins.append(Origin(number, **values))  # type: ignore[arg-type]
        return self.origins[-1]

    def call(self, *names: str) -> int:
        """A call that keeps these; returns its stamp."""
        stamp = next(self._stamps)
        owners = [owner for name in names if (owner := self.owner(name))]
        target = owners[0] if owners else self.make()
        # The strongest is one that is known, if any is.
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
        """Forgets an identifier."""
        origin, stamp = self.owner(name), next(self._stamps)
        assert origin
        del origin.holds[name]
        self.forgotten[name] = stamp
        self.evidence.append((id_(origin.number), stamp, REMOVE, [name]))

    def unmerge(self, *names: str) -> None:
        """Writes down that these left; who lies where is up to the test."""
        origin = self.origins[0]
        self.evidence.append((id_(origin.number), next(self._stamps), UNMERGE, list(names)))

    def audit(self) -> set[str]:
        """The kinds of difference that are found."""
        findings = Discrepancies()
        census = RowIndex(findings)
        for o in self.origins:
            own = Counters({"custom": len(o.holds)} if o.holds else {}, [], o.origins)
            census.read_profile(
                id_(o.number), o.head, o.canonical, o.joined_to, o.joined_at, o.number,
                int.from_bytes(o.canonical, "big") - 1, 1, 0, pack(own, lambda _: 99),
            )  # fmt: skip
        held = [(o, name, since) for o in self.origins for name, since in o.holds.items()]
        for o, name, _ in held:
            census.read_forward(key(name), id_(o.number))
        for o, name, since in held:
            census.read_reverse(id_(o.number), key(name), 99, False, since, 0, True)
        census.settle()
        packed = [(at, stamp, kind, b"".join(map(key, names))) for at, stamp, kind, names in self.evidence]
        acts = [(stamp, kind, kept) for _, stamp, kind, kept in packed if kind in (UNMERGE, REMOVE)]
        ties = Ties(census, findings, Undone(acts, {key(name): until for name, until in self.forgotten.items()}))
        for row in packed:
            ties.read(*row)
        ties.check(self.parted)
        return {finding.kind for finding in findings}


names = st.sampled_from("abcdefgh")
histories = st.lists(st.one_of(st.lists(names, min_size=1, max_size=3, unique=True), names), max_size=14)


def lived(history: Iterable[list[str] | str]) -> Space:
    """A space after calls (lists) and removals (names), as far as these were possible."""
    space = Space()
    for step in history:
        if isinstance(step, list):
            space.call(*step)
        elif space.owner(step):
            space.remove(step)
    return space


@given(history=histories)
def test_calls_and_removals_cause_no_difference(history: list[list[str] | str]) -> None:
    """Components, heads, joins and links of any calls and removals agree with their evidence."""
    assert lived(history).audit() == set()


@given(history=histories, pick=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_a_moved_profile_is_a_difference(history: list[list[str] | str], pick: tuple[int, int]) -> None:
    """A profile that points to another head than its evidence, and a false join, are found."""
    space = lived(history)
    heads = sorted({origin.head for origin in space.origins})
    if len(heads) < 2:
        return
    one, other = heads[pick[0] % len(heads)], heads[(pick[0] + 1 + pick[1] % (len(heads) - 1)) % len(heads)]
    # Everything of a merge but a call for it: pointers, the join at the stamp of some call, the canonical id.
    space._merge(one, other, max(stamp for _, stamp, kind, _ in space.evidence if kind == IDENTIFY))
    for origin in space.origins:
        origin.canonical = min(id_(o.number) for o in space.origins if o.head == origin.head)

    assert space.audit() == {"together_unfounded"}


@given(history=histories, pick=st.integers(0, 99))
def test_a_detached_origin_is_a_difference(history: list[list[str] | str], pick: int) -> None:
    """An origin that no longer points to its head is found, whatever identifiers it has left."""
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
    """Points an origin at itself again."""
    other.head, other.joined_to, other.joined_at = id_(other.number), None, None
    space.parted |= {id_(origin.number) for origin in space.origins}


def test_an_unmerge_explains_a_call_across_two_profiles() -> None:
    """Without the unmerge the call is a difference, and so is a new call after it."""
    space, _, other = merged()
    part(space, other)
    assert space.audit() == {"linked_apart"}

    space.unmerge("b1")
    assert space.audit() == set()

    space.evidence.append((id_(0), 99, IDENTIFY, ["a1", "b1"]))
    assert space.audit() == {"linked_apart"}


def test_identifiers_that_left_together_stay_together() -> None:
    """An unmerge does not separate the identifiers that it names."""
    space, _, other = merged()
    space.call("c1")
    space.call("b1", "c1")
    third = space.origins[2]
    space.unmerge("b1", "c1")
    part(space, other)
    part(space, third)

    assert space.audit() == {"linked_apart"}


def test_a_join_counts_as_evidence_after_an_unmerge() -> None:
    """Where the joining identifiers left, the join is the only evidence; elsewhere a join is not enough."""
    space = Space()
    one, other = space.make(holds={"a1": 1}), space.make(holds={"b1": 2}, head=id_(0))
    other.joined_to, other.joined_at = id_(0), 3
    space.evidence = [(id_(0), 1, IDENTIFY, ["a1"]), (id_(1), 2, IDENTIFY, ["b1"])]
    assert space.audit() == {"together_unfounded", "join_unfounded"}

    space.parted = {id_(one.number)}
    assert space.audit() == set()


def test_an_identifier_that_came_back_ties_no_earlier_owner() -> None:
    """Its owner now and its owner before the removal stay untied."""
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
def test_an_id_left_over_leads_to_a_profile_or_to_none(head: bytes, found: set[str]) -> None:
    """An id without an origin of its own needs no more."""
    space, _, _ = merged()
    space.make(head=head, joined_to=id_(1), origins=0)

    assert space.audit() == found


def test_joins_in_a_circle_are_a_difference() -> None:
    """They lead to no head, though every origin has one."""
    space, _, other = merged()
    space.call("c1")
    space.call("a1", "c1")
    third = space.origins[2]
    other.joined_to, third.joined_to = id_(2), id_(1)

    assert space.audit() == {"join_broken"}


def test_an_empty_space_has_no_difference() -> None:
    """A space without a call."""
    findings = Discrepancies()
    census = RowIndex(findings)
    census.settle()
    ties = Ties(census, findings, Undone([], {}))
    ties.check([])
    tally = CounterCheck(census, findings)
    tally.read_lane(0, 0, 0, 0, None, None)
    tally.check(ties.calls)

    assert list(findings) == []


@pytest.mark.parametrize(("lane", "good"), [
    ((0, 3, 0, 3, 1, 3), True), ((0, 3, 0, 2, 1, 3), False), ((0, 3, 0, 3, 2, 4), False), ((0, 0, 0, 1, 1, 1), False),
    ((0, 1, 0, 0, None, None), False), ((0, None, 0, 1, 1, 1), False), ((0, 5, 2, 3, 3, 5), True),
    ((0, 5, 5, 0, None, None), True), ((0, 5, 2, 3, 2, 4), False), ((0, 5, 6, 0, None, None), False),
    ((0, 5, 2, 5, 1, 5), False),
])  # fmt: skip
def test_a_lane_holds_its_entries_once(lane: Any, good: bool) -> None:  # noqa: FBT001
    """Each entry after its base up to its head."""
    findings = Discrepancies()
    census = RowIndex(findings)
    census.settle()
    CounterCheck(census, findings).read_lane(*lane)

    assert [finding.kind for finding in findings] == ([] if good else ["lane_broken"])


def test_findings_are_counted_and_few_are_shown() -> None:
    """They come in the order of their kinds."""
    findings = Discrepancies()
    for number in range(MOST_SHOWN + 5):
        findings.add("blocked_linked", str(number))
    findings.add("linked_apart", "here")
    first, last = findings

    assert (first.kind, first.count, first.examples) == ("linked_apart", 1, ["here"])
    assert (last.kind, last.count, len(last.examples)) == ("blocked_linked", MOST_SHOWN + 5, MOST_SHOWN)
    assert [kind for kind in DIFFERENCES if not DIFFERENCES[kind].endswith(".")] == []
