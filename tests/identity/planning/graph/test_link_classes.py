"""The class of a link, and the sides of a profile that public keys alone have joined."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.graph.link_classes import LinkClasses, NamedTogether, part, sides
from identity.values.enums import TrustClass
from identity.values.ids import BlindIndex

KEYS = [BlindIndex(bytes([number]) * 32) for number in range(6)]


@st.composite
def calls(draw: Any) -> NamedTogether:
    """A call of any class, which may name identifiers that the profile has lost."""
    keys = tuple(draw(st.lists(st.sampled_from([*KEYS, BlindIndex(b"gone" * 8)]), min_size=2, max_size=4, unique=True)))
    proven = frozenset(draw(st.lists(st.sampled_from(KEYS), max_size=3)))
    return NamedTogether(keys, server=draw(st.booleans()), proven=proven)


def vouched(named: Sequence[NamedTogether], a: BlindIndex, b: BlindIndex) -> TrustClass:
    """The class of a link by its definition."""
    classes = [TrustClass.PUBLIC]
    for each in named:
        if a in each.keys and b in each.keys:
            if each.server:
                return TrustClass.SERVER
            if {a, b} <= each.proven:
                classes.append(TrustClass.PROVEN)
    return classes[-1]


@given(st.lists(calls(), max_size=8))
def test_a_link_is_as_good_as_its_best_call(named: list[NamedTogether]) -> None:
    """In either direction."""
    classes = LinkClasses(named)
    for a, b in combinations(KEYS, 2):
        assert classes.of(a, b) == classes.of(b, a) == vouched(named, a, b)


@given(st.lists(calls(), max_size=8))
def test_only_chains_of_vouched_links_make_one_side(named: list[NamedTogether]) -> None:
    """Compared with a search along the links; each identifier is on one side, in the order of the profile."""
    present = [each for each in named if not {b"gone" * 8} & set(each.keys)]
    found = sides(KEYS, present)
    assert sorted(key for side in found for key in side) == KEYS
    assert found == sorted(found)
    for side in found:
        reached, waiting = {side[0]}, [side[0]]
        while waiting:
            at = waiting.pop()
            linked = {key for key in KEYS if key != at and vouched(present, at, key) is not TrustClass.PUBLIC}
            waiting += sorted(linked - reached)
            reached |= linked
        assert reached == set(side)


@given(st.lists(calls(), max_size=8), st.sets(st.sampled_from(KEYS), min_size=1), st.lists(calls(), max_size=4))
def test_public_calls_move_nothing_to_the_side_of_a_request(
    named: list[NamedTogether], asked: set[BlindIndex], attack: list[NamedTogether]
) -> None:
    """Whatever they name: what a request is about after a cut depends on servers and tokens alone."""
    public = [NamedTogether(each.keys) for each in attack]
    side, joined = part(sides(KEYS, [*named, *public]), asked)
    assert (side, joined) == part(sides(KEYS, named), asked)
    assert asked <= set(side)
    assert sorted([*side, *joined]) == KEYS


def test_an_identifier_that_was_removed_still_joins_what_one_call_named() -> None:
    """The call is evidence of the others."""
    gone = BlindIndex(b"gone" * 8)
    assert sides(KEYS[:2], [NamedTogether((gone, *KEYS[:2]), server=True)]) == [KEYS[:2]]
