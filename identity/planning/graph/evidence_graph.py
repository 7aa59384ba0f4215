"""Builds the evidence graph of one profile, whose links are identifiers seen together, and finds its paths.

The graph depends on the set of observations, never on their order, and paths depend only on the graph. A link
claims no more than its observations, so the answer to "why are these one profile" is calls, not guesses.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import combinations, pairwise
from math import inf, log2
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from identity.values.identifiers import ANONYMOUS_ID, BUILT_IN, EMAIL, PHONE, USER_ID

if TYPE_CHECKING:
    import networkx as nx

Graph: TypeAlias = "nx.Graph[bytes]"

# How much it says that an identifier of this type was there: a user id is given to one person, an
# address may be shared, a device changes hands, a browser's id ends with its cookie. A link weighs
# the product of its ends, so that a browser is tied to the user on it more than to an e-mail that
# two users share, and a minimum cut leaves it with its user.
_WEIGHTS: Final = {USER_ID: 8.0, EMAIL: 4.0, PHONE: 4.0, "ga_client_id": 1.0, ANONYMOUS_ID: 1.0}
_CUSTOM: Final = 3.0
_DEVICE: Final = 2.0

# All pairs of a set grow with its square. In a longer one each identifier is tied to the strongest
# one only: the set stays in one piece, and nobody looks for the pairs of hundreds of identifiers.
ALL_PAIRS: Final = 32


class Observation(Struct, frozen=True):
    """A set of identifiers seen together in one call that taught it, strongest first.

    `count` is how often it was seen again, `days` on how many days, `sources` which sources did.
    """

    origin: bytes
    stamp: int
    keys: tuple[bytes, ...]
    days: int
    sources: tuple[int, ...]
    count: int


class GraphEdge(Struct, frozen=True):
    """Two identifiers seen together: `observations` are the (origin, stamp) of the calls that taught it."""

    a: bytes
    b: bytes
    weight: float
    days: int
    sources: tuple[int, ...]
    count: int
    observations: tuple[tuple[bytes, int], ...]


class Paths(Struct, frozen=True):
    """Two ways from one identifier to another, both ends among the keys of each.

    `shortest` has the fewest links; `strongest` the strongest weakest link, and of such paths the
    fewest links.
    """

    shortest: tuple[bytes, ...]
    strongest: tuple[bytes, ...]


def build(observations: Iterable[Observation], types: Mapping[bytes, str]) -> Graph:
    """The graph of these observations; every key of `types` (key to type name) is a node.

    Keys that are no nodes are passed over: they were removed or never kept. Nodes carry `type` and
    `since`, the stamp of their first observation or None; links what `GraphEdge` has.
    """
    # Imported here because the import takes half a second, and most processes never draw a graph.
    import networkx as nx

    graph: Graph = nx.Graph()
    for key in sorted(types):
        graph.add_node(key, type=types[key], since=None)
    for seen in sorted(observations, key=lambda each: (each.stamp, each.origin, each.keys)):
        keys = [key for key in dict.fromkeys(seen.keys) if key in types]
        for key in keys:
            if graph.nodes[key]["since"] is None:
                graph.nodes[key]["since"] = seen.stamp
        pairs = combinations(keys, 2) if len(keys) <= ALL_PAIRS else ((keys[0], key) for key in keys[1:])
        for a, b in pairs:
            _accumulate(graph, a, b, seen)
    for a, b, data in graph.edges(data=True):
        known = data["days"] * max(1, len(data["sources"]))
        data["weight"] = type_weight(types[a]) * type_weight(types[b]) * log2(1 + max(1, known))
    return graph


def type_weight(type_: str) -> float:
    """How surely an identifier of this type is one person's, more is surer."""
    return _WEIGHTS.get(type_, _DEVICE if type_ in BUILT_IN else _CUSTOM)


def link(graph: Graph, a: bytes, b: bytes) -> GraphEdge:
    """The link between two linked identifiers, the ends as asked for."""
    data = graph[a][b]
    return GraphEdge(
        a,
        b,
        data["weight"],
        data["days"],
        tuple(sorted(data["sources"])),
        data["count"],
        tuple(data["observations"]),
    )


def links(graph: Graph) -> list[GraphEdge]:
    """Every link once, the smaller key first, in the order of the keys."""
    return [link(graph, a, b) for a, b in sorted((min(pair), max(pair)) for pair in graph.edges)]


def along(graph: Graph, path: Sequence[bytes]) -> list[GraphEdge]:
    """The links of a path, in its direction."""
    return [link(graph, a, b) for a, b in pairwise(path)]


def paths(graph: Graph, a: bytes, b: bytes) -> Paths | None:
    """The shortest and the strongest path from `a` to `b`; None where there is none.

    Time is in proportion to the links (times a logarithm), never to pairs of identifiers.
    """
    if a not in graph or b not in graph:
        return None
    weakest = _widest(graph, a, b)
    if weakest is None:
        return None
    return Paths(_shortest(graph, a, b, 0.0), _shortest(graph, a, b, weakest))


def _accumulate(graph: Graph, a: bytes, b: bytes, seen: Observation) -> None:
    if not graph.has_edge(a, b):
        graph.add_edge(a, b, weight=0.0, days=0, sources=set(), count=0, observations=[])
    data = graph[a][b]
    data["days"] += seen.days
    data["sources"].update(seen.sources)
    data["count"] += seen.count
    data["observations"].append((seen.origin, seen.stamp))


def _widest(graph: Graph, a: bytes, b: bytes) -> float | None:
    """The weight of the weakest link of the strongest path; None where there is no path."""
    queue = [(-inf, a)]
    done: set[bytes] = set()
    while queue:
        width, key = heappop(queue)
        if key == b:
            return -width
        if key in done:
            continue
        done.add(key)
        for near, data in graph[key].items():
            if near not in done:
                heappush(queue, (max(width, -data["weight"]), near))
    return None


def _shortest(graph: Graph, a: bytes, b: bytes, least: float) -> tuple[bytes, ...]:
    """The path of fewest links of at least this weight; of those the one whose weakest link is strongest.

    There must be one. A key is entered from the best of those one link nearer to `a`, all of which
    are settled before it is left.
    """
    steps = {a: 0}
    best: dict[bytes, tuple[float, float, bytes]] = {a: (inf, inf, b"")}
    queue = deque([a])
    while queue:
        key = queue.popleft()
        if key == b:
            break
        for near, data in graph[key].items():
            weight = data["weight"]
            if weight < least or steps.setdefault(near, steps[key] + 1) != steps[key] + 1:
                continue
            way = (min(best[key][0], weight), weight, key)
            if near not in best:
                queue.append(near)
                best[near] = way
            elif way > best[near]:
                best[near] = way
    path = [b]
    while path[-1] != a:
        path.append(best[path[-1]][2])
    return tuple(reversed(path))
