"""Places the identifiers of a graph in a picture, without chance.

Linked identifiers are near each other, unconnected parts are apart, and no two identifiers overlap. The same
graph always has the same layout, so a picture can be compared with an earlier one.
"""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

from identity.planning.graph.evidence_graph import Graph
from identity.planning.graph.over_merge_review import Review
from identity.values.extras import extra
from identity.values.ids import BlindIndex

if TYPE_CHECKING:
    import networkx as nx

# The Kamada-Kawai layout uses the space best in cubic time; larger parts use a force layout in quadratic time.
_ALL_DISTANCES: Final = 150
_ROUNDS: Final = 60
_SEED: Final = 7
# In units: the least distance of two identifiers, the least gap between two parts, and the ratio of width to height.
_APART: Final = 0.6
_GAP: Final = 1.0
_WIDE: Final = 1.4
_PUSHES: Final = 200


def layout(nodes: Sequence[str], links: Iterable[tuple[str, str]]) -> dict[str, tuple[float, float]]:
    """The position (x, y) of each node, from the links between nodes; a unit is about the space of a node.

    The layout of 1,000 nodes takes seconds, and ten times as many nodes take a hundred times as long.
    """
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(sorted(nodes))
    graph.add_edges_from(sorted((min(a, b), max(a, b)) for a, b in links))
    parts = sorted((sorted(part) for part in nx.connected_components(graph)), key=lambda part: (-len(part), part))
    return _arranged([_part_layout(graph, part) for part in parts])


def most_relevant(graph: Graph, reviewed: Review, most: int) -> list[BlindIndex]:
    """The `most` most relevant identifiers of a graph too large to draw.

    The identifiers in the review come first, then those with the strongest links: most omitted identifiers then have a
    link to a drawn one.
    """
    named = [node.key for node in reviewed.cut_nodes]
    if reviewed.split is not None:
        named += [reviewed.split.stays, reviewed.split.leaves, *(key for pair in reviewed.split.links for key in pair)]
    named += [key for bridge in reviewed.bridges for key in (bridge.a, bridge.b)]
    strengths = dict(graph.degree(weight="weight"))
    return list(dict.fromkeys([*named, *sorted(graph, key=lambda key: (-strengths[key], key))]))[:most]


def _part_layout(graph: "nx.Graph[str]", names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """The layout of one connected part: centred, its longer axis horizontal, with a unit of area for each node."""
    with extra("analysis"):
        import networkx as nx
        import numpy as np

    if len(names) == 1:
        return {names[0]: (0.0, 0.0)}
    part: nx.Graph[str] = nx.Graph()
    part.add_nodes_from(names)
    part.add_edges_from(graph.edges(names))
    found: Any = (
        nx.kamada_kawai_layout(part)
        if len(part) <= _ALL_DISTANCES
        else nx.spring_layout(part, seed=_SEED, iterations=_ROUNDS, method="force")
    )
    points = np.array([found[name] for name in names])
    points -= points.mean(axis=0)
    points = points @ np.linalg.svd(points, full_matrices=False)[2].T
    wide, high = np.ptp(points, axis=0)
    points *= min((len(names) - 1) / wide, sqrt(len(names) / max(wide * high, 1e-9)))
    return dict(zip(names, map(tuple, _pushed_apart(points).tolist()), strict=True))


def _pushed_apart(points: Any) -> Any:
    """Move points apart that are too near each other, for at most `_PUSHES` rounds."""
    import numpy as np
    from scipy.spatial import cKDTree

    for _ in range(_PUSHES):
        near = cKDTree(points).query_pairs(_APART * 0.98, output_type="ndarray")
        if not len(near):
            break
        near = near[np.lexsort(near.T)]
        direction = points[near[:, 0]] - points[near[:, 1]]
        length = np.hypot(direction[:, 0], direction[:, 1])[:, None]
        # Two nodes on one point move in opposite directions, which differ for each pair.
        angle = near.sum(axis=1)[:, None] + np.array([0.0, np.pi / 2])
        direction = np.where(length > 0, direction / np.maximum(length, 1e-12), np.sin(angle))
        push = direction * (_APART - length) / 2
        np.add.at(points, near[:, 0], push)
        np.add.at(points, near[:, 1], -push)
    return points


def _arranged(parts: Sequence[dict[str, tuple[float, float]]]) -> dict[str, tuple[float, float]]:
    """Arrange the parts in rows from the top, the largest first."""
    boxes = []
    for part in parts:
        xs, ys = zip(*part.values(), strict=True)
        boxes.append((min(xs), max(ys), max(xs) - min(xs) + _GAP, max(ys) - min(ys) + _GAP))
    row = max([sqrt(_WIDE * sum(wide * high for *_, wide, high in boxes)), *(box[2] for box in boxes)], default=0.0)
    places: dict[str, tuple[float, float]] = {}
    x = y = lowest = 0.0
    for part, (left, top, wide, high) in zip(parts, boxes, strict=True):
        if x and x + wide > row:
            x, y, lowest = 0.0, y - lowest, 0.0
        places.update((name, (px - left + x, py - top + y)) for name, (px, py) in part.items())
        x, lowest = x + wide, max(lowest, high)
    return places
