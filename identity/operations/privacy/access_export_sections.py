"""The sections of an access export: everything held about a person, as items that name their origin.

Items of a merged profile can so be attributed to one origin each. A step is one page at most, and its
place is enough to continue from, in any process.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from identity.operations.profiles import consent_history
from identity.operations.profiles.profile import OpenedProfile, open_profile
from identity.operations.profiles.read_history import get_history
from identity.operations.profiles.segment_events import ProfileCall, page_of
from identity.operations.profiles.segment_paging import ListParameters
from identity.planning.privacy.access_export import SECTIONS, ExportPart, ExportPosition
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.extract import content
from identity.spaces.space import Space
from identity.store.privacy import access_exports
from identity.store.profiles import snapshot_queries
from identity.store.spaces import spaces_and_keys
from identity.values.calls import ACTS, DAY, STORED_KINDS
from identity.values.documents import STATED
from identity.values.errors import ProfileNotFound
from identity.values.ids import public, public_profile

_PAGE = 200
_NAMES = tuple(SECTIONS)
# Calls that the service made for a request are included; acts hold no data of their own.
_EVERY_CALL = ListParameters(_PAGE, ascending=True, kinds=tuple(kind for kind in STORED_KINDS if kind not in ACTS))


class SectionStep(Struct, frozen=True):
    """The next items, and the (origin, key id) of everything they were read from."""

    part: ExportPart
    keys: list[tuple[bytes, bytes]]


async def read_sections(space: Space, profiles: Sequence[str], place: ExportPosition) -> AsyncIterator[SectionStep]:
    """All items from a place on; `profiles` are public ids, and profiles that are gone or on hold are skipped."""
    async with space.database.reading() as connection:
        sources = await spaces_and_keys.key_ids(connection, space.tenant.id)
    while place.profile < len(profiles):
        try:
            opened = await open_profile(space, profiles[place.profile])
        except ProfileNotFound:
            place = ExportPosition(place.profile + 1, 0, None, place.done)
            continue
        section = _NAMES[place.section]
        items, cursor = await _section(opened, section, place.cursor, sources)
        done = place.done + (len(items) if section == "calls" else 0)
        following = ExportPosition(place.profile, place.section, cursor, done)
        if cursor is None:
            last = place.section + 1 == len(_NAMES)
            following = ExportPosition(place.profile + last, 0 if last else place.section + 1, None, done)
        keys = [(member.id, member.key_id or b"") for member in opened.members]
        yield SectionStep(ExportPart(place.profile, section, items, following), keys)
        place = following


async def _section(
    opened: OpenedProfile, name: str, cursor: str | int | None, sources: dict[int, str]
) -> tuple[list[Any], str | int | None]:
    """The items of a section after a cursor, and the cursor after them; None at the end of the section."""
    if name == "history":
        at = cursor if isinstance(cursor, str) else None
        page = await get_history(opened.space, opened.public_id, _PAGE, at)
        # An origin that joined since the profile was opened is not part of this step.
        there = {public_profile(member.id) for member in opened.members}
        lines = [msgspec.to_builtins(line) for line in page.history if line.profile_id in there]
        return lines, page.next_cursor
    if name in ("calls", "consent_history"):
        found, last = await page_of(opened, _EVERY_CALL, cursor if isinstance(cursor, int) else None)
        if name == "calls":
            return [_call(each, sources) for each in found], last
        return [line for each in found for line in _decided(each, sources)], last
    return await _SHORT[name](opened), None


async def _profile(opened: OpenedProfile) -> list[Any]:
    return [msgspec.to_builtins(await opened.answer())]


async def _identifiers(opened: OpenedProfile) -> list[Any]:
    names = await opened.names()
    return [
        {
            "type": names[held.type],
            "value": opened.value(held),
            "first_seen": format_time(held.first_seen),
            "last_seen": format_time(held.last_seen),
            "retired": held.retired,
            "profile_id": public_profile(held.origin),
        }
        for held in opened.identifiers
    ]


async def _traits(opened: OpenedProfile) -> list[Any]:
    folded = opened.folded()
    found = [
        (origin, name, entry)
        for origin, document in opened.documents.items()
        for name, entry in sorted(document.traits.items())
    ]
    calls = await opened.calls({(origin, entry[2]) for origin, _, entry in found})
    items = []
    for origin, name, entry in found:
        value, time, stamp = entry
        call = calls.get((origin, stamp))
        items.append(
            {
                "name": name,
                "value": value,
                "updated_at": format_time(time),
                "current": folded[name] == entry,
                "message_id": None if call is None else call.message_id,
                "profile_id": public_profile(origin),
            }
        )
    return items


async def _consent(opened: OpenedProfile) -> list[Any]:
    return [
        {
            "category": category,
            "value": value,
            "captured_at": format_time(time),
            "profile_id": public_profile(origin),
        }
        for origin, document in opened.documents.items()
        for decisions in (document.consent, document.server_decisions)
        for category, (value, time, _) in sorted(decisions.items())
    ]


async def _groups(opened: OpenedProfile) -> list[Any]:
    return [
        {"group_id": name, "member": member, "at": format_time(time), "profile_id": public_profile(origin)}
        for origin, document in opened.documents.items()
        for name, (member, time, _) in sorted(document.groups.items())
    ]


async def _sightings(opened: OpenedProfile) -> list[Any]:
    async with opened.space.database.reading() as connection:
        found = await snapshot_queries.sightings(
            connection, opened.space.tenant, [member.id for member in opened.members]
        )
    return [
        {
            "count": each.seen,
            "days": each.days,
            "last_day": format_time(each.last_day * DAY)[:10],
            "profile_id": public_profile(each.origin),
        }
        for each in found
    ]


async def _disclosures(opened: OpenedProfile) -> list[Any]:
    async with opened.space.database.reading() as connection:
        found = await access_exports.recipients(
            connection, opened.space.tenant, [member.id for member in opened.members]
        )
    return [
        {
            "destination": each.name,
            "destination_id": public("dst", each.destination),
            "first": format_time(each.first),
            "last": format_time(each.last),
            "profile_id": public_profile(each.origin),
        }
        for each in found
    ]


def _call(found: ProfileCall, sources: dict[int, str]) -> dict[str, Any]:
    call = found.call
    return {
        "type": STORED_KINDS[call.kind],
        "message_id": call.message_id,
        "timestamp": format_time(call.time),
        "received_at": format_time(call.received),
        "source": sources.get(call.source),
        "body": call.body,
        "profile_id": public_profile(found.origin),
    }


def _decided(found: ProfileCall, sources: dict[int, str]) -> list[dict[str, Any]]:
    call = found.call
    stated = content(call.body, STORED_KINDS[call.kind], server=call.server, received=call.received)
    statement = consent_history.StoredStatement(found.origin, found.stamp, call, stated)
    shown = msgspec.to_builtins(consent_history.render(statement, sources))
    decided, signals = shown.pop("decisions"), shown.pop("signals")
    # The categories of a consent object are among the decisions; an object without any denied everything.
    lines = {**decided, **{name: value for name, value in signals.items() if not name.startswith(STATED)}}
    if not lines and signals:
        lines = {"*": False}
    return [
        {"category": category, "value": value, "message_id": call.message_id, **shown}
        for category, value in lines.items()
    ]


_SHORT = {
    "profile": _profile,
    "identifiers": _identifiers,
    "traits": _traits,
    "consent": _consent,
    "groups": _groups,
    "sightings": _sightings,
    "disclosures": _disclosures,
}
