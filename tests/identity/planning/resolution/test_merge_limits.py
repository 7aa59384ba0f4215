"""Limits on merging: only a union breaks one."""

import pytest

from identity.planning.resolution.counters import attach
from identity.planning.resolution.merge_limits import SEPARATED, Candidate, misfit, over, separated, united
from identity.planning.resolution.planner_state import Counters, Profile
from identity.planning.resolution.resolution_rules import compile_rules
from identity.values.calls import Identifier
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp
from tests.support.planning.read_calls import key_of

RULES = compile_rules(
    {"limits": {"user_id": {"max": 1}, "email": {"max": 2}}, "max_identifiers": 4, "max_merges": 1}, 1
)


def named(text: str) -> Identifier:
    """An identifier with its key."""
    type_, _, value = text.partition(":")
    return Identifier(type_, value, key_of(type_, value))


def root(*texts: str, origins: int = 1) -> Profile:
    """A profile that holds these identifiers."""
    held = Counters(types={}, live=[], origins=origins)
    for text in texts:
        attach(held, named(text).key, named(text).type)
    id_ = key_of("root", " ".join(texts))[:16]
    return Profile(
        id=ProfileId(id_),
        created=Stamp(1),
        root=ProfileId(id_),
        canonical=ProfileId(id_),
        oldest_birth=Stamp(1),
        own=held,
        folded=held,
    )


@pytest.mark.parametrize(
    ("parts", "fresh", "limit", "broken"),
    [([1, 1], 0, 1, True), ([3], 0, 1, False), ([3], 1, 1, True), ([3, 0], 0, 1, False), ([1], 1, 2, False)],
)
def test_only_a_union_breaks_a_limit(parts: list[int], fresh: int, limit: int, broken: bool) -> None:  # noqa: FBT001
    """A profile that is over a stricter limit since the rules changed stays as it is."""
    assert over(parts, fresh, limit) is broken


@pytest.mark.parametrize(
    ("sides", "fresh", "reason"),
    [
        ([root("user_id:a"), root("user_id:b")], [], "limit:user_id"),
        ([root("user_id:a", "email:a"), root("user_id:b", "email:b", "email:c")], [], "limit:user_id"),
        ([root("user_id:a")], ["user_id:b"], "limit:user_id"),
        (
            [root("email:a", "anonymous_id:1")],
            ["anonymous_id:2", "anonymous_id:3", "anonymous_id:4"],
            "max_identifiers",
        ),
        ([root("email:a", origins=2), root("email:b")], [], "max_merges"),
        ([root("user_id:a"), root("email:b")], [], None),
        ([root("user_id:a", "user_id:b", "email:c", "email:d", "email:e")], [], None),
    ],
)
def test_the_first_limit_that_a_candidate_breaks_is_named(
    sides: list[Profile], fresh: list[str], reason: str | None
) -> None:
    """By priority of the types, then the number of identifiers, then the number of merges."""
    candidate = Candidate()
    for side in sides:
        candidate = candidate.add(named("email:seen"), side)
    for text in fresh:
        candidate = candidate.add(named(text), None)

    assert misfit(candidate, Micros(0), RULES, {}) == reason


def test_both_sides_of_a_cut_stay_separate() -> None:
    """Unless one profile spans the cut already."""
    left, right, spanning = root("email:a"), root("email:b"), root("email:c")
    left.folded.cuts, right.folded.cuts, spanning.folded.cuts = {b"c": (1, 0)}, {b"c": (0, 1)}, {b"c": (1, 1)}

    assert misfit(Candidate(roots=[left, right]), Micros(0), RULES, {}) == SEPARATED
    assert not separated(Candidate(roots=[left, spanning]), {})
    fresh = Candidate(roots=[left]).add(named("email:new"), None)
    assert separated(fresh, {named("email:new").key: [(b"c", 1)]})
    assert not separated(fresh, {named("email:new").key: [(b"c", 0)]})


def test_a_candidate_without_an_identifier_loses_its_side() -> None:
    """A side stays as long as another identifier is held there."""
    side, one, two = root("email:a", "email:b"), named("email:a"), named("email:b")
    candidate = Candidate().add(one, side).add(two, side).add(named("email:c"), None)

    assert candidate.without([one]).roots == [side]
    rest = candidate.without([one, two])
    assert (rest.roots, [each.text for each in rest.fresh]) == ([], ["email:c"])


def test_the_two_ids_of_an_alias_count_as_one_profile() -> None:
    """Which has the retired id no longer among its live ones."""
    old, new = named("user_id:old"), named("user_id:new")
    pair = Candidate().add(old, root("user_id:old")).add(new, root("user_id:new"))
    assert misfit(pair, Micros(0), RULES, {}) == "limit:user_id"
    profile = united(pair, old, Micros(0), RULES, {})

    assert (profile.folded.live, profile.folded.origins) == ([new.key], 2)
    exempt = pair.exempting(profile)
    assert misfit(exempt, Micros(0), RULES, {}) is None
    assert misfit(exempt.add(named("user_id:third"), None), Micros(0), RULES, {}) == "limit:user_id"
