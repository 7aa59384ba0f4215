"""Explains why two identifiers are one profile: the links between them, each with the calls that show it."""

from itertools import pairwise

from msgspec import Struct

from identity.operations.profiles.explain_separation import why_not_linked
from identity.operations.profiles.graph_evidence import GraphEvidence, read_graph_evidence
from identity.operations.profiles.profile import open_profile
from identity.operations.profiles.read_link_classes import read_named_together
from identity.planning.graph import evidence_graph
from identity.planning.graph.link_classes import LinkClasses
from identity.planning.resolution.stored_calls import StoredCall
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.named_identifiers import read_identifier
from identity.spaces.space import Space
from identity.store.spaces import spaces_and_keys
from identity.values.enums import SERVER_SIDE, TrustClass
from identity.values.errors import NotLinked
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp, stamp_time
from identity.vault.threads import in_analysis

MOST_CALLS = 10

Place = tuple[ProfileId, Stamp]


class ExplainedCall(Struct, frozen=True):
    """A call in which two identifiers occur together; `at` is its arrival, `source` the public id of its key."""

    call: StoredCall
    at: Micros
    source: str | None
    rules_version: int


class ExplainedLink(Struct, frozen=True):
    """A link of a path from one identifier (`type:value`) to the next, with its first calls and their number.

    `server_side`: whether a key that stays on servers sent one of its calls. `trust` is the class of the link.
    """

    start: str
    end: str
    edge: evidence_graph.GraphEdge
    sources: list[str | None]
    server_side: bool
    trust: TrustClass
    call_count: int
    calls: list[ExplainedCall]


class LinkExplanation(Struct, frozen=True):
    """Why two identifiers are one profile: the path with the fewest links, and the path with the strongest links."""

    profile_id: ProfileId
    start: str
    end: str
    shortest: list[ExplainedLink]
    strongest: list[ExplainedLink]


@retry_on_key_rotation
async def explain(space: Space, ref: str, start: str, end: str) -> LinkExplanation:
    """Find the shortest and the strongest path between two identifiers of a profile, written `type:value`.

    BadIdentifier, UnknownType, ProfileNotFound, NotLinked.
    """
    identifiers = [await read_identifier(space, start, "from"), await read_identifier(space, end, "to")]
    profile = await open_profile(space, ref)
    evidence = await read_graph_evidence(profile)
    a, b = (space.keys.identifier(each.type, each.value) for each in identifiers)
    if a not in evidence.identifiers or b not in evidence.identifiers:
        raise NotLinked(await why_not_linked(space, profile.id, identifiers))
    built, paths = await in_analysis(_paths, evidence, a, b)
    if paths is None:
        raise NotLinked(await why_not_linked(space, profile.id, identifiers))
    steps = list(dict.fromkeys((*pairwise(paths.shortest), *pairwise(paths.strongest))))
    places = {step: evidence.calls_of(*step) for step in steps}
    calls = await profile.calls({place for found in places.values() for place in found[:MOST_CALLS]})
    async with space.database.reading() as connection:
        source_ids = await spaces_and_keys.source_ids(connection, space.tenant.id)
        server_side = await spaces_and_keys.keys_with_scopes(connection, space.tenant.id, SERVER_SIDE)
    named = await read_named_together(evidence, {place for found in places.values() for place in found})
    links = _LinkReader(evidence, built, places, calls, (source_ids, server_side), LinkClasses(named))
    return LinkExplanation(
        profile_id=profile.id,
        start=identifiers[0].text,
        end=identifiers[1].text,
        shortest=[links.link(*step) for step in pairwise(paths.shortest)],
        strongest=[links.link(*step) for step in pairwise(paths.strongest)],
    )


def _paths(
    evidence: GraphEvidence, a: BlindIndex, b: BlindIndex
) -> tuple[evidence_graph.Graph, evidence_graph.Paths | None]:
    built = evidence.graph()
    return built, evidence_graph.paths(built, a, b)


class _LinkReader:
    """Reads links with the calls that show them."""

    def __init__(
        self,
        evidence: GraphEvidence,
        built: evidence_graph.Graph,
        places: dict[tuple[BlindIndex, BlindIndex], list[Place]],
        calls: dict[Place, StoredCall],
        keys_of_space: tuple[dict[int, str], frozenset[int]],
        classes: LinkClasses,
    ) -> None:
        self.evidence = evidence
        self.built = built
        self.places = places
        self.calls = calls
        self.source_ids, self.server_side = keys_of_space
        self.classes = classes

    def link(self, a: BlindIndex, b: BlindIndex) -> ExplainedLink:
        """A link with its first calls."""
        edge, places = evidence_graph.link(self.built, a, b), self.places[a, b]
        return ExplainedLink(
            start=self.evidence.text(a),
            end=self.evidence.text(b),
            edge=edge,
            sources=[self.source_ids.get(source) for source in edge.sources],
            server_side=not self.server_side.isdisjoint(edge.sources),
            trust=self.classes.of(a, b),
            call_count=len(places),
            calls=[self._call(place) for place in places[:MOST_CALLS] if place in self.calls],
        )

    def _call(self, place: Place) -> ExplainedCall:
        call = self.calls[place]
        return ExplainedCall(
            call=call,
            at=stamp_time(Stamp(place[1])),
            source=self.source_ids.get(call.source),
            rules_version=self.evidence.rules[place],
        )
