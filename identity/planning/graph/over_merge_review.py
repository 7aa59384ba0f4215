"""Reviews an evidence graph for over-merges, two people in one profile, and suggests a split.

Strong identifiers are user ids that are not retired. Every report is true of the graph: a cut node separates
strong ids, a split separates its two, and each cut link runs between its sides. Suspicious parts are only ranked,
since a person decides.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from math import fsum
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from identity.planning.graph.evidence_graph import Graph
from identity.values.extras import extra
from identity.values.identifiers import USER_ID
from identity.values.ids import BlindIndex

if TYPE_CHECKING:
    pass

# A minimum cut takes about ten milliseconds in a graph of 10,000 identifiers.
MOST_CUTS: Final = 32
# Capacities are integers of 32 bits, and so is every possible flow.
_MOST_FLOW: Final = 2**30
_FINEST: Final = 10_000.0
# Of two cuts with the same weight, a cut that separates a user id from all its other identifiers is the worse
# suggestion. This factor on the links of strong ids decides between such cuts and changes no other choice.
_AT_STRONG: Final = 1.01


class CutNode(Struct, frozen=True):
    """An identifier whose removal separates strong ids.

    `groups` is the number of remaining parts with strong ids, and `pairs` the number of pairs of strong ids in
    different parts. `elsewhere` is the share of its link weight outside the part it has the strongest links to.
    `smaller` is the number of identifiers in all these parts except the largest.
    """

    key: BlindIndex
    groups: int
    pairs: int
    elsewhere: float
    smaller: int


class Bridge(Struct, frozen=True):
    """A link whose removal separates strong ids, with the number of strong ids on the side of each end."""

    a: BlindIndex
    b: BlindIndex
    weight: float
    strong_a: int
    strong_b: int


class UnmergeSuggestion(Struct, frozen=True):
    """A suggested unmerge: the identifiers that leave and stay, and the cut links with their total `weight`.

    `stays` is the oldest strong id and `leaves` the strong id on the other side. Links are (staying, leaving).
    """

    stays: BlindIndex
    leaves: BlindIndex
    staying: frozenset[BlindIndex]
    leaving: frozenset[BlindIndex]
    links: tuple[tuple[BlindIndex, BlindIndex], ...]
    weight: float


class Review(Struct, frozen=True):
    """Cut nodes and bridges, the most suspicious first, and the suggested split; None with fewer than two strong ids.

    `communities` is the number of groups of strong ids without the first cut node, at least 1. `linked` maps an
    identifier to the number of strong ids it has a link to, where there are any. `bounded` is true if the graph has
    too many strong ids to try each of them for the cheapest cut.
    """

    cut_nodes: tuple[CutNode, ...]
    bridges: tuple[Bridge, ...]
    communities: int
    linked: dict[BlindIndex, int]
    split: UnmergeSuggestion | None
    bounded: bool


def strong_ids(graph: Graph, types: Mapping[BlindIndex, str], retired: AbstractSet[BlindIndex]) -> list[BlindIndex]:
    """The user ids that are not retired, by first observation; user ids without an observation come last."""

    def age(key: BlindIndex) -> tuple[bool, int, BlindIndex]:
        since: int | None = graph.nodes[key]["since"]
        return since is None, since or 0, key

    return sorted((key for key in graph if types[key] == USER_ID and key not in retired), key=age)


def review(graph: Graph, types: Mapping[BlindIndex, str], retired: AbstractSet[BlindIndex]) -> Review:
    """Review a graph that `build_graph` made with these types (key to type name)."""
    import networkx as nx

    strong = strong_ids(graph, types, retired)
    cut_nodes, bridges = _separators(graph, frozenset(strong))
    left = nx.restricted_view(graph, [cut_nodes[0].key] if cut_nodes else [], [])
    communities = sum(not component.isdisjoint(strong) for component in nx.connected_components(left))
    linked: dict[BlindIndex, int] = {}
    for key in strong:
        for near in graph[key]:
            linked[near] = linked.get(near, 0) + 1
    return Review(
        cut_nodes=tuple(cut_nodes),
        bridges=tuple(bridges),
        communities=max(1, communities),
        linked=linked,
        split=_cheapest_split(graph, strong),
        bounded=len(strong) > MOST_CUTS + 1,
    )


class _Blocks:
    """The tree of the biconnected blocks of a graph, which gives the parts without a node as sums.

    `below[n]` counts (strong ids, identifiers) of block n and its subtree, without the node `above[n]` to its parent
    block (None for a root). `whole[n]` counts those of the whole component.
    """

    def __init__(self, graph: Graph, strong: AbstractSet[BlindIndex]) -> None:
        import networkx as nx

        self.links = [list(block) for block in nx.biconnected_component_edges(graph)]
        self.strong = strong
        self.homes: dict[BlindIndex, list[int]] = {}
        members = [sorted({key for pair in block for key in pair}) for block in self.links]
        for n, keys in enumerate(members):
            for key in keys:
                self.homes.setdefault(key, []).append(n)
        self.above: dict[int, BlindIndex | None] = {}
        self.below: dict[int, tuple[int, int]] = {}
        self.whole: dict[int, tuple[int, int]] = {}
        for root in range(len(members)):
            if root not in self.above:
                self._grow(root, members)

    def _grow(self, root: int, members: Sequence[Sequence[BlindIndex]]) -> None:
        self.above[root] = None
        order = [root]
        for n in order:
            for key in members[n]:
                if key != self.above[n]:
                    beyond = [m for m in self.homes[key] if m != n]
                    self.above.update(dict.fromkeys(beyond, key))
                    order.extend(beyond)
        for n in reversed(order):
            hung = [key for key in members[n] if key != self.above[n]]
            beyond = [m for key in hung for m in self.homes[key] if m != n]
            self.below[n] = (
                sum(key in self.strong for key in hung) + sum(self.below[m][0] for m in beyond),
                len(hung) + sum(self.below[m][1] for m in beyond),
            )
        self.whole.update(dict.fromkeys(order, self.below[root]))

    def parts(self, key: BlindIndex) -> dict[int, tuple[int, int]]:
        """The counts of each part of the component without this node, by the block that leads to the part."""
        homes = self.homes[key]
        found = {n: self.below[n] for n in homes if self.above[n] == key}
        strong, size = self.whole[homes[0]]
        rest = (
            strong - (key in self.strong) - sum(part[0] for part in found.values()),
            size - 1 - sum(part[1] for part in found.values()),
        )
        return found | {n: rest for n in homes if n not in found}


def _separators(graph: Graph, strong: AbstractSet[BlindIndex]) -> tuple[list[CutNode], list[Bridge]]:
    blocks = _Blocks(graph, strong)
    pull: dict[tuple[BlindIndex, int], float] = {}
    for n, pairs in enumerate(blocks.links):
        for pair in pairs:
            for key in pair:
                pull[key, n] = pull.get((key, n), 0.0) + graph.edges[pair]["weight"]
    cut_nodes = []
    for key, homes in blocks.homes.items():
        held = {n: part for n, part in blocks.parts(key).items() if part[0]} if len(homes) > 1 else {}
        if len(held) > 1:
            counts = [part[0] for part in held.values()]
            sizes = [part[1] for part in held.values()]
            pulls = [pull[key, n] for n in held]
            pairs_apart = (sum(counts) ** 2 - sum(count**2 for count in counts)) // 2
            elsewhere = round(1 - max(pulls) / sum(pulls), 9)
            cut_nodes.append(
                CutNode(
                    key=key, groups=len(held), pairs=pairs_apart, elsewhere=elsewhere, smaller=sum(sizes) - max(sizes)
                )
            )
    # First the node that connects most pairs of strong ids. Of several, the one that belongs to no single side: a
    # browser between its user and a shared e-mail is a cut node, too, but nearly all its weight is with its user, while
    # the e-mail belongs to both sides alike. Then the one that leaves more identifiers on the smaller sides.
    cut_nodes.sort(key=lambda node: (-node.pairs, -node.elsewhere, -node.smaller, node.key))
    bridges = []
    for n, pairs in enumerate(blocks.links):
        if len(pairs) > 1:
            continue
        a, b = sorted(pairs[0])
        beyond, total = blocks.below[n][0], blocks.whole[n][0]
        # Below a root is the whole component, so the side of `b` is the total without `a` and the other blocks of `a`.
        if blocks.above[n] is None:
            beyond = total - (a in strong) - sum(blocks.below[m][0] for m in blocks.homes[a] if m != n)
        at_b = total - beyond if blocks.above[n] == b else beyond
        if 0 < at_b < total:
            bridges.append(Bridge(a=a, b=b, weight=graph.edges[a, b]["weight"], strong_a=total - at_b, strong_b=at_b))
    bridges.sort(key=lambda bridge: (-bridge.strong_a * bridge.strong_b, bridge.weight, bridge.a, bridge.b))
    return cut_nodes, bridges


def _cheapest_split(graph: Graph, strong: Sequence[BlindIndex]) -> UnmergeSuggestion | None:
    """The cheapest cut between any two strong ids.

    The cheapest cut separates the oldest strong id from another one, so one cut for each other strong id finds it. With
    too many of them, the search tries those with the weakest links: no cut weighs more than all links of an end.
    """
    if not strong[1:]:
        return None
    oldest, *others = strong
    if len(others) > MOST_CUTS:
        strengths = {key: sum(data["weight"] for data in graph[key].values()) for key in others}
        loose = set(sorted(others, key=lambda key: (strengths[key], key))[:MOST_CUTS])
        others = [key for key in others if key in loose]
    network = _Network(graph, frozenset(strong))
    # Of cuts with the same weight, the one whose youngest strong id leaves.
    leaves = min(reversed(others), key=lambda key: network.cost(oldest, key))
    leaving = network.leaving(oldest, leaves)
    cut = sorted((a, b) if b in leaving else (b, a) for a, b in graph.edges if (a in leaving) != (b in leaving))
    weight = fsum(graph.edges[pair]["weight"] for pair in cut)
    return UnmergeSuggestion(
        stays=oldest,
        leaves=leaves,
        staying=frozenset(graph) - leaving,
        leaving=leaving,
        links=tuple(cut),
        weight=weight,
    )


class _Network:
    """The graph as a flow network for scipy, because a flow in networkx takes seconds."""

    def __init__(self, graph: Graph, strong: AbstractSet[BlindIndex]) -> None:
        # Imported here because scipy loads hundreds of modules, and most workers never review a graph.
        with extra("analysis"):
            import numpy as np
            from scipy.sparse import csr_array

        self.keys = list(graph)
        self.place = {key: n for n, key in enumerate(self.keys)}
        heaviest = max(degree for _, degree in graph.degree(weight="weight"))
        scale = min(_FINEST, _MOST_FLOW / (_AT_STRONG * max(heaviest, 1.0)) / 2)
        ends = np.array([(self.place[a], self.place[b]) for a, b in graph.edges], dtype=np.int32).reshape(-1, 2)
        weights = [
            data["weight"] * (_AT_STRONG if a in strong or b in strong else 1.0)
            for a, b, data in graph.edges(data=True)
        ]
        capacity = np.maximum(1, np.rint(np.array(weights) * scale)).astype(np.int32)
        size = len(self.keys)
        rows, columns = np.concatenate((ends, ends[:, ::-1])).T
        self.capacity = csr_array((np.concatenate((capacity, capacity)), (rows, columns)), shape=(size, size))

    def _flow(self, a: BlindIndex, b: BlindIndex) -> Any:
        from scipy.sparse.csgraph import maximum_flow

        return maximum_flow(self.capacity, self.place[a], self.place[b])

    def cost(self, a: BlindIndex, b: BlindIndex) -> int:
        """The cost of the minimum cut between the two."""
        return int(self._flow(a, b).flow_value)

    def leaving(self, a: BlindIndex, b: BlindIndex) -> frozenset[BlindIndex]:
        """The smallest side of `b` in a minimum cut: identifiers with equal links to both sides stay with `a`."""
        from scipy.sparse.csgraph import breadth_first_order

        free = (self.capacity - self._flow(a, b).flow).tocsr()
        free.eliminate_zeros()
        reached = breadth_first_order(free.T.tocsr(), self.place[b], return_predecessors=False)
        return frozenset(self.keys[n] for n in reached)
