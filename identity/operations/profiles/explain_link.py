"""Explains why two identifiers are one profile: the links between them, each with the calls that show it."""

import asyncio
from itertools import pairwise

from identity.operations.profiles.evidence_answers import Explanation, LinkCall, PathLink
from identity.operations.profiles.graph_evidence import GraphEvidence, read_graph_evidence
from identity.operations.profiles.profile import open_profile
from identity.planning.graph import evidence_graph
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.stored_calls import StoredCall
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.spaces import spaces_and_keys
from identity.values.calls import STORED_KINDS
from identity.values.errors import NotLinked
from identity.values.identifiers import parse
from identity.values.stamps import Stamp, stamp_time

MOST_CALLS = 10

Place = tuple[bytes, int]


@retry_on_key_rotation
async def explain(space: Space, ref: str, start: str, end: str) -> Explanation:
    """Find the shortest and the strongest path between two identifiers of a profile, written `type:value`.

    BadIdentifier, ProfileNotFound, NotLinked.
    """
    region = (await space.rules()).region
    named = [parse(text, region) for text in (start, end)]
    profile = await open_profile(space, ref)
    evidence = await read_graph_evidence(profile)
    a, b = (space.keys.identifier(each.type, each.value) for each in named)
    if a not in evidence.held or b not in evidence.held:
        raise NotLinked
    built, paths = await asyncio.to_thread(_paths, evidence, a, b)
    if paths is None:
        raise NotLinked
    steps = list(dict.fromkeys((*pairwise(paths.shortest), *pairwise(paths.strongest))))
    places = {step: evidence.calls_of(*step) for step in steps}
    calls = await profile.calls({place for found in places.values() for place in found[:MOST_CALLS]})
    async with space.database.reading() as connection:
        sources = await spaces_and_keys.key_ids(connection, space.tenant.id)
    links = _LinkReader(evidence, built, places, calls, sources)
    return Explanation(
        profile_id=profile.public_id,
        start=named[0].text,
        end=named[1].text,
        shortest=[links.link(*step) for step in pairwise(paths.shortest)],
        strongest=[links.link(*step) for step in pairwise(paths.strongest)],
    )


def _paths(evidence: GraphEvidence, a: bytes, b: bytes) -> tuple[evidence_graph.Graph, evidence_graph.Paths | None]:
    built = evidence.graph()
    return built, evidence_graph.paths(built, a, b)


class _LinkReader:
    """Renders links with the calls that show them."""

    def __init__(
        self,
        evidence: GraphEvidence,
        built: evidence_graph.Graph,
        places: dict[tuple[bytes, bytes], list[Place]],
        calls: dict[Place, StoredCall],
        sources: dict[int, str],
    ) -> None:
        self.evidence = evidence
        self.built = built
        self.places = places
        self.calls = calls
        self.sources = sources

    def link(self, a: bytes, b: bytes) -> PathLink:
        """A link with its first calls."""
        link, places = evidence_graph.link(self.built, a, b), self.places[a, b]
        return PathLink(
            start=self.evidence.text(a),
            end=self.evidence.text(b),
            weight=round(link.weight, 3),
            days=link.days,
            seen=link.count,
            sources=[self.sources.get(source) for source in link.sources],
            call_count=len(places),
            calls=[self._call(place) for place in places[:MOST_CALLS] if place in self.calls],
        )

    def _call(self, place: Place) -> LinkCall:
        call = self.calls[place]
        return LinkCall(
            message_id=call.message_id,
            type=STORED_KINDS[call.kind],
            at=format_time(stamp_time(Stamp(place[1]))),
            timestamp=format_time(call.time),
            source=self.sources.get(call.source),
            rules_version=self.evidence.rules[place],
        )
