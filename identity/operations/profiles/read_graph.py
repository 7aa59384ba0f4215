"""The evidence graph of a profile, and its review: what looks like two people, and how to part them."""

import asyncio
from collections.abc import Sequence
from typing import Any

from identity.operations.profiles.graph_evidence import Observed, observe
from identity.operations.profiles.profile import open_profile
from identity.planning.graph import evidence_graph
from identity.planning.graph.layout import foremost, layout
from identity.planning.graph.over_merge_review import Review, review, strong_ids
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.stored_calls import unpack_demoted
from identity.spaces.space import Space, retry_on_key_rotation
from identity.store.profiles import snapshot_queries
from identity.store.spaces import spaces_and_keys

MOST_NODES = 2_000
MOST_DRAWN = 500
MOST_REPORTED = 100
_MOST_REFUSED = 20_000
# Reasons for which an identifier is refused because it already belongs to somebody.
_CLAIMED = ("limit", "max_identifiers", "max_merges", "separated")


@retry_on_key_rotation
async def get_graph(space: Space, ref: str, *, drawn: bool = False) -> dict[str, Any]:
    """Nodes, weighted links and review of a profile; where it is to be drawn, each node with its place.

    A graph of more nodes shows the foremost. BadIdentifier, ProfileNotFound, TooMuch.
    """
    profile = await open_profile(space, ref)
    observed = await observe(profile)
    async with space.database.reading() as connection:
        sources = await spaces_and_keys.key_ids(connection, space.tenant.id)
        refused = await snapshot_queries.refused(connection, space.tenant, _MOST_REFUSED)
    claims = _claims(observed, refused, profile.head.id)
    return await asyncio.to_thread(_tell, observed, sources, claims, MOST_DRAWN if drawn else MOST_NODES, drawn)


def _claims(observed: Observed, refused: Sequence[tuple[bytes, bytes]], head: bytes) -> dict[bytes, int]:
    """How many other profiles claimed an identifier of this one and were refused it."""
    by: dict[bytes, set[bytes]] = {}
    for other, demoted in refused:
        if other == head:
            continue
        for older, reason in unpack_demoted(demoted, observed.names.__getitem__):
            key = observed.newest.get(older, older)
            if key in observed.held and reason.split(":")[0] in _CLAIMED:
                by.setdefault(key, set()).add(other)
    return {key: len(others) for key, others in by.items()}


def _tell(
    observed: Observed,
    sources: dict[int, str],
    claims: dict[bytes, int],
    most: int,
    drawn: bool,  # noqa: FBT001
) -> dict[str, Any]:
    built = observed.graph()
    found = review(built, observed.types, observed.retired)
    keys = foremost(built, found, most)
    shown = set(keys)
    links = [each for each in evidence_graph.links(built) if each.a in shown and each.b in shown]
    text = observed.text
    places = layout([text(key) for key in keys], [(text(each.a), text(each.b)) for each in links]) if drawn else {}
    teller = _Teller(observed, built, found)
    return {
        "profile_id": observed.profile.public_id,
        "node_count": len(observed.types),
        "link_count": built.number_of_edges(),
        "nodes": [teller.node(key, places) for key in keys],
        "links": [teller.link(each, sources) for each in links],
        "review": teller.review(claims),
        "analysis": {
            "cut_node": observed.text(found.cut_nodes[0].key) if found.cut_nodes else None,
            "communities": found.communities,
        },
    }


class _Teller:
    def __init__(self, observed: Observed, built: evidence_graph.Graph, found: Review) -> None:
        self.observed = observed
        self.found = found
        self.strong = set(strong_ids(built, observed.types, observed.retired))
        self.cut_nodes = {each.key for each in found.cut_nodes}
        self.bridges = {frozenset((each.a, each.b)) for each in found.bridges}
        split = found.split
        self.leaving = split.leaving if split else frozenset()
        self.cut = {frozenset(pair) for pair in split.links} if split else set()

    def node(self, key: bytes, places: dict[str, tuple[float, float]]) -> dict[str, Any]:
        """An identifier; `side` is 1 where the suggested split takes it away."""
        held = self.observed.held[key]
        told: dict[str, Any] = {
            "identifier": self.observed.text(key),
            "type": self.observed.types[key],
            "retired": held.retired,
            "first_seen": format_time(held.first_seen),
            "last_seen": format_time(held.last_seen),
            "strong": key in self.strong,
            "cut": key in self.cut_nodes,
            "side": int(key in self.leaving) if self.found.split else None,
        }
        if places:
            told["x"], told["y"] = places[told["identifier"]]
        return told

    def link(self, each: evidence_graph.Link, sources: dict[int, str]) -> dict[str, Any]:
        """Two identifiers seen together."""
        pair = frozenset((each.a, each.b))
        return {
            "from": self.observed.text(each.a),
            "to": self.observed.text(each.b),
            "weight": round(each.weight, 3),
            "days": each.days,
            "seen": each.count,
            "sources": [sources.get(source) for source in each.sources],
            "bridge": pair in self.bridges,
            "cut": pair in self.cut,
        }

    def review(self, claims: dict[bytes, int]) -> dict[str, Any]:
        """What is suspicious, the worst first, and what an unmerge would be asked for."""
        found, text = self.found, self.observed.text
        split = found.split
        linked = {key: n for key, n in found.linked.items() if n > 1}
        crowded = sorted(linked.keys() | claims.keys(), key=lambda key: (-linked.get(key, 0) - claims.get(key, 0), key))
        return {
            "strong_ids": len(self.strong),
            "communities": found.communities,
            "cut_node_count": len(found.cut_nodes),
            "cut_nodes": [
                {"identifier": text(each.key), "groups": each.groups, "pairs": each.pairs}
                for each in found.cut_nodes[:MOST_REPORTED]
            ],
            "bridges": [
                {"from": text(each.a), "to": text(each.b), "weight": round(each.weight, 3)}
                for each in found.bridges[:MOST_REPORTED]
            ],
            "over_connected": [
                {
                    "identifier": text(key),
                    "strong_ids": found.linked.get(key, 0),
                    "claimed_by_others": claims.get(key, 0),
                }
                for key in crowded[:MOST_REPORTED]
            ],
            "suggested_split": None
            if split is None
            else {
                "parts": [text(split.stays), text(split.leaves)],
                "identifiers": sorted(text(key) for key in split.leaving),
                "staying_count": len(split.staying),
                "links": [{"from": text(a), "to": text(b)} for a, b in split.links],
                "weight": round(split.weight, 3),
            },
            "bounded": found.bounded,
        }
