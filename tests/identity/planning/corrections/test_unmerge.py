"""An unmerge keeps the join stamps on each side and restores values, retired ids and counters."""

from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.corrections.connected_groups import Unmerged, connected_groups
from identity.planning.corrections.join_history import side_joins
from identity.planning.resolution.counters import counted
from identity.planning.resolution.merge_limits import Candidate, separated
from identity.planning.resolution.planner_state import Counters, Profile
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import key_of

USER, OTHER, DEVICE, MAIL = (key_of(*each) for each in (
    ("user_id", "u1"), ("user_id", "u2"), ("anonymous_id", "a1"), ("email", "e@x.org")
))  # fmt: skip


def origin(number: int) -> Profile:
    """A profile with a single origin."""
    id_ = number.to_bytes(16, "big")
    return Profile(
        id=id_,
        created=number,
        root=id_,
        canonical=id_,
        oldest_birth=number,
        own=Counters(types={}, live=[]),
        folded=Counters(types={}, live=[]),
    )


def merged(count: int, choices: list[int]) -> dict[bytes, Profile]:
    """Origins merged into one profile, in an order from the choices."""
    profiles = {each.id: each for each in (origin(n) for n in range(1, count + 1))}
    roots = list(profiles.values())
    stamp = 1_000
    for at in [*choices, *[0] * count]:
        if len(roots) == 1:
            break
        stamp += 1
        size = 2 + at % 2 if len(roots) > 2 else 2
        chosen = [roots.pop((at + n) % len(roots)) for n in range(size)]
        winner = min(chosen, key=lambda root: (-root.folded.origins, root.oldest_birth))
        for loser in chosen:
            if loser is not winner:
                loser.joined_to, loser.joined_at = winner.id, stamp
                winner.folded.origins += loser.folded.origins
                winner.oldest_birth = min(winner.oldest_birth, loser.oldest_birth)
        roots.append(winner)
    return profiles


def met(a: bytes, b: bytes, joined: dict[bytes, tuple[bytes, int]]) -> int:
    """The stamp at which two origins met: the latest join on the path between them."""
    path: dict[bytes, int] = {}
    at, latest = a, 0
    path[at] = latest
    while at in joined:
        at, stamp = joined[at]
        latest = max(latest, stamp)
        path[at] = latest
    at, latest = b, 0
    while at not in path:
        at, stamp = joined[at]
        latest = max(latest, stamp)
    return max(latest, path[at])


@given(st.integers(2, 9), st.lists(st.integers(0, 50), max_size=9), st.data())
def test_origins_of_a_side_keep_the_stamp_at_which_they_met(
    count: int, choices: list[int], data: st.DataObject
) -> None:
    """Two origins of a side have the same meeting stamp before and after, whichever call joined them."""
    profiles = merged(count, choices)
    before = {p.id: (p.joined_to, p.joined_at) for p in profiles.values() if p.joined_to and p.joined_at}
    side = data.draw(st.sets(st.sampled_from(sorted(profiles)), min_size=1))
    # One of them was split: a twin stands for it here.
    split = data.draw(st.sampled_from(sorted(side)))
    there = {id_: id_ if id_ != split else b"twin" for id_ in side}
    births = {there[id_]: profiles[id_].created for id_ in side}

    joins = side_joins(profiles, there, births)

    assert set(joins.joined) | {joins.root} == set(there.values())
    assert joins.root not in joins.joined
    for a, b in combinations(sorted(side), 2):
        assert met(there[a], there[b], joins.joined) == met(a, b, before)


@given(st.integers(2, 9), st.lists(st.integers(0, 50), max_size=9))
def test_joins_stay_unchanged_where_nothing_leaves(count: int, choices: list[int]) -> None:
    """The joins of a side with all origins equal the joins before."""
    profiles = merged(count, choices)
    before = {p.id: (p.joined_to, p.joined_at) for p in profiles.values() if p.joined_to and p.joined_at}

    joins = side_joins(profiles, {id_: id_ for id_ in profiles}, {p.id: p.created for p in profiles.values()})

    assert joins.joined == before


def world(*bodies: dict[str, Any]) -> World:
    """A world after these calls."""
    made = World()
    made.send(bodies, received=2**51)
    return made


def test_the_first_identifier_of_a_profile_can_leave() -> None:
    """The data of the first identifier moves with it, and the staying identifiers keep the profile id."""
    made = world(
        {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"plan": "pro"}},
        {"type": "identify", "anonymousId": "a1", "traits": {"theme": "dark"}},
    )
    id_ = made.view(USER)["profile_id"]
    parting = made.unmerge({USER})
    assert made.view(DEVICE)["profile_id"] == id_
    assert made.view(USER)["traits"] == {"plan": "pro"}
    assert made.view(DEVICE)["traits"] == {"theme": "dark"}
    assert [split.origin for split in parting.splits] == [id_]
    assert made.view(USER)["version"] == made.view(DEVICE)["version"]


def test_a_value_replaced_by_the_other_side_is_current_again() -> None:
    """A value that a call of the other side replaced or outdated is current again."""
    made = world(
        {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"n": "first"}, "timestamp": "2020-01-01"},
        {"type": "identify", "anonymousId": "a1", "traits": {"n": "device"}, "timestamp": "2020-03-01"},
        {"type": "identify", "userId": "u1", "traits": {"n": "late"}, "timestamp": "2020-02-01"},
    )
    assert made.view(USER)["traits"] == {"n": "device"}
    made.unmerge({DEVICE})
    assert made.view(USER)["traits"] == {"n": "late"}
    assert made.view(DEVICE)["traits"] == {"n": "device"}


def test_a_retired_id_counts_again_apart_from_its_new_name() -> None:
    """A retired id counts again on another side than its new name, and stays retired on the same side."""
    for named, lives in (({USER}, True), ({DEVICE}, False)):
        made = world(
            {"type": "identify", "userId": "u1", "anonymousId": "a1"},
            {"type": "alias", "userId": "u2", "previousId": "u1"},
        )
        assert made.gained[USER].retired
        made.unmerge(named)
        assert made.gained[USER].retired is not lives
        root = made.state.root_of(USER)
        assert root is not None
        assert (USER in root.folded.live) is lives


def test_counters_match_the_identifiers_of_each_side() -> None:
    """Own, folded and cut counters match the identifiers on both sides."""
    made = world({"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"email": "e@x.org"}})
    parting = made.unmerge({DEVICE, MAIL})
    assert counted(parting.staying.folded) == ({"user_id": 1}, [USER])
    assert counted(parting.leaving.folded) == ({"anonymous_id": 1, "email": 1}, [])
    assert parting.cut is not None
    assert parting.staying.folded.cuts == {parting.cut: (1, 0)}
    assert parting.leaving.folded.cuts == {parting.cut: (0, 2)}
    assert separated(Candidate(sides=[parting.staying, parting.leaving]), {})


def test_a_call_connects_identifiers_within_a_side_only() -> None:
    """An unmerge contradicts earlier calls between its sides; a call before a link does not connect the link."""
    a, b, c = b"a" * 32, b"b" * 32, b"c" * 32
    linked = dict.fromkeys((a, b, c), 1)
    act = Unmerged(10, {b, c})
    assert connected_groups([a, b, c], 5, linked, [act]) == [(a,), (b, c)]
    assert connected_groups([a, b, c], 15, linked, [act]) == [(a, b, c)]
    assert connected_groups([a, b, c], 5, {**linked, a: 7}, []) == [(b, c)]
    assert connected_groups([a, b], 5, {a: 1}, []) == [(a,)]
