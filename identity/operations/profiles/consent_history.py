"""The consent of a person at a time, folded from the stored calls that state consent.

Every call that states consent is kept, sealed, for as long as the profile exists. So the answer for any time is the
fold of the calls that had arrived by then, and it names each of them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from identity.operations.profiles.profile import OpenedProfile, consent_sides, open_profile
from identity.planning.consent.devices import ConsentSides, side_of
from identity.planning.consent.fold import ConsentAnswer, fold
from identity.planning.consent.permission import Permission, Reason
from identity.planning.consent.purposes import Purposes, compile_purposes
from identity.planning.consent.statements import read_call_signals
from identity.planning.resolution.event_time import CLOCK_ERROR, parse_query_time
from identity.planning.resolution.extract import CallContent, content
from identity.planning.resolution.fold_documents import merge_decisions, merge_signals
from identity.planning.resolution.stored_calls import StoredCall, unpack
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.destinations import destinations
from identity.store.profiles import evidence as evidence_queries
from identity.store.spaces import spaces_and_keys
from identity.values.calls import ACTS, STORED_KINDS, Kind
from identity.values.documents import Document
from identity.values.enums import TrustClass
from identity.values.errors import BadParameter
from identity.values.ids import ProfileId
from identity.values.json import JsonObject
from identity.values.stamps import Micros, Stamp, first_stamp, wall_time
from identity.vault.seal import EVIDENCE, PURPOSES


class StoredStatement(NamedTuple):
    """A stored call that states consent, with the origin and stamp of its evidence."""

    origin: ProfileId
    stamp: Stamp
    call: StoredCall
    content: CallContent


class CategoryConsent(Struct, frozen=True):
    """The answer for a category, with the message ids of the calls that it follows from."""

    value: bool
    conflict: bool
    captured_at: Micros
    message_ids: list[str]


class PurposeConsent(Struct, frozen=True):
    """Whether a purpose is permitted, why, and until when; `partly`: permitted for a part of the profile only."""

    granted: bool
    reason: Reason
    partly: bool
    until: Micros | None


class StatedConsent(Struct, frozen=True):
    """A call that states consent; `signal_sources` are the signals that it carries, such as `gpc` or `tcf`."""

    message_id: str
    kind: Kind
    origin: ProfileId
    captured_at: Micros
    received_at: Micros
    source: str | None
    server_side: bool
    trust: TrustClass
    decisions: dict[str, bool]
    signals: JsonObject
    signal_sources: list[str]
    invalid_signals: list[str]
    jurisdiction: Any
    evidence: Any


class ConsentAtTime(Struct, frozen=True):
    """The consent of a person at a time, what it permitted, and every statement up to then.

    `grants_at` are the origins at which the grants of each statement count: the canonical id for the person, None
    for nowhere.
    """

    profile_id: ProfileId
    at: Micros
    categories: dict[str, CategoryConsent]
    purposes: dict[str, PurposeConsent]
    history: list[StatedConsent]
    grants_at: list[ProfileId | None]


@retry_on_key_rotation
async def consent_at(space: Space, ref: str, at: str | None) -> ConsentAtTime:
    """The consent at a time (RFC 3339; None: now), the ids of its evidence, and what it permitted.

    BadIdentifier, ProfileNotFound, BadParameter.
    """
    now = wall_time()
    moment = now if at is None else parse_query_time(at)
    if moment is None:
        raise BadParameter("The query parameter `at` must be an RFC 3339 time, such as 2026-01-31T12:00:00Z.")
    if moment > now + CLOCK_ERROR:
        raise BadParameter(
            "The query parameter `at` lies in the future, whose decisions are unknown; send an earlier time, or none."
        )
    moment = min(moment, now)
    opened = await open_profile(space, ref)
    last = first_stamp(Micros(moment + 1)) - 1
    stated = [each for each in await statements(opened) if each.stamp <= last]
    documents = _documents(stated)
    met = [meeting for meeting in opened.meetings() if meeting.stamp <= last]
    purposes = await purposes_at(space, moment)
    sides = consent_sides(opened, documents, met, await space.recent_rules())
    permission = Permission(sides.documents, sides.meetings, purposes, moment, sides.homes)
    ids = {each.stamp: each.call.message_id for each in stated}
    origins = [origin.id for origin in opened.origins]
    return ConsentAtTime(
        profile_id=opened.id,
        at=Micros(moment),
        categories={
            name: _answer(answer, ids) for name, answer in fold(sides.documents, sides.meetings, sides.homes).items()
        },
        purposes={name: _permitted(permission, name, origins) for name in purposes.purposes},
        history=await _history(space, stated),
        grants_at=[_grants_at(each, opened.id, sides) for each in stated],
    )


def _grants_at(statement: StoredStatement, person: ProfileId, sides: ConsentSides) -> ProfileId | None:
    device = statement.content.device
    if device is None or not sides.homes:
        return person
    return sides.homes.get(side_of(statement.origin, device))


async def statements(opened: OpenedProfile) -> list[StoredStatement]:
    """Every call that states consent, by stamp."""
    async with opened.space.database.reading() as connection:
        rows = await evidence_queries.by_origins(
            connection, opened.space.tenant, [origin.id for origin in opened.origins]
        )
    found = []
    for row in rows:
        kind = STORED_KINDS[row.kind]
        if kind in ACTS:
            continue
        call = unpack(opened.subjects[row.origin].open(EVIDENCE, row.origin, row.stamp, row.payload))
        stated = content(
            call.body, kind, server=call.server, proven=call.proof is not None, received=call.received, time=call.time
        )
        if stated.consent or stated.signals or stated.invalid_signals:
            found.append(StoredStatement(ProfileId(row.origin), Stamp(row.stamp), call, stated))
    return found


def read_statement(statement: StoredStatement, source_ids: dict[int, str]) -> StatedConsent:
    """What a stored call states; `source_ids` are the public ids of keys by number."""
    call = statement.call
    context = call.body.get("context")
    consent = context.get("consent") if isinstance(context, dict) else None
    return StatedConsent(
        message_id=call.message_id,
        kind=STORED_KINDS[call.kind],
        origin=statement.origin,
        captured_at=Micros(call.time),
        received_at=Micros(call.received),
        source=source_ids.get(call.source),
        server_side=call.server,
        trust=call.trust,
        decisions=dict(statement.content.consent or {}),
        signals={name: each.value for name, each in statement.content.signals.items()},
        signal_sources=_sources(call),
        invalid_signals=statement.content.invalid_signals,
        jurisdiction=consent.get("jurisdiction") if isinstance(consent, dict) else None,
        evidence=call.body.get("evidence") if STORED_KINDS[call.kind] == "consent" else consent,
    )


def _sources(call: StoredCall) -> list[str]:
    """The sources of the signals that state something."""
    context = call.body.get("context")
    if not isinstance(context, dict):
        return []
    return [*read_call_signals(context, server=call.server, received=call.received).sources]


def _documents(stated: Iterable[StoredStatement]) -> dict[ProfileId, Document]:
    documents: dict[ProfileId, Document] = {}
    for each in stated:
        document = documents.setdefault(each.origin, Document())
        if each.content.consent:
            merge_decisions(
                document,
                each.content.consent,
                each.call.time,
                each.stamp,
                server=each.call.for_person,
                device=each.content.device,
            )
        if each.content.signals:
            merge_signals(document, each.content.signals, each.stamp, device=each.content.device)
    return documents


def _answer(answer: ConsentAnswer, ids: Mapping[Stamp, str]) -> CategoryConsent:
    standing = [ids.get(each.stamp) for each in answer.standing]
    evidence = [each for each in standing if each is not None]
    return CategoryConsent(answer.value, answer.conflict, answer.captured_at, evidence)


def _permitted(permission: Permission, name: str, origins: list[ProfileId]) -> PurposeConsent:
    """The strictest answer of all origins for a purpose."""
    verdicts = [permission.one(name, origin) for origin in origins]
    strictest = next((each for each in verdicts if not each.granted), verdicts[0])
    ends = [each.until for each in verdicts if each.until is not None]
    until = min(ends, default=None) if strictest.granted else None
    return PurposeConsent(
        granted=strictest.granted,
        reason=strictest.reason,
        partly=any(each.granted for each in verdicts) and not strictest.granted,
        until=None if until is None else Micros(until),
    )


async def _history(space: Space, stated: Iterable[StoredStatement]) -> list[StatedConsent]:
    async with space.database.reading() as connection:
        source_ids = await spaces_and_keys.source_ids(connection, space.tenant.id)
    return [read_statement(each, source_ids) for each in stated]


async def purposes_at(space: Space, moment: Micros | None = None) -> Purposes:
    """The purposes in force at a time (microseconds), or now; none before the first document."""
    async with space.database.reading() as connection:
        version, sealed = await destinations.purposes(connection, space.tenant, moment)
    if sealed is None:
        return Purposes()
    return compile_purposes(msgspec.json.decode(space.keys.open(PURPOSES, space.public_id, version, sealed)), version)
