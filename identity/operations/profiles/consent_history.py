"""The consent of a person at a time, folded from the stored calls that state consent.

Every call that states consent is kept, sealed, for as long as the profile exists. So the answer for any time is the
fold of the calls that had arrived by then, and it names each of them.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from identity.operations.profiles.answers import CategoryAnswer, ConsentAt, ConsentStatement, PurposeAnswer
from identity.operations.profiles.profile import OpenedProfile, open_profile
from identity.planning.consent.fold import ConsentAnswer, fold
from identity.planning.consent.permission import Permission
from identity.planning.consent.purposes import Purposes, compile_purposes
from identity.planning.consent.signals.read_signals import Signal
from identity.planning.consent.statements import read_call_signals
from identity.planning.resolution.document import merge_decisions, merge_signals
from identity.planning.resolution.event_time import format_time, parse_time
from identity.planning.resolution.extract import CallContent, content
from identity.planning.resolution.stored_calls import StoredCall, unpack
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.destinations import destinations
from identity.store.profiles import evidence as evidence_queries
from identity.store.spaces import spaces_and_keys
from identity.values.calls import ACTS, STORED_KINDS
from identity.values.documents import Document
from identity.values.errors import BadParameter
from identity.values.ids import ProfileId, public_profile
from identity.values.stamps import SLOT_BITS, Stamp
from identity.vault.seal import EVIDENCE, PURPOSES


class StoredStatement(NamedTuple):
    """A stored call that states consent, with the origin and stamp of its evidence."""

    origin: ProfileId
    stamp: Stamp
    call: StoredCall
    content: CallContent


@retry_on_key_rotation
async def consent_at(space: Space, ref: str, at: str | None) -> ConsentAt:
    """The consent at a time (RFC 3339; None: now), the ids of its evidence, and what it permitted.

    BadIdentifier, ProfileNotFound, BadParameter.
    """
    now = time.time_ns() // 1000
    moment = now if at is None else parse_time(at)
    if moment is None:
        raise BadParameter
    moment = min(moment, now)
    opened = await open_profile(space, ref)
    last = moment << SLOT_BITS | ((1 << SLOT_BITS) - 1)
    stated = [each for each in await statements(opened) if each.stamp <= last]
    documents = _documents(stated)
    met = [meeting for meeting in opened.meetings() if meeting.stamp <= last]
    purposes = await _purposes(space, moment)
    permission = Permission(documents, met, purposes, moment)
    ids: dict[tuple[bytes, int], str] = {(each.origin, each.stamp): each.call.message_id for each in stated}
    origins = [member.id for member in opened.members]
    return ConsentAt(
        profile_id=opened.public_id,
        at=format_time(moment),
        consent={name: _answer(answer, ids) for name, answer in fold(documents, met).items()},
        purposes={name: _permitted(permission, name, origins) for name in purposes.purposes},
        history=await _history(space, stated),
    )


async def statements(opened: OpenedProfile) -> list[StoredStatement]:
    """Every call that states consent, by stamp."""
    async with opened.space.database.reading() as connection:
        rows = await evidence_queries.by_origins(
            connection, opened.space.tenant, [member.id for member in opened.members]
        )
    found = []
    for row in rows:
        kind = STORED_KINDS[row.kind]
        if kind in ACTS:
            continue
        call = unpack(opened.subjects[row.origin].open(EVIDENCE, row.origin, row.stamp, row.payload))
        stated = content(call.body, kind, server=call.server, received=call.received)
        if stated.consent or stated.signals or _invalid(call):
            found.append(StoredStatement(ProfileId(row.origin), Stamp(row.stamp), call, stated))
    return found


def render(statement: StoredStatement, sources: dict[int, str]) -> ConsentStatement:
    """A statement as the API gives it."""
    call = statement.call
    context = call.body.get("context")
    consent = context.get("consent") if isinstance(context, dict) else None
    return ConsentStatement(
        evidence_id=call.message_id,
        type=STORED_KINDS[call.kind],
        profile_id=public_profile(statement.origin),
        captured_at=format_time(call.time),
        received_at=format_time(call.received),
        source=sources.get(call.source),
        server_side=call.server,
        decisions=dict(statement.content.consent or {}),
        signals=dict(statement.content.signals),
        signal_sources=[merge_signals.source for merge_signals in _found(call) if merge_signals.stated],
        invalid_signals=_invalid(call),
        jurisdiction=consent.get("jurisdiction") if isinstance(consent, dict) else None,
        evidence=call.body.get("evidence") if STORED_KINDS[call.kind] == "consent" else consent,
    )


def _found(call: StoredCall) -> Sequence[Signal]:
    """The signals of a call."""
    context = call.body.get("context")
    if not isinstance(context, dict):
        return ()
    return read_call_signals(context, server=call.server, received=call.received).found


def _invalid(call: StoredCall) -> list[str]:
    """The signals of a call that cannot be parsed, and so state nothing."""
    return [each.source for each in _found(call) if each.invalid]


def _documents(stated: Iterable[StoredStatement]) -> dict[bytes, Document]:
    documents: dict[bytes, Document] = {}
    for each in stated:
        document = documents.setdefault(each.origin, Document())
        if each.content.consent:
            merge_decisions(document, each.content.consent, each.call.time, each.stamp, server=each.call.server)
        if each.content.signals:
            merge_signals(document, each.content.signals, each.call.time, each.stamp)
    return documents


def _answer(answer: ConsentAnswer, ids: Mapping[tuple[bytes, int], str]) -> CategoryAnswer:
    standing = [ids.get((each.origin, each.stamp)) for each in answer.standing]
    evidence = [each for each in standing if each is not None]
    return CategoryAnswer(answer.value, answer.conflict, format_time(answer.captured), evidence)


def _permitted(permission: Permission, name: str, origins: list[bytes]) -> PurposeAnswer:
    """The strictest answer of all origins for a purpose."""
    verdicts = [permission.one(name, origin) for origin in origins]
    strictest = next((each for each in verdicts if not each.granted), verdicts[0])
    ends = [each.until for each in verdicts if each.until is not None]
    until = min(ends, default=None) if strictest.granted else None
    return PurposeAnswer(
        granted=strictest.granted,
        reason=strictest.reason,
        partly=any(each.granted for each in verdicts) and not strictest.granted,
        until=None if until is None else format_time(until),
    )


async def _history(space: Space, stated: Iterable[StoredStatement]) -> list[ConsentStatement]:
    async with space.database.reading() as connection:
        sources = await spaces_and_keys.key_ids(connection, space.tenant.id)
    return [render(each, sources) for each in stated]


async def _purposes(space: Space, moment: int) -> Purposes:
    async with space.database.reading() as connection:
        version, sealed = await destinations.purposes(connection, space.tenant, moment)
    if sealed is None:
        return Purposes()
    return compile_purposes(msgspec.json.decode(space.keys.open(PURPOSES, space.public_id, version, sealed)), version)
