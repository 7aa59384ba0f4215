"""The answers about the evidence of a profile: paths between identifiers, the graph, and its review.

The value is the answer: an analysis makes them once, with identifiers in text and formatted times.
"""

from msgspec import Struct

from identity.values.public_fields import PublicProfileId, Time


class LinkCall(Struct):
    """A call in which two identifiers occur together."""

    message_id: str
    type: str
    at: Time
    timestamp: Time
    source: str | None
    rules_version: int


class PathLink(Struct, rename={"start": "from", "end": "to"}):
    """A link of a path with its first calls; `days` and `seen` count the days and calls that show it."""

    start: str
    end: str
    weight: float
    days: int
    seen: int
    sources: list[str | None]
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


class GraphLink(Struct, rename={"start": "from", "end": "to"}):
    """Two identifiers that occur together. `bridge`: nothing else connects its ends; `cut`: the split cuts it."""

    start: str
    end: str
    weight: float
    days: int
    seen: int
    sources: list[str | None]
    bridge: bool
    cut: bool


class CutNodeReport(Struct):
    """An identifier whose removal leaves strong ids in so many groups and disconnects so many pairs of them."""

    identifier: str
    groups: int
    pairs: int


class BridgeReport(Struct, rename={"start": "from", "end": "to"}):
    """A link that alone connects strong ids."""

    start: str
    end: str
    weight: float


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
