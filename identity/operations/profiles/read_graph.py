"""Reads the evidence graph of a profile with its review: signs of two people in one profile, and a split."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from identity.operations.profiles.evidence_answers import (
    BridgeReport,
    CutLink,
    CutNodeReport,
    EvidenceGraph,
    GraphAnalysis,
    GraphLink,
    GraphNode,
    GraphReview,
    OverConnected,
    SuggestedSplit,
)
from identity.operations.profiles.graph_evidence import GraphEvidence, read_graph_evidence
from identity.operations.profiles.profile import open_profile
from identity.planning.graph import evidence_graph
from identity.planning.graph.layout import layout, most_relevant
from identity.planning.graph.over_merge_review import Review, UnmergeSuggestion, review, strong_ids
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.stored_calls import unpack_demoted
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.profiles import evidence as evidence_queries
from identity.store.spaces import spaces_and_keys

MOST_NODES = 2_000
MOST_DRAWN = 500
MOST_REPORTED = 100
_MOST_REFUSED = 20_000
# The reasons of an identifier that was not linked because it already belongs to another profile.
_CLAIMED = ("limit", "max_identifiers", "max_merges", "separated")


class PlacedGraph(Struct, frozen=True):
    """An evidence graph to be drawn, with the place of each node by identifier."""

    graph: EvidenceGraph
    places: dict[str, tuple[float, float]]


@retry_on_key_rotation
async def get_graph(space: Space, ref: str) -> EvidenceGraph:
    """Read the nodes, weighted links and review of a profile; of a large graph the most important nodes.

    BadIdentifier, ProfileNotFound, TooMuch.
    """
    return (await _read(space, ref, MOST_NODES, placed=False)).graph


@retry_on_key_rotation
async def place_graph(space: Space, ref: str) -> PlacedGraph:
    """Read the graph of a profile for a picture, which has fewer nodes. Raises as `get_graph`."""
    return await _read(space, ref, MOST_DRAWN, placed=True)


async def _read(space: Space, ref: str, most: int, *, placed: bool) -> PlacedGraph:
    profile = await open_profile(space, ref)
    evidence = await read_graph_evidence(profile)
    async with space.database.reading() as connection:
        sources = await spaces_and_keys.key_ids(connection, space.tenant.id)
        refused = await evidence_queries.newest_demoted(connection, space.tenant, _MOST_REFUSED)
    claims = _claims(evidence, refused, profile.root.id)
    return await asyncio.to_thread(_analyse, evidence, sources, claims, most, placed)


def _claims(evidence: GraphEvidence, refused: Sequence[tuple[bytes, bytes]], root: bytes) -> dict[bytes, int]:
    """The number of other profiles that claimed an identifier of this one and were refused it."""
    by: dict[bytes, set[bytes]] = {}
    for other, demoted in refused:
        if other == root:
            continue
        for older, reason in unpack_demoted(demoted, evidence.names.__getitem__):
            key = evidence.newest.get(older, older)
            if key in evidence.held and reason.split(":")[0] in _CLAIMED:
                by.setdefault(key, set()).add(other)
    return {key: len(others) for key, others in by.items()}


def _analyse(
    evidence: GraphEvidence,
    sources: dict[int, str],
    claims: dict[bytes, int],
    most: int,
    placed: bool,  # noqa: FBT001
) -> PlacedGraph:
    built = evidence.graph()
    found = review(built, evidence.types, evidence.retired)
    keys = most_relevant(built, found, most)
    shown = set(keys)
    links = [each for each in evidence_graph.links(built) if each.a in shown and each.b in shown]
    text = evidence.text
    places = layout([text(key) for key in keys], [(text(each.a), text(each.b)) for each in links]) if placed else {}
    reader = _GraphReader(evidence, built, found)
    graph = EvidenceGraph(
        profile_id=evidence.profile.public_id,
        node_count=len(evidence.types),
        link_count=built.number_of_edges(),
        nodes=[reader.node(key) for key in keys],
        links=[reader.link(each, sources) for each in links],
        review=reader.review(claims),
        analysis=GraphAnalysis(text(found.cut_nodes[0].key) if found.cut_nodes else None, found.communities),
    )
    return PlacedGraph(graph, places)


class _GraphReader:
    """Renders nodes, links and the review of one graph."""

    def __init__(self, evidence: GraphEvidence, built: evidence_graph.Graph, found: Review) -> None:
        self.evidence = evidence
        self.found = found
        self.strong = set(strong_ids(built, evidence.types, evidence.retired))
        self.cut_nodes = {each.key for each in found.cut_nodes}
        self.bridges = {frozenset((each.a, each.b)) for each in found.bridges}
        split = found.split
        self.leaving = split.leaving if split else frozenset()
        self.cut = {frozenset(pair) for pair in split.links} if split else set()

    def node(self, key: bytes) -> GraphNode:
        """An identifier."""
        held = self.evidence.held[key]
        return GraphNode(
            identifier=self.evidence.text(key),
            type=self.evidence.types[key],
            retired=held.retired,
            first_seen=format_time(held.first_seen),
            last_seen=format_time(held.last_seen),
            strong=key in self.strong,
            cut=key in self.cut_nodes,
            side=int(key in self.leaving) if self.found.split else None,
        )

    def link(self, each: evidence_graph.GraphEdge, sources: dict[int, str]) -> GraphLink:
        """Two identifiers that occur together."""
        pair = frozenset((each.a, each.b))
        return GraphLink(
            start=self.evidence.text(each.a),
            end=self.evidence.text(each.b),
            weight=round(each.weight, 3),
            days=each.days,
            seen=each.count,
            sources=[sources.get(source) for source in each.sources],
            bridge=pair in self.bridges,
            cut=pair in self.cut,
        )

    def review(self, claims: dict[bytes, int]) -> GraphReview:
        """The suspicious parts of the graph, the worst first, and a split that an unmerge can take."""
        found, text = self.found, self.evidence.text
        linked = {key: n for key, n in found.linked.items() if n > 1}
        crowded = sorted(linked.keys() | claims.keys(), key=lambda key: (-linked.get(key, 0) - claims.get(key, 0), key))
        return GraphReview(
            strong_ids=len(self.strong),
            communities=found.communities,
            cut_node_count=len(found.cut_nodes),
            cut_nodes=[
                CutNodeReport(text(each.key), each.groups, each.pairs) for each in found.cut_nodes[:MOST_REPORTED]
            ],
            bridges=[
                BridgeReport(text(each.a), text(each.b), round(each.weight, 3))
                for each in found.bridges[:MOST_REPORTED]
            ],
            over_connected=[
                OverConnected(text(key), found.linked.get(key, 0), claims.get(key, 0))
                for key in crowded[:MOST_REPORTED]
            ],
            suggested_split=None if found.split is None else self._split(found.split),
            bounded=found.bounded,
        )

    def _split(self, split: UnmergeSuggestion) -> SuggestedSplit:
        text = self.evidence.text
        return SuggestedSplit(
            parts=[text(split.stays), text(split.leaves)],
            identifiers=sorted(text(key) for key in split.leaving),
            staying_count=len(split.staying),
            links=[CutLink(text(a), text(b)) for a, b in split.links],
            weight=round(split.weight, 3),
        )
