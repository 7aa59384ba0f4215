"""Reads the evidence graph of a profile with its review: signs of two people in one profile, and a split."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from identity.operations.profiles.graph_evidence import GraphEvidence, read_graph_evidence
from identity.operations.profiles.profile import open_profile
from identity.operations.profiles.read_link_classes import read_named_together
from identity.planning.graph import evidence_graph
from identity.planning.graph.evidence_graph import GraphEdge
from identity.planning.graph.layout import layout, most_relevant
from identity.planning.graph.link_classes import LinkClasses
from identity.planning.graph.over_merge_review import Review, review, strong_ids
from identity.planning.resolution.stored_calls import unpack_demoted
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.profiles import evidence as evidence_queries
from identity.store.spaces import spaces_and_keys
from identity.values.enums import SERVER_SIDE
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros
from identity.vault.threads import in_analysis

MOST_NODES = 2_000
MOST_DRAWN = 500
MOST_REPORTED = 100
_MOST_REFUSED = 20_000
# The reasons of an identifier that was not linked because it already belongs to another profile.
_CLAIMED = ("limit", "max_identifiers", "max_merges", "separated")


class EvidenceNode(Struct, frozen=True):
    """An identifier of a profile; `strong`: nobody shares it, so two of them may be two people."""

    key: BlindIndex
    type: str
    retired: bool
    first_seen: Micros
    last_seen: Micros
    strong: bool


class OverConnection(Struct, frozen=True):
    """An identifier linked to several strong ids, or claimed by other profiles, which were refused it."""

    key: BlindIndex
    strong_ids: int
    claimed_by_others: int


class ReviewedGraph(Struct, frozen=True):
    """The evidence graph of a profile with its review, over blind indexes.

    Of a large graph `nodes` and `links` are the most important ones. `texts` has each of their identifiers and of those
    that the review reports as `type:value`, `source_ids` the public ids of keys by number, `server_side` the numbers of
    those that stay on servers, `classes` the classes of links. `places` are the places of nodes in a picture, by
    identifier; None where no picture is wanted.
    """

    profile_id: ProfileId
    node_count: int
    link_count: int
    nodes: list[EvidenceNode]
    links: list[GraphEdge]
    strong_ids: int
    review: Review
    over_connected: list[OverConnection]
    texts: dict[BlindIndex, str]
    source_ids: dict[int, str]
    server_side: frozenset[int]
    classes: LinkClasses
    places: dict[str, tuple[float, float]] | None


@retry_on_key_rotation
async def get_graph(space: Space, ref: str) -> ReviewedGraph:
    """Read the nodes, weighted links and review of a profile; of a large graph the most important nodes.

    BadIdentifier, ProfileNotFound, TooMuch.
    """
    return await _read(space, ref, MOST_NODES, placed=False)


@retry_on_key_rotation
async def place_graph(space: Space, ref: str) -> ReviewedGraph:
    """Read the graph of a profile for a picture, which has fewer nodes. Raises as `get_graph`."""
    return await _read(space, ref, MOST_DRAWN, placed=True)


async def _read(space: Space, ref: str, most: int, *, placed: bool) -> ReviewedGraph:
    profile = await open_profile(space, ref)
    evidence = await read_graph_evidence(profile)
    async with space.database.reading() as connection:
        source_ids = await spaces_and_keys.source_ids(connection, space.tenant.id)
        server_side = await spaces_and_keys.keys_with_scopes(connection, space.tenant.id, SERVER_SIDE)
        refused = await evidence_queries.newest_demoted(connection, space.tenant, _MOST_REFUSED)
    claims = _claims(evidence, refused, profile.root.id)
    classes = LinkClasses(await read_named_together(evidence))
    return await in_analysis(_analyse, evidence, (source_ids, server_side, classes), claims, most, placed)


def _claims(
    evidence: GraphEvidence, refused: Sequence[tuple[ProfileId, bytes]], root: ProfileId
) -> dict[BlindIndex, int]:
    """The number of other profiles that claimed an identifier of this one and were refused it."""
    by: dict[BlindIndex, set[ProfileId]] = {}
    for other, demoted in refused:
        if other == root:
            continue
        for older, reason in unpack_demoted(demoted, evidence.names.__getitem__):
            key = evidence.newest.get(older, older)
            if key in evidence.identifiers and reason.split(":")[0] in _CLAIMED:
                by.setdefault(key, set()).add(other)
    return {key: len(others) for key, others in by.items()}


def _analyse(
    evidence: GraphEvidence,
    sources: tuple[dict[int, str], frozenset[int], LinkClasses],
    claims: dict[BlindIndex, int],
    most: int,
    placed: bool,  # noqa: FBT001
) -> ReviewedGraph:
    built = evidence.graph()
    found = review(built, evidence.types, evidence.retired)
    keys = most_relevant(built, found, most)
    shown = set(keys)
    links = [each for each in evidence_graph.links(built) if each.a in shown and each.b in shown]
    strong = set(strong_ids(built, evidence.types, evidence.retired))
    over_connected = _over_connected(found, claims)
    texts = {key: evidence.text(key) for key in shown | _reported(found, over_connected)}
    places = None
    if placed:
        places = layout([texts[key] for key in keys], [(texts[each.a], texts[each.b]) for each in links])
    return ReviewedGraph(
        profile_id=evidence.profile.id,
        node_count=len(evidence.types),
        link_count=built.number_of_edges(),
        nodes=[_node(evidence, key, strong) for key in keys],
        links=links,
        strong_ids=len(strong),
        review=found,
        over_connected=over_connected,
        texts=texts,
        source_ids=sources[0],
        server_side=sources[1],
        classes=sources[2],
        places=places,
    )


def _node(evidence: GraphEvidence, key: BlindIndex, strong: AbstractSet[BlindIndex]) -> EvidenceNode:
    identifier = evidence.identifiers[key]
    return EvidenceNode(
        key=BlindIndex(key),
        type=evidence.types[key],
        retired=identifier.retired,
        first_seen=Micros(identifier.first_seen),
        last_seen=Micros(identifier.last_seen),
        strong=key in strong,
    )


def _over_connected(reviewed: Review, claims: dict[BlindIndex, int]) -> list[OverConnection]:
    """The identifiers with too many strong ids or claims, the worst first."""
    linked = {key: n for key, n in reviewed.linked.items() if n > 1}
    crowded = sorted(linked.keys() | claims.keys(), key=lambda key: (-linked.get(key, 0) - claims.get(key, 0), key))
    return [
        OverConnection(BlindIndex(key), reviewed.linked.get(key, 0), claims.get(key, 0))
        for key in crowded[:MOST_REPORTED]
    ]


def _reported(reviewed: Review, over_connected: Sequence[OverConnection]) -> set[BlindIndex]:
    """The identifiers that a report of the review names."""
    named: set[BlindIndex] = {each.key for each in over_connected}
    named |= {each.key for each in reviewed.cut_nodes[:MOST_REPORTED]}
    for bridge in reviewed.bridges[:MOST_REPORTED]:
        named |= {bridge.a, bridge.b}
    if reviewed.split is not None:
        named |= {reviewed.split.stays, reviewed.split.leaves, *reviewed.split.leaving}
        named |= {key for link in reviewed.split.links for key in link}
    return named
