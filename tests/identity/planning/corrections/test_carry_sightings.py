"""Sightings after a rebuild: the same evidence leaves them as they are, moved evidence takes the plain calls along."""

from identity.planning.corrections.carry_sightings import SightingPlace, carry_sightings
from identity.planning.resolution.planner_state import Sighting
from identity.values.calls import DAY
from identity.values.ids import ProfileId, SetKey
from identity.values.stamps import Micros, Stamp


def place(name: str) -> SightingPlace:
    """A set of identifiers at an origin."""
    return ProfileId(name.encode() * 16), SetKey(name.encode() * 16)


def sighting(*, seen: int, days: int, first: int, last: int, sources: tuple[int, ...] = (1,)) -> Sighting:
    """A set that was seen from one day to another."""
    return Sighting(
        seen=seen,
        days=days,
        last_day=last,
        first_seen=Micros(first * DAY),
        last_seen=Micros(last * DAY),
        sources=sources,
    )


A, B = place("a"), place("b")
CALLS = {Stamp(1): A, Stamp(2): A, Stamp(3): A}


def test_the_same_evidence_leaves_a_sighting_as_it_is() -> None:
    """Also where the replay counts more days, since it lacks the plain call of day 9 before the call of day 2."""
    stored = sighting(seen=4, days=2, first=1, last=9)
    replayed = sighting(seen=3, days=3, first=1, last=3)

    assert carry_sightings({A: stored}, {A: replayed}, CALLS, CALLS) == {A: stored}


def test_the_plain_calls_go_with_the_last_of_the_evidence() -> None:
    """They count at the place of the last call, with their days, times and sources."""
    stored = sighting(seen=5, days=4, first=1, last=9, sources=(1, 2))
    replayed = {
        A: sighting(seen=2, days=2, first=1, last=2),
        B: sighting(seen=1, days=1, first=3, last=3, sources=(3,)),
    }
    after = {**CALLS, Stamp(3): B}

    assert carry_sightings({A: stored}, replayed, CALLS, after) == {
        A: replayed[A],
        B: sighting(seen=3, days=4, first=1, last=9, sources=(1, 2, 3)),
    }


def test_two_sightings_that_become_one_add_up() -> None:
    """The plain calls of both count."""
    stored = {A: sighting(seen=3, days=1, first=1, last=1), B: sighting(seen=4, days=3, first=2, last=4, sources=(2,))}
    before = {Stamp(1): A, Stamp(2): B}
    replayed = {A: sighting(seen=2, days=2, first=1, last=2)}

    assert carry_sightings(stored, replayed, before, dict.fromkeys(before, A)) == {
        A: sighting(seen=7, days=3, first=1, last=4, sources=(1, 2))
    }


def test_a_sighting_whose_calls_identify_nobody_ends() -> None:
    """Its plain calls are no sighting of anybody else."""
    assert carry_sightings({A: sighting(seen=4, days=2, first=1, last=9)}, {}, CALLS, {}) == {}
