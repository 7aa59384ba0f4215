"""The consent of a profile of a world in memory, as a read folds it under the rules."""

from collections.abc import Mapping

from identity.planning.consent import fold
from identity.planning.consent.devices import as_one, by_side, device_tag
from identity.planning.resolution.plan import Gained
from identity.planning.resolution.resolution_rules import Rules
from identity.values.documents import Document
from identity.values.identifiers import ANONYMOUS_ID
from identity.values.ids import BlindIndex, ProfileId


def world_consent(
    rules: Rules,
    gained: Mapping[BlindIndex, Gained],
    documents: Mapping[ProfileId, Document],
    meetings: list[fold.Meeting],
) -> dict[str, fold.ConsentAnswer]:
    """The answers of the origins with these documents."""
    if rules.public.trusted:
        return fold.fold(as_one(documents), meetings)
    sides = by_side(documents, meetings, device_homes(gained))
    return fold.fold(sides.documents, sides.meetings, sides.homes)


def device_homes(gained: Mapping[BlindIndex, Gained]) -> dict[str, ProfileId]:
    """The origin that each device created."""
    first: dict[ProfileId, int] = {}
    for each in gained.values():
        first[each.origin] = min(each.linked_at, first.get(each.origin, each.linked_at))
    return {
        device_tag(each.identifier.value): each.origin
        for each in gained.values()
        if each.identifier.type == ANONYMOUS_ID and each.linked_at == first[each.origin]
    }
