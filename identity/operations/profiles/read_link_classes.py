"""Reads which calls name identifiers of a profile together, and how far each of them is believed."""

from collections.abc import Iterable
from typing import Final

from identity.operations.profiles.graph_evidence import GraphEvidence
from identity.planning.graph.link_classes import NamedTogether
from identity.store.spaces import spaces_and_keys
from identity.values.enums import SERVER_SIDE
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Stamp

MOST_OPENED: Final = 2_000
"""So many calls of public keys, the newest ones, are opened for what their identity tokens prove."""


async def read_named_together(
    evidence: GraphEvidence, places: Iterable[tuple[ProfileId, Stamp]] | None = None
) -> list[NamedTogether]:
    """The sets of identifiers in the calls of a profile, or in those at some places, each with its class."""
    profile = evidence.profile
    space = profile.space
    async with space.database.reading() as connection:
        server_side = await spaces_and_keys.keys_with_scopes(connection, space.tenant.id, SERVER_SIDE)
    named: list[NamedTogether] = []
    others: list[tuple[ProfileId, Stamp]] = []
    for place in evidence.groups if places is None else places:
        groups = [group for group in evidence.groups[place] if len(group) > 1]
        if not server_side.isdisjoint(evidence.sources(place)):
            named += [NamedTogether(group, server=True) for group in groups]
        elif groups:
            others.append(place)
    others.sort(key=lambda place: place[1], reverse=True)
    calls = await profile.calls(others[:MOST_OPENED]) if others else {}
    for place in others:
        call = calls.get(place)
        proven: frozenset[BlindIndex] = frozenset()
        if call is not None and call.proof is not None:
            proven = frozenset(space.keys.identifier(*each) for each in call.proof.identifiers.items())
        server = call is not None and call.server
        named += [NamedTogether(group, server=server, proven=proven) for group in evidence.groups[place]
                  if len(group) > 1]  # fmt: skip
    return named
