"""The sections of an access export: everything held about a person, as values that name their origin.

Items of a merged profile can so be attributed to one origin each. A step is one page at most, and its
place is enough to continue from, in any process.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from msgspec import Struct

from identity.operations.profiles import consent_history
from identity.operations.profiles.consent_history import StatedConsent
from identity.operations.profiles.graph_evidence import read_graph_evidence
from identity.operations.profiles.profile import OpenedProfile, ProfileIdentifier, open_profile
from identity.operations.profiles.read_history import get_history
from identity.operations.profiles.read_joins import read_joins_of
from identity.operations.profiles.read_link_classes import read_named_together
from identity.operations.profiles.segment_events import ProfileCall, page_of
from identity.operations.profiles.segment_paging import ListParameters
from identity.planning.graph.link_classes import sides
from identity.planning.privacy.access_export import SECTIONS, ExportPosition
from identity.planning.resolution.extract import content
from identity.planning.resolution.stored_calls import StoredCall
from identity.spaces.space import Space
from identity.store.privacy import export_recipients
from identity.store.profiles import snapshot_queries
from identity.store.spaces import spaces_and_keys
from identity.values.calls import ACTS, DAY, STORED_KINDS
from identity.values.documents import STATED
from identity.values.errors import ProfileNotFound
from identity.values.ids import DestinationId, ProfileId, public_profile
from identity.values.stamps import Micros, Stamp

_PAGE = 200
_NAMES = tuple(SECTIONS)
# Calls that the service made for a request are included; acts hold no data of their own.
_EVERY_CALL = ListParameters(
    limit=_PAGE, ascending=True, kinds=tuple(kind for kind in STORED_KINDS if kind not in ACTS)
)


class IdentifierOnSide(Struct, frozen=True):
    """An identifier with the number of its side; None where no public key alone has joined another side to it."""

    identifier: ProfileIdentifier
    side: int | None


class TraitAtOrigin(Struct, frozen=True):
    """A trait of one origin; `current`: it is the trait of the profile."""

    name: str
    value: Any
    updated_at: Micros
    current: bool
    message_id: str | None
    origin: ProfileId


class CategoryAtOrigin(Struct, frozen=True):
    """The decision of one origin for a category."""

    category: str
    value: bool
    captured_at: Micros
    origin: ProfileId


class DecidedCategory(Struct, frozen=True):
    """What one call states for a category; `*`: for all of them."""

    category: str
    value: Any
    statement: StatedConsent


class GroupAtOrigin(Struct, frozen=True):
    """The membership of one origin in a group."""

    group_id: str
    member: bool
    at: Micros
    origin: ProfileId


class SightingsAtOrigin(Struct, frozen=True):
    """How often one set of identifiers was seen at an origin, on how many days, and the start of the last one."""

    count: int
    days: int
    last_day: Micros
    origin: ProfileId


class RecipientOfOrigin(Struct, frozen=True):
    """A destination that received data of an origin, from the first time to the last."""

    name: str
    destination: DestinationId
    first: Micros
    last: Micros
    origin: ProfileId


class CallOfOrigin(Struct, frozen=True):
    """A stored call; `source` is the public id of the key that sent it."""

    call: StoredCall
    source: str | None
    origin: ProfileId


class SectionStep(Struct, frozen=True):
    """The next values of a section of a profile, and the place after them.

    `keys` are the (origin, key id) of everything they were read from.
    """

    profile: int
    section: str
    values: Sequence[Struct]
    following: ExportPosition
    keys: list[tuple[bytes, bytes]]


async def read_sections(space: Space, profiles: Sequence[str], place: ExportPosition) -> AsyncIterator[SectionStep]:
    """All values from a place on; `profiles` are public ids, and profiles that are gone or on hold are skipped."""
    async with space.database.reading() as connection:
        source_ids = await spaces_and_keys.source_ids(connection, space.tenant.id)
    while place.profile < len(profiles):
        try:
            opened = await open_profile(space, profiles[place.profile])
        except ProfileNotFound:
            place = ExportPosition(place.profile + 1, 0, None, place.done)
            continue
        section = _NAMES[place.section]
        values, cursor = await _section(opened, section, place.cursor, source_ids)
        done = place.done + (len(values) if section == "calls" else 0)
        following = ExportPosition(place.profile, place.section, cursor, done)
        if cursor is None:
            last = place.section + 1 == len(_NAMES)
            following = ExportPosition(place.profile + last, 0 if last else place.section + 1, None, done)
        yield SectionStep(
            profile=place.profile,
            section=section,
            values=values,
            following=following,
            keys=[(origin.id, origin.key_id or b"") for origin in opened.origins],
        )
        place = following


async def _section(
    opened: OpenedProfile, name: str, cursor: str | int | None, source_ids: dict[int, str]
) -> tuple[Sequence[Struct], str | int | None]:
    """The values of a section after a cursor, and the cursor after them; None at the end of the section."""
    if name == "history":
        at = cursor if isinstance(cursor, str) else None
        page = await get_history(opened.space, public_profile(opened.id), _PAGE, at)
        # An origin that joined since the profile was opened is not part of this step.
        origins = {origin.id for origin in opened.origins}
        return [entry for entry in page.entries if entry.origin in origins], page.next_cursor
    if name == "joins":
        return await read_joins_of(opened, _PAGE, cursor if isinstance(cursor, str) else None)
    if name in ("calls", "consent_history"):
        found, last = await page_of(opened, _EVERY_CALL, Stamp(cursor) if isinstance(cursor, int) else None)
        if name == "calls":
            return [CallOfOrigin(each.call, source_ids.get(each.call.source), each.origin) for each in found], last
        return [line for each in found for line in _decided(each, source_ids)], last
    return await _SHORT[name](opened), None


async def _profile(opened: OpenedProfile) -> Sequence[Struct]:
    return [await opened.fold_profile(most=None)]


async def _identifiers(opened: OpenedProfile) -> Sequence[Struct]:
    apart = []
    if len(opened.identifiers) > 1:
        evidence = await read_graph_evidence(opened)
        apart = sides(evidence.identifiers, await read_named_together(evidence))
    side_of = {key: nr for nr, side in enumerate(apart, 1) for key in side} if len(apart) > 1 else {}
    identifiers = await opened.opened_identifiers(opened.identifiers)
    return [
        IdentifierOnSide(each, side_of.get(row.key)) for each, row in zip(identifiers, opened.identifiers, strict=True)
    ]


async def _traits(opened: OpenedProfile) -> Sequence[Struct]:
    folded = opened.folded()
    found = [
        (origin, name, entry)
        for origin, document in opened.documents.items()
        for entries in (document.traits, document.server_traits)
        for name, entry in sorted(entries.items())
    ]
    calls = await opened.calls({(origin, entry[2]) for origin, _, entry in found})
    traits = []
    for origin, name, entry in found:
        value, time, stamp = entry
        call = calls.get((origin, stamp))
        traits.append(
            TraitAtOrigin(
                name=name,
                value=value,
                updated_at=Micros(time),
                current=folded[name] == entry,
                message_id=None if call is None else call.message_id,
                origin=ProfileId(origin),
            )
        )
    return traits


async def _consent(opened: OpenedProfile) -> Sequence[Struct]:
    return [
        CategoryAtOrigin(category, value, Micros(time), ProfileId(origin))
        for origin, document in opened.documents.items()
        for decisions in (
            document.consent,
            document.server_decisions,
            *(each.consent for each in document.devices.values()),
        )
        for category, (value, time, _) in sorted(decisions.items())
    ]


async def _groups(opened: OpenedProfile) -> Sequence[Struct]:
    return [
        GroupAtOrigin(name, member, Micros(time), ProfileId(origin))
        for origin, document in opened.documents.items()
        for name, (member, time, _) in sorted(document.groups.items())
    ]


async def _sightings(opened: OpenedProfile) -> Sequence[Struct]:
    async with opened.space.database.reading() as connection:
        found = await snapshot_queries.sightings(
            connection, opened.space.tenant, [origin.id for origin in opened.origins]
        )
    return [
        SightingsAtOrigin(each.seen, each.days, Micros(each.last_day * DAY), ProfileId(each.origin)) for each in found
    ]


async def _disclosures(opened: OpenedProfile) -> Sequence[Struct]:
    async with opened.space.database.reading() as connection:
        found = await export_recipients.recipients(
            connection, opened.space.tenant, [origin.id for origin in opened.origins]
        )
    return [
        RecipientOfOrigin(
            name=each.name,
            destination=each.destination,
            first=Micros(each.first),
            last=Micros(each.last),
            origin=ProfileId(each.origin),
        )
        for each in found
    ]


def _decided(found: ProfileCall, source_ids: dict[int, str]) -> list[DecidedCategory]:
    call = found.call
    stated = content(
        call.body,
        STORED_KINDS[call.kind],
        server=call.server,
        proven=call.proof is not None,
        received=call.received,
        time=call.time,
    )
    statement = consent_history.read_statement(
        consent_history.StoredStatement(found.origin, found.stamp, call, stated), source_ids
    )
    signals = statement.signals
    # The categories of a consent object are among the decisions; an object without any denied everything.
    decided = {
        **statement.decisions,
        **{name: value for name, value in signals.items() if not name.startswith(STATED)},
    }
    if not decided and signals:
        decided = {"*": False}
    return [DecidedCategory(category, value, statement) for category, value in decided.items()]


_SHORT = {
    "profile": _profile,
    "identifiers": _identifiers,
    "traits": _traits,
    "consent": _consent,
    "groups": _groups,
    "sightings": _sightings,
    "disclosures": _disclosures,
}
