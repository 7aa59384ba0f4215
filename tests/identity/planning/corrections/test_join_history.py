"""The joins of one side of an unmerge: every two origins keep the stamp at which they met."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.corrections.join_history import side_joins
from identity.planning.resolution.planner_state import Counters, Profile
from identity.values.ids import ProfileId
from identity.values.stamps import Stamp


def origin(number: int) -> Profile:
    """A profile with a single origin."""
    id_ = number.to_bytes(16, "big")
    return Profile(
        id=ProfileId(id_),
        created=Stamp(number),
        root=ProfileId(id_),
        canonical=ProfileId(id_),
        oldest_birth=Stamp(number),
        own=Counters(types={}, live=[]),
        folded=Counters(types={}, live=[]),
    )


def merged(count: int, choices: list[int]) -> dict[ProfileId, Profile]:
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
                loser.joined_to, loser.joined_at = winner.id, Stamp(stamp)
                winner.folded.origins += loser.folded.origins
                winner.oldest_birth = min(winner.oldest_birth, loser.oldest_birth)
        roots.append(winner)
    return profiles


def met(a: ProfileId, b: ProfileId, joined: dict[ProfileId, tuple[ProfileId, Stamp]]) -> int:
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
    there = {id_: id_ if id_ != split else ProfileId(b"twin") for id_ in side}
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
