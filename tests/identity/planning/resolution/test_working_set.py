"""Steps of a plan: merges point to the largest root and keep the oldest id, and every step is recorded."""

import itertools

import pytest

from identity.planning.resolution.plan import Plan
from identity.planning.resolution.planner_state import PlannerState, Profile
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.planning.resolution.working_set import MAX_SOURCES, WorkingSet, set_key
from identity.values.calls import DAY, Call, Identifier, Source
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Stamp
from tests.support.planning.read_calls import key_of, read


def working() -> WorkingSet:
    """An empty working set whose ids count from 1."""
    ids = itertools.count(1)
    return WorkingSet(PlannerState(), DEFAULT_RULES, lambda: ProfileId(next(ids).to_bytes(16, "big")))


def call(day: int = 0, source: int = 1) -> Call:
    """A call of a day from a source."""
    made = read({"type": "track", "event": "E", "userId": "u1"}, DEFAULT_RULES, day * DAY, Source(source))
    assert isinstance(made, Call)
    return made


def named(value: str) -> Identifier:
    """A user id with its key."""
    return Identifier("user_id", value, key_of("user_id", value))


def test_a_merge_points_to_the_largest_root_and_keeps_the_oldest_id() -> None:
    """The canonical id of the oldest stays, whichever root wins."""
    work = working()
    oldest, second, third = work.create(Stamp(1)), work.create(Stamp(2)), work.create(Stamp(3))
    winner, ended = work.merge([second, third], Stamp(4))
    assert (winner, ended) == (second, [third.id])
    winner, ended = work.merge([oldest, second], Stamp(5))

    assert (winner, winner.canonical, winner.oldest_birth, ended) == (second, oldest.id, 1, [second.id])
    assert {profile.root for profile in work.state.profiles.values()} == {second.id}
    assert (oldest.joined_to, oldest.joined_at, winner.folded.origins) == (second.id, 5, 3)


def test_a_root_that_loses_twice_is_moved_to_the_last_one() -> None:
    """The store moves the origins that are not loaded."""
    work = working()
    stored = []
    for nr in (1, 2, 3):
        made, id_ = work.create(Stamp(nr)), bytes((nr,)) * 16
        stored.append(
            Profile(
                id=ProfileId(id_),
                created=Stamp(nr),
                root=ProfileId(id_),
                canonical=ProfileId(id_),
                oldest_birth=Stamp(nr),
                own=made.own,
                folded=made.folded,
            )
        )
    for number, origins in zip(stored, (1, 2, 9), strict=True):
        number.folded.origins = origins
    work = WorkingSet(
        PlannerState(profiles={each.id: each for each in stored}), DEFAULT_RULES, lambda: ProfileId(b"n" * 16)
    )
    work.merge(stored[:2], Stamp(5))
    work.merge(stored[1:], Stamp(6))

    assert work.plan.moved == {stored[0].id: stored[2].id, stored[1].id: stored[2].id}


def test_own_and_folded_counters_count_what_is_linked_and_not_what_is_retired() -> None:
    """A renamed id stays linked and is retired once."""
    work = working()
    profile = work.create(Stamp(1))
    for value in ("u1", "u2"):
        work.gain(named(value), profile, profile, call(), Stamp(1))

    assert work.retire(named("u1").key, profile)
    assert not work.retire(named("u1").key, profile)
    assert (profile.own.live, profile.folded.live) == ([named("u2").key], [named("u2").key])
    assert work.plan.gained[0].retired
    assert work.state.owners.keys() == {named("u1").key, named("u2").key}


@pytest.mark.parametrize(("days", "counted"), [([0, 0, 0], 1), ([0, 1, 1, 2], 3), ([2, 1, 0], 1)])
def test_a_set_seen_again_counts_its_days_and_sources(days: list[int], counted: int) -> None:
    """An earlier day that arrives late counts once, with the day that was counted before."""
    work = working()
    profile = work.create(Stamp(1))
    work.gain(named("u1"), profile, profile, call(), Stamp(1))
    new = [work.sight(call(day, nr), [named("u1")], [], profile, profile) for nr, day in enumerate(days)]

    (seen,) = work.plan.sightings.values()
    assert new == [True, *[False] * (len(days) - 1)]
    assert (seen.seen, seen.days, seen.last_day, seen.sources) == (len(days), counted, max(days), (*range(len(days)),))


def test_a_sighting_names_a_bounded_number_of_sources() -> None:
    """The first ones stay."""
    work = working()
    profile = work.create(Stamp(1))
    work.gain(named("u1"), profile, profile, call(), Stamp(1))
    for nr in range(MAX_SOURCES + 3):
        work.sight(call(0, nr), [named("u1")], [], profile, profile)

    (seen,) = work.plan.sightings.values()
    assert seen.sources == tuple(range(MAX_SOURCES))


def test_a_set_has_one_key_in_any_order() -> None:
    """And another key with any other member."""
    assert set_key([BlindIndex(b"a" * 32), BlindIndex(b"b" * 32)]) == set_key(
        [BlindIndex(b"b" * 32), BlindIndex(b"a" * 32)]
    )
    assert set_key([BlindIndex(b"a" * 32)]) != set_key([BlindIndex(b"a" * 32), BlindIndex(b"b" * 32)])


def test_first_and_last_times_are_those_of_all_calls() -> None:
    """An identifier that is new widens in place; one that is stored is written by origin and key."""
    work = working()
    profile = work.create(Stamp(1))
    work.gain(named("u1"), profile, profile, call(5), Stamp(1))
    work.state.owners[named("u2").key] = profile.id
    for day in (7, 3):
        work.sight(call(day), [named("u1"), named("u2")], [], profile, profile)

    assert (work.plan.gained[0].first_seen, work.plan.gained[0].last_seen) == (3 * DAY, 7 * DAY)
    assert work.plan.seen == {(profile.id, named("u2").key): (3 * DAY, 7 * DAY)}
    assert isinstance(work.plan, Plan)
