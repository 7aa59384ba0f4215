"""A review names the nodes and links that connect strong ids, and suggests a split that separates two of them."""

from collections.abc import Set as AbstractSet
from itertools import combinations
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.graph.evidence_graph import Graph, Observation
from identity.planning.graph.layout import most_relevant
from identity.planning.graph.over_merge_review import MOST_CUTS, Review, review
from identity.values.ids import BlindIndex
from tests.support.planning.evidence_graphs import graph, seen, small_graphs


def reviewed(*observations: Observation, retired: AbstractSet[BlindIndex] = frozenset()) -> Review:
    """The review of the graph of these observations."""
    g = graph(*observations)
    return review(g, kinds(g), retired)


def kinds(g: Graph) -> dict[BlindIndex, str]:
    """The types of the nodes of a graph."""
    return {key: data["type"] for key, data in g.nodes(data=True)}


def words(keys: AbstractSet[BlindIndex]) -> str:
    """Keys as text, in order."""
    return " ".join(key.decode() for key in sorted(keys))


def groups(g: Graph, without: AbstractSet[BlindIndex], strong: AbstractSet[BlindIndex]) -> int:
    """The number of parts with strong ids in the graph without these nodes."""
    import networkx as nx

    left = g.subgraph(set(g) - without)
    return sum(not part.isdisjoint(strong) for part in nx.connected_components(left))


def test_a_shared_email_is_the_first_cut_node_of_an_over_merge() -> None:
    """S167: the e-mail comes first though both browsers are cut nodes too; two bridges, two communities."""
    found = reviewed(
        seen("u1 c1 a1", 1), seen("u1 d1 a1", 2), seen("u2 c2 a2", 3),
        seen("u2 d2 a2", 4), seen("e a1", 5), seen("e a2", 6),
    )  # fmt: skip

    assert [each.key for each in found.cut_nodes] == [b"e", b"a1", b"a2"]
    assert [(each.a, each.b, each.strong_a, each.strong_b) for each in found.bridges] == [
        (b"a1", b"e", 1, 1),
        (b"a2", b"e", 1, 1),
    ]
    assert found.communities == 2
    assert found.split is not None
    assert words(found.split.leaving) == "a2 c2 d2 u2"
    assert found.split.links == ((b"e", b"a2"),)
    assert not found.bounded


@pytest.mark.parametrize("days", [(1, 1), (1, 30), (30, 1)])
@pytest.mark.parametrize("apart", [True, False], ids=["browsers apart", "browsers in the call"])
def test_two_users_who_share_an_email_are_split(*, days: tuple[int, int], apart: bool) -> None:
    """Each user keeps his or her own identifiers."""
    if apart:
        calls = [seen("u1 e", 1, days[0]), seen("u1 a1 d1", 2), seen("u2 e", 3, days[1]), seen("u2 a2", 4)]
    else:
        calls = [seen("u1 e a1", 1, days[0]), seen("u1 d1", 2), seen("u2 e a2", 3, days[1])]
    found = reviewed(*calls)

    assert found.cut_nodes[0].key == b"e"
    assert found.cut_nodes[0].groups == found.communities == 2
    assert found.linked[BlindIndex(b"e")] == 2
    assert found.linked[BlindIndex(b"a1")] == 1
    assert found.split is not None
    assert {b"u1", b"a1", b"d1"} <= found.split.staying
    assert {b"u2", b"a2"} <= found.split.leaving
    assert (found.split.stays, found.split.leaves) == (b"u1", b"u2")


def test_an_identifier_with_equal_links_stays_with_the_oldest_user() -> None:
    """The oldest user is the first observed one, not the one with the smaller key."""
    found = reviewed(seen("u2 e", 1), seen("u1 e", 2))

    assert found.split is not None
    assert (words(found.split.staying), words(found.split.leaving)) == ("e u2", "u1")


def test_of_equal_cuts_none_separates_a_user_from_all_identifiers() -> None:
    """In a chain of equal links the cut is in the middle, not at a user id."""
    calls = [seen("u1 a1"), seen("u2 a2"), seen("a1 a2", 3, 255)]
    g = graph(*calls)

    assert len({data["weight"] for _, _, data in g.edges(data=True)}) == 1
    found = review(g, kinds(g), frozenset())
    assert found.split is not None
    assert words(found.split.leaving) == "a2 u2"


def test_an_email_of_many_users_comes_before_their_browsers() -> None:
    """The e-mail connects most pairs; without it each user is a separate group."""
    users = range(5)
    found = reviewed(*(seen(f"u{n} a{n}", n) for n in users), *(seen(f"e a{n}", 9 + n) for n in users))

    assert found.cut_nodes[0].key == b"e"
    assert (found.cut_nodes[0].groups, found.cut_nodes[0].pairs) == (5, 10)
    assert {each.pairs for each in found.cut_nodes[1:]} == {4}
    assert found.communities == 5
    assert found.split is not None
    assert words(found.split.leaving) == "a4 u4"


def test_a_retired_user_id_is_not_strong() -> None:
    """A renamed user id does not make an over-merge."""
    calls = [seen("u1 e"), seen("u2 e", 2)]

    assert reviewed(*calls).split is not None
    found = reviewed(*calls, retired={BlindIndex(b"u1")})
    assert found.split is None
    assert (found.cut_nodes, found.bridges) == ((), ())
    assert found.linked == {b"e": 1}


@pytest.mark.parametrize("calls", [[], [seen("a1")], [seen("u1 a1"), seen("a1 e1", 2)]])
def test_fewer_than_two_strong_ids_have_nothing_to_report(calls: list[Observation]) -> None:
    """There is one community, and there are no cut nodes, bridges or splits."""
    found = reviewed(*calls)

    assert (found.cut_nodes, found.bridges, found.communities, found.split) == ((), (), 1, None)


def test_a_split_of_unconnected_users_has_no_weight() -> None:
    """No link connects the users, and identifiers connected to neither stay."""
    found = reviewed(seen("u1"), seen("u2 a2", 2), seen("a3 a4", 3))

    assert found.communities == 2
    assert found.split is not None
    assert (words(found.split.staying), words(found.split.leaving)) == ("a3 a4 u1", "a2 u2")
    assert (found.split.links, found.split.weight) == ((), 0.0)


def test_among_very_many_users_the_weakest_linked_are_tried() -> None:
    """The review reports that its search was bounded."""
    calls = [seen(f"u{n} e a{n}", n, 2 if n else 9) for n in range(MOST_CUTS + 10)] + [seen("u9999 e", 999)]
    found = reviewed(*calls)

    assert found.bounded
    assert found.split is not None
    assert words(found.split.leaving) == "u9999"
    assert not reviewed(*calls[: MOST_CUTS + 1]).bounded


def test_the_most_relevant_identifiers_of_a_large_graph_are_drawn() -> None:
    """The identifiers in the review come first, then those with the strongest links."""
    calls = [seen(f"u1 a{n}", n) for n in range(50)] + [seen("u2 e", 60), seen("a7 e", 61)]
    g = graph(*calls)
    kept = most_relevant(g, review(g, kinds(g), frozenset()), 6)

    assert len(kept) == len(set(kept)) == 6
    assert {b"u1", b"u2", b"e", b"a7"} <= set(kept)


@given(small_graphs(), st.data())
def test_every_report_is_true_of_the_graph(g: Graph, data: st.DataObject) -> None:
    """Cut nodes and bridges are exactly the nodes and links whose removal separates strong ids."""
    import networkx as nx

    retired = data.draw(st.sets(st.sampled_from(sorted(g)), max_size=1))
    found = review(g, kinds(g), retired)
    strong = frozenset(key for key in g if kinds(g)[key] == "user_id" and key not in retired)

    def holds(without: AbstractSet[BlindIndex], cut: tuple[BlindIndex, BlindIndex] | None = None) -> bool:
        left = nx.Graph(g.subgraph(set(g) - without))
        left.remove_edges_from([cut] if cut else [])
        return any(
            nx.has_path(g, a, b) and not nx.has_path(left, a, b) for a, b in combinations(sorted(strong - without), 2)
        )

    assert {each.key for each in found.cut_nodes} == {key for key in g if holds({key})}
    assert {(each.a, each.b) for each in found.bridges} == {
        (min(pair), max(pair)) for pair in g.edges if holds(frozenset(), pair)
    }
    for bridge in found.bridges:
        left = nx.Graph(g)
        left.remove_edge(bridge.a, bridge.b)
        assert bridge.strong_a == len(nx.node_connected_component(left, bridge.a) & strong)
        assert bridge.strong_b == len(nx.node_connected_component(left, bridge.b) & strong)
    for each in found.cut_nodes:
        parts = [part & strong for part in nx.connected_components(g.subgraph(set(g) - {each.key}))]
        near = [part for part in parts if any(nx.has_path(g, key, each.key) for key in part)]
        assert each.groups == len(near)
        assert each.pairs == sum(len(a) * len(b) for a, b in combinations(near, 2))
    worst = {found.cut_nodes[0].key} if found.cut_nodes else frozenset[BlindIndex]()
    assert found.communities == max(1, groups(g, worst, strong))


@given(small_graphs())
def test_a_split_separates_all_identifiers_into_two_sides(g: Graph) -> None:
    """The two sides cover the graph, only the cut links run between them, and no cut is much cheaper."""
    import networkx as nx

    strong = sorted(key for key in g if kinds(g)[key] == "user_id")
    split = review(g, kinds(g), frozenset()).split
    assert (split is None) == (len(strong) < 2)
    if split is None:
        return

    assert split.stays in split.staying & set(strong)
    assert split.leaves in split.leaving & set(strong)
    assert split.staying | split.leaving == set(g)
    assert not split.staying & split.leaving
    assert all(a in split.staying and b in split.leaving for a, b in split.links)
    left = nx.Graph(g)
    left.remove_edges_from(split.links)
    assert not any(nx.has_path(left, a, b) for a in split.staying for b in split.leaving)
    assert split.weight == pytest.approx(fsum(g.edges[pair]["weight"] for pair in split.links))
    cheapest = min(nx.minimum_cut_value(g, a, b, capacity="weight") for a, b in combinations(strong, 2))
    assert cheapest - 1e-6 <= split.weight <= cheapest * 1.011 + 0.01
