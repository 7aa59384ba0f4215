"""Access: everything held about a person, gathered once, sealed under a key of its own, fetched once.

Asked for by any identifier, for everything its canonical profile folds. It is gathered by a job that
goes on where it was interrupted, and it is gone when it was fetched, when its time is over, or when
anybody it holds is erased, withheld or parted, whichever comes first.
"""

import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from identity.planning.privacy.access_export import WRITERS, Part, Place, pack, split, unpack
from identity.planning.privacy.request_kinds import Asked
from identity.planning.resolution.event_time import format_time
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive
from identity.spaces.profile_rows import unwrap_key
from identity.spaces.retry import RetryPolicy, repeat
from identity.spaces.space import Space, Spaces
from identity.store.ingest.write import Writes
from identity.store.ledger import ledger
from identity.store.privacy import access_exports, requests
from identity.store.profiles import snapshot_queries
from identity.store.spaces import jobs
from identity.values.calls import MICRO
from identity.values.enums import AccessExportState, JobKind, RequestKind
from identity.values.errors import (
    Conflict,
    ExportNotFound,
    IdempotencyConflict,
    KeyUnavailable,
    RequestExists,
    TooManyAsked,
)
from identity.values.identifiers import parse
from identity.values.ids import new_id, private, public, public_profile
from identity.vault.seal import EXPORT, JOB, REQUEST
from identity.vault.subject_keys import SubjectKey

MOST_ASKED: Final = 1_000
FETCHABLE: Final = 72 * 3_600 * MICRO
_STREAMING: Final = 3_600 * MICRO
# Somebody may be split or erased between the reading and the writing, or a second job builds the same export.
_POLICY: Final = RetryPolicy(attempts=8, jitter=0.025, conflicts=(Conflict, KeyUnavailable), lasting=())
_PAGE: Final = 1_000


class Gathered(Protocol):
    """A step of gathering: the next items, and the (origin, key id) of all they were read from."""

    @property
    def part(self) -> Part: ...  # noqa: D102
    @property
    def keys(self) -> list[tuple[bytes, bytes]]: ...  # noqa: D102


Gather = Callable[[Space, Sequence[str], Place], AsyncIterator[Gathered]]
Progress = Callable[[int, int], Awaitable[None]]


class Made(Struct, frozen=True):
    """An export that was asked for; `ticket` fetches it once, `unknown` are identifiers of nobody."""

    id: bytes
    request_id: bytes
    job_id: bytes
    ticket: str
    created_at: int
    unknown: Sequence[str] = ()


async def ask(space: Space, asked: Asked) -> Made:
    """Asks for an export, or finds that it was asked for before. Each request is in the ledger.

    TooManyAsked, BadIdentifier; IdempotencyConflict, RequestExists where a name is taken.
    """
    if not 1 <= len(asked.identifiers) <= MOST_ASKED:
        raise TooManyAsked
    region = (await space.rules()).region
    named = [parse(text, region) for text in asked.identifiers]
    idempotency = None if asked.idempotency is None else space.keys.mac(b"again", asked.idempotency.encode())
    texts = [each.text for each in named]
    body = space.keys.mac(b"asked", msgspec.json.encode((asked.front, asked.kind, asked.regulation, texts)))
    now = time.time_ns() // 1000
    made = Made(new_id(), asked.request_id or new_id(), new_id(), secrets.token_urlsafe(32), now)
    details = {"export": made.id.hex(), "job": made.job_id.hex(), "ticket": made.ticket, **(asked.details or {})}
    request = requests.RequestRow(
        made.request_id, asked.front, asked.kind, asked.regulation, 0, asked.received_at or now, asked.actor, body,
        space.keys.seal(REQUEST, made.request_id, 0, msgspec.json.encode(details)),
    )  # fmt: skip

    async def decide(exclusive: ExclusiveSpace) -> SpaceChange[Made]:
        connection, tenant = exclusive.connection, space.tenant
        keys = [space.keys.identifier(each.type, each.value) for each in named]
        unknown = [text for text, key in zip(texts, keys, strict=True) if key not in exclusive.owners]
        known = None if idempotency is None else await requests.by_idempotency_key(connection, tenant, idempotency)
        known = known or await requests.get(connection, tenant, made.request_id)
        if known is not None:
            if known.body != body:
                raise IdempotencyConflict if known.id != made.request_id else RequestExists
            return SpaceChange(msgspec.structs.replace(_made(space, known), unknown=unknown))
        rows = await snapshot_queries.origins(connection, tenant, sorted(set(exclusive.owners.values())))
        heads = [row for row in rows if row.head == row.id]
        await requests.add(connection, tenant, request, idempotency, asked.call_at(time.time_ns() // 1000))
        ids = b"".join(sorted(row.id for row in rows))
        row = access_exports.ExportRow(
            made.id, now, now + FETCHABLE, AccessExportState.RUNNING, made.job_id, asked.actor, ids, 0
        )
        await access_exports.add(connection, tenant, row, _hash(made.ticket))
        wanted = {
            "export": made.id.hex(),
            "request": made.request_id.hex(),
            "profiles": sorted(public_profile(head.canonical) for head in heads),
            "total": sum(each.events for each in rows),
        }
        payload = space.keys.seal(JOB, made.job_id, 0, msgspec.json.encode(wanted))
        await jobs.add(connection, tenant, made.job_id, JobKind.EXPORT, payload)
        new_keys = await exclusive.new_subject_keys()
        new_keys.make(made.id)
        writes = Writes(gate=exclusive.stamps(exclusive.gate.stamp), slot=new_keys.new_slot, subject_keys=new_keys.rows)
        writes.ledger = [ledger.entry(asked.actor, "export", public("exp", made.id), now)]
        return SpaceChange(msgspec.structs.replace(made, unknown=unknown), writes)

    return await run_exclusive(space, named, decide)


async def run(space: Space, wanted: dict[str, Any], progress: Progress, gather: Gather) -> dict[str, Any]:
    """Gathers an export from where it is on. ExportNotFound where it is gone meanwhile."""
    id_ = bytes.fromhex(wanted["export"])
    return await repeat(_POLICY, lambda: _run(space, id_, wanted, progress, gather))


async def _run(space: Space, id_: bytes, wanted: dict[str, Any], progress: Progress, gather: Gather) -> dict[str, Any]:
    async with space.database.reading() as connection:
        export = await _get(space, connection, id_)
        last = await access_exports.part(connection, space.tenant, id_, export.parts - 1) if export.parts else None
    key = await _key(space, id_)
    place = Place() if last is None else unpack(key.open(EXPORT, id_, export.parts - 1, last)).following
    nr = export.parts
    if export.state == AccessExportState.RUNNING:
        await progress(place.done, max(place.done, wanted["total"]))
        async for step in gather(space, wanted["profiles"], place):
            parts = [key.seal(EXPORT, id_, nr + at, pack(part)) for at, part in enumerate(split(step.part))]
            async with space.database.transaction() as connection:
                if not await access_exports.add_parts(connection, space.tenant, id_, nr, parts, step.keys):
                    raise ExportNotFound
            nr += len(parts)
            place = step.part.following
            await progress(place.done, max(place.done, wanted["total"]))
        async with space.database.transaction() as connection:
            if not await access_exports.mark_ready(connection, space.tenant, id_, time.time_ns() // 1000 + FETCHABLE):
                # Gone, or made ready by somebody else.
                raise Conflict
            if "request" in wanted:
                await requests.mark_answered(connection, space.tenant, bytes.fromhex(wanted["request"]))
        await progress(place.done, place.done)
    return {"export_id": public("exp", id_), "profiles": len(wanted["profiles"])}


async def get(space: Space, export_id: str) -> dict[str, Any]:
    """An export as it is told, without how far its job is. ExportNotFound."""
    async with space.database.reading() as connection:
        row = await _get(space, connection, private("exp", export_id))
    return {
        "export_id": export_id,
        "state": AccessExportState(row.state).label,
        "job_id": public("job", row.job_id),
        "created_at": format_time(row.created_at),
        "expires_at": format_time(row.until),
    }


async def asked_for(space: Space, request_id: bytes) -> Made | None:
    """The export of a request for access; None for any other request."""
    async with space.database.reading() as connection:
        row = await requests.get(connection, space.tenant, request_id)
    return None if row is None or row.kind != RequestKind.ACCESS else _made(space, row)


def address(base: str | None, made: Made) -> str:
    """Where an export is fetched, once; `base` is the address that clients know."""
    return f"{base or ''}/v1/exports/{public('exp', made.id)}/download?ticket={made.ticket}"


async def fetch(space: Space, export_id: str, ticket: str, form: str, actor: str) -> AsyncGenerator[bytes]:
    """An export, piece by piece, as `json` or `csv`. ExportNotFound where the ticket is not good for it, now."""
    id_, now = private("exp", export_id), time.time_ns() // 1000
    async with space.database.transaction() as connection:
        row = await _get(space, connection, id_)
        if not await access_exports.redeem_ticket(
            connection, space.tenant, row.id, _hash(ticket), now, now + _STREAMING
        ):
            raise ExportNotFound
        await ledger.note(connection, space.tenant.id, actor, "export.fetch", export_id)
    key = await _key(space, row.id)
    about = {
        "export_id": export_id,
        "space_id": public("spc", space.public_id),
        "created_at": format_time(row.created_at),
    }
    return _told(space, row, key, WRITERS[form](about))


async def _told(space: Space, row: access_exports.ExportRow, key: SubjectKey, writer: Any) -> AsyncGenerator[bytes]:
    try:
        for nr in range(row.parts):
            async with space.database.reading() as connection:
                sealed = await access_exports.part(connection, space.tenant, row.id, nr)
            if sealed is None:
                # Erased while it was being fetched: what is left of it is not told.
                raise ExportNotFound
            yield writer.feed(unpack(key.open(EXPORT, row.id, nr, sealed)))
        yield writer.end()
    finally:
        # Its ticket is spent, whether all of it arrived or not.
        async with space.database.transaction() as connection:
            await access_exports.drop(connection, space.tenant, row.id)


async def forget_expired(spaces: Spaces) -> int:
    """Destroys exports that nobody may fetch any more; how many."""
    async with spaces.database.reading() as connection:
        found = await access_exports.expired(connection, time.time_ns() // 1000, _PAGE)
    for space_id, id_ in found:
        space = await spaces.get(space_id)
        async with space.database.transaction() as connection:
            await access_exports.drop(connection, space.tenant, id_)
    return len(found)


async def _get(space: Space, connection: Any, id_: bytes | None) -> access_exports.ExportRow:
    row = None if id_ is None else await access_exports.get(connection, space.tenant, id_)
    if row is None or row.until <= time.time_ns() // 1000:
        raise ExportNotFound
    return row


async def _key(space: Space, id_: bytes) -> SubjectKey:
    async with space.database.reading() as connection:
        found = await snapshot_queries.subject_keys(connection, space.tenant, [id_])
    if not found:
        raise ExportNotFound
    return unwrap_key(space, found[0])


def _made(space: Space, row: requests.RequestRow) -> Made:
    details = msgspec.json.decode(space.keys.open(REQUEST, row.id, 0, row.details or b""))
    id_, job = bytes.fromhex(details["export"]), bytes.fromhex(details["job"])
    return Made(id_, row.id, job, details["ticket"], row.received_at)


def _hash(ticket: str) -> bytes:
    return sha256(ticket.encode()).digest()
