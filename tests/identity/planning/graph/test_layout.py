"""The same graph has the same positions, and no two nodes overlap."""

from itertools import combinations, pairwise
from math import dist

import pytest

from identity.planning.graph.layout import layout


def star(name: str, leaves: int) -> list[tuple[str, str]]:
    """A user with a number of browsers."""
    return [(name, f"{name}-{n}") for n in range(leaves)]


CASES = {
    "nobody": [],
    "one": [("a", "a")],
    "two": [("a", "b")],
    "a chain": list(pairwise("abcdefghij")),
    "two parts": [*star("u", 9), *star("v", 4), ("alone", "alone")],
    "all distances": [*star("u", 70), *star("v", 70), ("u", "v")],
    "forces": [*star("u", 150), *star("v", 150), ("u", "v")],
}


@pytest.mark.parametrize("links", CASES.values(), ids=CASES.keys())
def test_every_node_has_a_place_of_its_own(links: list[tuple[str, str]]) -> None:
    """No two nodes overlap, and the order of nodes and links changes no position."""
    nodes = sorted({end for link in links for end in link})
    places = layout(nodes, links)

    assert sorted(places) == nodes
    assert all(dist(a, b) > 0.4 for a, b in combinations(places.values(), 2))
    assert places == layout(nodes[::-1], [(b, a) for a, b in reversed(links)])


def test_unconnected_parts_do_not_overlap() -> None:
    """The bounding boxes of two parts are disjoint."""
    links = [*star("u", 20), *star("v", 20), *star("w", 3)]
    places = layout([end for link in links for end in link], links)
    boxes = []
    for name in "uvw":
        xs, ys = zip(*(place for node, place in places.items() if node.startswith(name)), strict=True)
        boxes.append((min(xs), max(xs), min(ys), max(ys)))

    for one, other in combinations(boxes, 2):
        assert one[1] < other[0] or other[1] < one[0] or one[3] < other[2] or other[3] < one[2]
