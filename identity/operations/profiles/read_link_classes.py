"""Reads which calls name identifiers of a profile together, and how far each of them is believed."""

import asyncio
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
_SLICE: Final = 250


async def read_named_together(
    evidence: GraphEvidence, places: Iterable[tuple[ProfileId, Stamp]] | None = None
) -> list[NamedTogether]:
    """The sets of identifiers in the calls of a profile, or in those at some places, each with its class, once each."""
    profile = evidence.profile
    space = profile.space
    async with space.database.reading() as connection:
        server_side = await spaces_and_keys.keys_with_scopes(connection, space.tenant.id, SERVER_SIDE)
    named: dict[NamedTogether, None] = {}
    others: dict[tuple[ProfileId, Stamp], list[tuple[BlindIndex, ...]]] = {}
    for nr, place in enumerate(evidence.groups if places is None else places):
        if nr % _SLICE == _SLICE - 1:
            await asyncio.sleep(0)
        groups = [group for group in evidence.groups[place] if len(group) > 1]
        if not server_side.isdisjoint(evidence.sources(place)):
            named |= dict.fromkeys(NamedTogether(group, server=True) for group in groups)
        elif groups:
            others[place] = groups
            named |= dict.fromkeys(NamedTogether(group) for group in groups)
    newest = sorted(others, key=lambda place: place[1], reverse=True)[:MOST_OPENED]
    for at in range(0, len(newest), _SLICE):
        for place, call in (await profile.calls(newest[at : at + _SLICE])).items():
            proven = {} if call.proof is None else call.proof.identifiers
            vouched = frozenset(space.keys.identifier(*each) for each in proven.items())
            if call.server or vouched:
                named |= dict.fromkeys(NamedTogether(group, call.server, vouched) for group in others[place])
    return list(named)
