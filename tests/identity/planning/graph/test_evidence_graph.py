"""A link is the sum of its observations, and no path between two identifiers is better than the paths found."""

from itertools import combinations, pairwise
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.graph.evidence_graph import (
    ALL_PAIRS,
    Graph,
    build_graph,
    link,
    links,
    path_links,
    paths,
    type_weight,
)
from identity.values.ids import BlindIndex
from tests.support.planning.evidence_graphs import graph, pairs, seen, small_graphs, types


def test_every_key_of_the_profile_is_a_node_and_no_other() -> None:
    """A key without shared observations has no link; the graph ignores keys outside the profile."""
    g = build_graph(
        [seen("u1 e1 a1 e1", 5)],
        {BlindIndex(b"u1"): "user_id", BlindIndex(b"a1"): "anonymous_id", BlindIndex(b"a2"): "anonymous_id"},
    )

    assert set(g) == {b"u1", b"a1", b"a2"}
    assert pairs(g) == {"a1-u1"}
    assert [g.nodes[BlindIndex(key)]["since"] for key in (b"u1", b"a1", b"a2")] == [5, 5, None]


def test_a_link_is_the_sum_of_its_observations() -> None:
    """A link adds days and counts, unites sources, and lists observations in the order of their stamps."""
    g = graph(seen("u1 a1", 9, 3, (2, 7), 4), seen("a1 u1 e1", 2, 1, (2,), 1))

    found = link(g, BlindIndex(b"a1"), BlindIndex(b"u1"))

    assert (found.days, found.sources, found.count) == (4, (2, 7), 5)
    assert found.observations == ((b"origin", 2), (b"origin", 9))
    assert found.weight == pytest.approx(8 * 1 * log2(1 + 4 * 2))
    assert link(g, BlindIndex(b"e1"), BlindIndex(b"u1")).weight == pytest.approx(8 * 4 * log2(2))


def test_a_long_observation_is_a_star() -> None:
    """Up to 32 keys all pairs have a link; in a longer observation each key has a link to the strongest node."""
    whole = seen("u1 " + " ".join(f"a{n}" for n in range(ALL_PAIRS - 1)))
    longer = seen("u0 u1 " + " ".join(f"a{n}" for n in range(ALL_PAIRS)))
    known = {key: type_ for key, type_ in types(longer).items() if key != b"u0"}

    assert graph(whole).number_of_edges() == ALL_PAIRS * (ALL_PAIRS - 1) // 2
    assert pairs(build_graph([longer], known)) == {f"a{n}-u1" for n in range(ALL_PAIRS)}


def test_the_order_of_observations_changes_nothing() -> None:
    """Observations in reverse order give the same links."""
    made = [seen("u1 a1", 3), seen("u1 e1 a1", 1, 2), seen("e1 d1", 2)]

    assert links(graph(*made)) == links(graph(*reversed(made)))


def test_user_ids_weigh_most_and_browsers_least() -> None:
    """The weights fall from user ids over e-mails, custom types and devices to browsers."""
    weights = [type_weight(each) for each in ("user_id", "email", "crm", "ios.id", "anonymous_id")]

    assert weights == sorted(set(weights), reverse=True)
    assert type_weight("phone") == type_weight("email")


def test_the_shortest_path_may_be_weaker() -> None:
    """One weak link is the shortest path, and two strong links are the strongest path."""
    g = graph(seen("u1 a1", 1), seen("u1 e1", 2, 30), seen("e1 a1", 3, 30))

    found = paths(g, BlindIndex(b"u1"), BlindIndex(b"a1"))

    assert found is not None
    assert found.shortest == (b"u1", b"a1")
    assert found.strongest == (b"u1", b"e1", b"a1")
    assert [(each.a, each.b) for each in path_links(g, found.strongest)] == [(b"u1", b"e1"), (b"e1", b"a1")]


def test_of_two_shortest_paths_the_stronger_is_found() -> None:
    """Of the paths with two links, the path with the strongest weakest link is found."""
    g = graph(
        seen("u1 a1"), seen("a1 u2"), seen("u1 a0", 1, 9), seen("a0 u2", 1, 9), seen("u1 a2", 1, 99), seen("a2 u2")
    )

    found = paths(g, BlindIndex(b"u1"), BlindIndex(b"u2"))

    assert found is not None
    assert found.shortest == (b"u1", b"a0", b"u2")


def test_unconnected_identifiers_have_no_path() -> None:
    """There is no path between unconnected parts or to a key outside the graph; a path to itself is one key."""
    g = graph(seen("u1 a1"), seen("u2 a2"))
    itself = paths(g, BlindIndex(b"u1"), BlindIndex(b"u1"))

    assert paths(g, BlindIndex(b"u1"), BlindIndex(b"a2")) is None
    assert paths(g, BlindIndex(b"u1"), BlindIndex(b"u9")) is None
    assert itself is not None
    assert (itself.shortest, itself.strongest) == ((b"u1",), (b"u1",))


@given(st.lists(st.tuples(st.sampled_from(["u1 a1", "u1 e1 a1", "e1 a1"]), st.integers(1, 99)), min_size=1))
def test_a_link_has_the_earliest_and_latest_time_of_its_calls(calls: list[tuple[str, int]]) -> None:
    """In whatever order the observations come, and however many sets hold both ends."""
    found = {(each.a, each.b): (each.first_seen, each.last_seen) for each in links(graph(*(seen(*at) for at in calls)))}

    ends = {tuple(sorted(pair)) for keys, _ in calls for pair in combinations(keys.encode().split(), 2)}
    assert found.keys() == ends
    for pair, times in found.items():
        of = [seen(*at) for at in calls if {each.decode() for each in pair} <= set(at[0].split())]
        assert times == (min(each.first_seen for each in of), max(each.last_seen for each in of))


@given(small_graphs())
def test_paths_are_the_best_of_all(g: Graph) -> None:
    """Compared with all simple paths: the fewest links, the strongest weakest link, and both tie-breaks."""
    import networkx as nx

    a, b = sorted(g)[:2]
    every = [tuple(path) for path in nx.all_simple_paths(g, a, b)]
    found = paths(g, a, b)

    def weakest(path: tuple[BlindIndex, ...]) -> float:
        return min(float(g.edges[pair]["weight"]) for pair in pairwise(path))

    assert (found is None) == (not every)
    if found is None:
        return
    assert found.shortest in every
    assert found.strongest in every
    fewest = min(len(path) for path in every)
    assert len(found.shortest) == fewest
    assert weakest(found.shortest) == max(weakest(path) for path in every if len(path) == fewest)
    widest = max(weakest(path) for path in every)
    assert weakest(found.strongest) == widest
    assert len(found.strongest) == min(len(path) for path in every if weakest(path) == widest)
