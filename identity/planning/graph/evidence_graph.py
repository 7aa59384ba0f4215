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
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp

if TYPE_CHECKING:
    import networkx as nx

Graph: TypeAlias = "nx.Graph[BlindIndex]"

# The weight of a type is the certainty that its identifiers belong to one person: a user id is given to one person,
# two people can share an address, a device changes hands, and the id of a browser ends with its cookie. The weight of a
# link is the product of its ends, so a browser has a stronger link to its user than to an e-mail of two users, and a
# minimum cut leaves the browser with its user.
_WEIGHTS: Final = {USER_ID: 8.0, EMAIL: 4.0, PHONE: 4.0, "ga_client_id": 1.0, ANONYMOUS_ID: 1.0}
_CUSTOM: Final = 3.0
_DEVICE: Final = 2.0

# The number of pairs grows with the square of a set. In a longer set each identifier is linked to the strongest one
# only: the set stays connected, and the pairs of hundreds of identifiers have no use.
ALL_PAIRS: Final = 32


class Observation(Struct, frozen=True):
    """A set of identifiers seen together, strongest first, with the origin and stamp of its first call.

    `count` is the number of calls with this set, `days` the number of days with such calls, `sources` the sources of
    the calls, and `first_seen` and `last_seen` are their earliest and latest event time in microseconds.
    """

    origin: ProfileId
    stamp: Stamp
    keys: tuple[BlindIndex, ...]
    days: int
    sources: tuple[int, ...]
    count: int
    first_seen: Micros
    last_seen: Micros


class GraphEdge(Struct, frozen=True):
    """Two identifiers seen together; `observations` are the (origin, stamp) of the first calls with both.

    `first_seen` and `last_seen` are the earliest and the latest event time of the calls with both.
    """

    a: BlindIndex
    b: BlindIndex
    weight: float
    days: int
    sources: tuple[int, ...]
    count: int
    first_seen: Micros
    last_seen: Micros
    observations: tuple[tuple[ProfileId, Stamp], ...]


class Paths(Struct, frozen=True):
    """Two paths from one identifier to another, each including both ends.

    `shortest` has the fewest links. `strongest` has the strongest weakest link, and the fewest links of such paths.
    """

    shortest: tuple[BlindIndex, ...]
    strongest: tuple[BlindIndex, ...]


def build_graph(observations: Iterable[Observation], types: Mapping[BlindIndex, str]) -> Graph:
    """Build the graph of these observations; every key of `types` (key to type name) is a node.

    The graph ignores all other keys, which were removed or never stored. A node has `type` and `since`, the stamp of
    its first observation or None. A link has the values of `GraphEdge`.
    """
    # Imported here because the import takes half a second, and most processes never draw a graph.
    import networkx as nx

    graph: Graph = nx.Graph()
    for key in sorted(types):
        graph.add_node(key, type=types[key], since=None)
    for seen in sorted(observations, key=lambda seen: (seen.stamp, seen.origin, seen.keys)):
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
    """The certainty that an identifier of this type belongs to one person; a higher weight is more certain."""
    return _WEIGHTS.get(type_, _DEVICE if type_ in BUILT_IN else _CUSTOM)


def link(graph: Graph, a: BlindIndex, b: BlindIndex) -> GraphEdge:
    """The link between two linked identifiers, from `a` to `b`."""
    data = graph[a][b]
    return GraphEdge(
        a=a,
        b=b,
        weight=data["weight"],
        days=data["days"],
        sources=tuple(sorted(data["sources"])),
        count=data["count"],
        first_seen=data["first_seen"],
        last_seen=data["last_seen"],
        observations=tuple(data["observations"]),
    )


def links(graph: Graph) -> list[GraphEdge]:
    """Every link once, from the smaller to the greater key, in the order of the keys."""
    return [link(graph, a, b) for a, b in sorted((min(pair), max(pair)) for pair in graph.edges)]


def path_links(graph: Graph, path: Sequence[BlindIndex]) -> list[GraphEdge]:
    """The links of a path, in its direction."""
    return [link(graph, a, b) for a, b in pairwise(path)]


def paths(graph: Graph, a: BlindIndex, b: BlindIndex) -> Paths | None:
    """The shortest and the strongest path from `a` to `b`; None where there is none.

    The time grows with the number of links (times a logarithm), never with the pairs of identifiers.
    """
    if a not in graph or b not in graph:
        return None
    weakest = _widest(graph, a, b)
    if weakest is None:
        return None
    return Paths(_shortest(graph, a, b, 0.0), _shortest(graph, a, b, weakest))


def _accumulate(graph: Graph, a: BlindIndex, b: BlindIndex, seen: Observation) -> None:
    if not graph.has_edge(a, b):
        times = {"first_seen": seen.first_seen, "last_seen": seen.last_seen}
        graph.add_edge(a, b, weight=0.0, days=0, sources=set(), count=0, observations=[], **times)
    data = graph[a][b]
    data["days"] += seen.days
    data["sources"].update(seen.sources)
    data["count"] += seen.count
    data["first_seen"] = min(data["first_seen"], seen.first_seen)
    data["last_seen"] = max(data["last_seen"], seen.last_seen)
    data["observations"].append((seen.origin, seen.stamp))


def _widest(graph: Graph, a: BlindIndex, b: BlindIndex) -> float | None:
    """The weight of the weakest link of the strongest path; None where there is no path."""
    queue = [(-inf, a)]
    done: set[BlindIndex] = set()
    while queue:
        width, key = heappop(queue)
        if key == b:
            return -width
        if key in done:
            continue
        done.add(key)
        for neighbour, data in graph[key].items():
            if neighbour not in done:
                heappush(queue, (max(width, -data["weight"]), neighbour))
    return None


def _shortest(graph: Graph, a: BlindIndex, b: BlindIndex, least: float) -> tuple[BlindIndex, ...]:
    """The shortest path over links of at least this weight; of several, the one with the strongest weakest link.

    A path must exist. The search enters a key from its best neighbour one link nearer to `a`, and completes all of
    those neighbours before it leaves the key.
    """
    steps = {a: 0}
    best: dict[BlindIndex, tuple[float, float, BlindIndex]] = {a: (inf, inf, a)}
    queue = deque([a])
    while queue:
        key = queue.popleft()
        if key == b:
            break
        for neighbour, data in graph[key].items():
            weight = data["weight"]
            if weight < least or steps.setdefault(neighbour, steps[key] + 1) != steps[key] + 1:
                continue
            step = (min(best[key][0], weight), weight, key)
            if neighbour not in best:
                queue.append(neighbour)
                best[neighbour] = step
            elif step > best[neighbour]:
                best[neighbour] = step
    path = [b]
    while path[-1] != a:
        path.append(best[path[-1]][2])
    return tuple(reversed(path))
