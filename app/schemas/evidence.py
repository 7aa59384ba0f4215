"""The wire shapes of the evidence of a profile, and how values become them: paths, the graph and its review."""

from typing import Final

from msgspec import UNSET, Struct, UnsetType

from app.schemas.fields import LinkClass, PublicProfileId, Time
from identity.operations.profiles.explain_link import ExplainedCall, ExplainedLink, LinkExplanation
from identity.operations.profiles.read_graph import MOST_REPORTED, EvidenceNode, ReviewedGraph
from identity.planning.graph.evidence_graph import GraphEdge
from identity.planning.graph.over_merge_review import UnmergeSuggestion
from identity.planning.resolution.event_time import format_time
from identity.values.calls import STORED_KINDS
from identity.values.ids import public_profile

_DIGITS: Final = 3


class LinkCall(Struct):
    """A call in which two identifiers occur together. `server_side`: its key was no public one.

    `proven` are the identifiers that its identity token proved; absent without any.
    """

    message_id: str
    type: str
    at: Time
    timestamp: Time
    source: str | None
    server_side: bool
    rules_version: int
    proven: list[str] | UnsetType = UNSET


class IdentifierLink(Struct, rename={"start": "from", "end": "to", "class_": "class"}):
    """Two identifiers that occur together; `days` and `seen` count the days and calls that show it.

    `first_seen` and `last_seen` are the earliest and the latest event time of these calls. `server_side`: a key that
    stays on servers sent one of them; without, the link rests on what anybody can send.
    """

    start: str
    end: str
    weight: float
    days: int
    seen: int
    first_seen: Time
    last_seen: Time
    sources: list[str | None]
    server_side: bool
    class_: LinkClass


class PathLink(IdentifierLink):
    """A link of a path with its first calls."""

    call_count: int
    calls: list[LinkCall]


class Explanation(Struct, rename={"start": "from", "end": "to"}):
    """Why two identifiers are one profile: the path with the fewest links, and the path with the strongest links."""

    profile_id: PublicProfileId
    start: str
    end: str
    shortest: list[PathLink]
    strongest: list[PathLink]


class GraphNode(Struct):
    """An identifier. `cut`: without it strong ids fall apart; `side` is 1 where the suggested split moves it out."""

    identifier: str
    type: str
    retired: bool
    first_seen: Time
    last_seen: Time
    strong: bool
    cut: bool
    side: int | None


class GraphLink(IdentifierLink):
    """A link of the graph. `bridge`: nothing else connects its ends; `cut`: the split cuts it."""

    bridge: bool
    cut: bool


class CutNodeReport(Struct):
    """An identifier whose removal leaves strong ids in so many groups and disconnects so many pairs of them."""

    identifier: str
    groups: int
    pairs: int


class BridgeReport(Struct, rename={"start": "from", "end": "to", "class_": "class"}):
    """A link that alone connects strong ids."""

    start: str
    end: str
    weight: float
    class_: LinkClass


class OverConnected(Struct):
    """An identifier linked to several strong ids, or claimed by other profiles, which were refused it."""

    identifier: str
    strong_ids: int
    claimed_by_others: int


class CutLink(Struct, rename={"start": "from", "end": "to"}):
    """A link that a split cuts."""

    start: str
    end: str


class SuggestedSplit(Struct):
    """The cheapest cut between two strong ids. `identifiers` are what an unmerge takes; `weight` is that of the cut."""

    parts: list[str]
    identifiers: list[str]
    staying_count: int
    links: list[CutLink]
    weight: float


class GraphReview(Struct):
    """Signs that two people were merged, the worst first. `bounded`: not every pair of strong ids was tried."""

    strong_ids: int
    communities: int
    cut_node_count: int
    cut_nodes: list[CutNodeReport]
    bridges: list[BridgeReport]
    over_connected: list[OverConnected]
    suggested_split: SuggestedSplit | None
    bounded: bool


class GraphAnalysis(Struct):
    """The review in short: the worst cut node, and the number of communities."""

    cut_node: str | None
    communities: int


class EvidenceGraph(Struct):
    """The evidence graph of a profile. A very large graph lists its most important nodes only (at most 2,000)."""

    profile_id: PublicProfileId
    node_count: int
    link_count: int
    nodes: list[GraphNode]
    links: list[GraphLink]
    review: GraphReview
    analysis: GraphAnalysis


def explanation(value: LinkExplanation) -> Explanation:
    """An explanation as the API answers it."""
    return Explanation(
        profile_id=public_profile(value.profile_id),
        start=value.start,
        end=value.end,
        shortest=[_path_link(each) for each in value.shortest],
        strongest=[_path_link(each) for each in value.strongest],
    )


def evidence_graph(value: ReviewedGraph) -> EvidenceGraph:
    """A graph with its review as the API answers it."""
    reader = _GraphReader(value)
    cut_nodes = value.review.cut_nodes
    return EvidenceGraph(
        profile_id=public_profile(value.profile_id),
        node_count=value.node_count,
        link_count=value.link_count,
        nodes=[reader.node(each) for each in value.nodes],
        links=[reader.link(each) for each in value.links],
        review=reader.review(),
        analysis=GraphAnalysis(value.texts[cut_nodes[0].key] if cut_nodes else None, value.review.communities),
    )


def _path_link(value: ExplainedLink) -> PathLink:
    return PathLink(
        start=value.start,
        end=value.end,
        weight=round(value.edge.weight, _DIGITS),
        days=value.edge.days,
        seen=value.edge.count,
        first_seen=format_time(value.edge.first_seen),
        last_seen=format_time(value.edge.last_seen),
        sources=value.sources,
        server_side=value.server_side,
        class_=value.trust.value,
        call_count=value.call_count,
        calls=[_link_call(each) for each in value.calls],
    )


def _link_call(value: ExplainedCall) -> LinkCall:
    return LinkCall(
        message_id=value.call.message_id,
        type=STORED_KINDS[value.call.kind],
        at=format_time(value.at),
        timestamp=format_time(value.call.time),
        source=value.source,
        server_side=value.call.server,
        rules_version=value.rules_version,
        proven=value.call.proven or UNSET,
    )


class _GraphReader:
    """Renders the nodes, links and review of one graph."""

    def __init__(self, value: ReviewedGraph) -> None:
        self.value = value
        self.found = found = value.review
        self.cut_nodes = {each.key for each in found.cut_nodes}
        self.bridges = {frozenset((each.a, each.b)) for each in found.bridges}
        self.leaving = found.split.leaving if found.split else frozenset()
        self.cut = {frozenset(pair) for pair in found.split.links} if found.split else set()

    def node(self, each: EvidenceNode) -> GraphNode:
        """An identifier."""
        return GraphNode(
            identifier=self.value.texts[each.key],
            type=each.type,
            retired=each.retired,
            first_seen=format_time(each.first_seen),
            last_seen=format_time(each.last_seen),
            strong=each.strong,
            cut=each.key in self.cut_nodes,
            side=int(each.key in self.leaving) if self.found.split else None,
        )

    def link(self, each: GraphEdge) -> GraphLink:
        """Two identifiers that occur together."""
        pair = frozenset((each.a, each.b))
        return GraphLink(
            start=self.value.texts[each.a],
            end=self.value.texts[each.b],
            weight=round(each.weight, _DIGITS),
            days=each.days,
            seen=each.count,
            first_seen=format_time(each.first_seen),
            last_seen=format_time(each.last_seen),
            sources=[self.value.source_ids.get(source) for source in each.sources],
            server_side=not self.value.server_side.isdisjoint(each.sources),
            class_=self.value.classes.of(each.a, each.b).value,
            bridge=pair in self.bridges,
            cut=pair in self.cut,
        )

    def review(self) -> GraphReview:
        """The suspicious parts of the graph, the worst first, and a split that an unmerge can take."""
        found, texts = self.found, self.value.texts
        return GraphReview(
            strong_ids=self.value.strong_ids,
            communities=found.communities,
            cut_node_count=len(found.cut_nodes),
            cut_nodes=[
                CutNodeReport(texts[each.key], each.groups, each.pairs) for each in found.cut_nodes[:MOST_REPORTED]
            ],
            bridges=[
                BridgeReport(
                    start=texts[each.a],
                    end=texts[each.b],
                    weight=round(each.weight, _DIGITS),
                    class_=self.value.classes.of(each.a, each.b).value,
                )
                for each in found.bridges[:MOST_REPORTED]
            ],
            over_connected=[
                OverConnected(texts[each.key], each.strong_ids, each.claimed_by_others)
                for each in self.value.over_connected
            ],
            suggested_split=None if found.split is None else self._split(found.split),
            bounded=found.bounded,
        )

    def _split(self, split: UnmergeSuggestion) -> SuggestedSplit:
        texts = self.value.texts
        return SuggestedSplit(
            parts=[texts[split.stays], texts[split.leaves]],
            identifiers=sorted(texts[key] for key in split.leaving),
            staying_count=len(split.staying),
            links=[CutLink(texts[a], texts[b]) for a, b in split.links],
            weight=round(split.weight, _DIGITS),
        )
