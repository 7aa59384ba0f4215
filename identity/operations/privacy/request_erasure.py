"""Requests to erase or suppress: taken in, done before they are answered, and followed from then on.

A request is a row before anything is done for it, and what is interrupted is finished by whoever
comes next: the client that sends it again, or the standing work. It is answered once its entries are
in the journal, so nothing that was acknowledged depends on the database alone.
"""

import secrets
import time
from collections.abc import Sequence
from hashlib import sha256

import msgspec

from identity.operations.privacy.cancel_erasure import give_up
from identity.operations.privacy.erase_person import erase
from identity.operations.privacy.suppress_person import change
from identity.planning.privacy.deadlines import due, extended
from identity.planning.privacy.erasure_entry import commitment
from identity.planning.privacy.request_kinds import DELETES, Asked, Erased, Notice, Request
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.corrections.connected_profiles import gate as read_gate
from identity.store.ledger import ledger
from identity.store.postgres.database import Connection
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import erase as erasing
from identity.store.privacy import erasure_notices, restore_requests
from identity.store.privacy import erasures as erasures_
from identity.store.privacy import requests as store
from identity.values.calls import Identifier
from identity.values.enums import ErasureState, Law, NoticeState, RequestInterface, RequestKind
from identity.values.errors import (
    AlreadyErased,
    AlreadyExtended,
    ErasureNotFound,
    IdempotencyConflict,
    NotExtensible,
    RequestExists,
    RequestNotFound,
    TooManyAsked,
)
from identity.values.identifiers import parse
from identity.values.ids import new_id, private, public
from identity.vault.seal import REQUEST

MOST_ASKED = 5_000
SALT = 16
_LAST = (1 << 63) - 1, b"\xff" * 16
_STATES = {state.label: state for state in ErasureState}


async def ask(space: Space, asked: Asked) -> Request:
    """Does what is asked, whole, and answers with it; the same again where it was asked before.

    TooManyAsked, BadIdentifier; IdempotencyConflict, RequestExists where a name is taken.
    """
    if not 1 <= len(asked.identifiers) <= MOST_ASKED:
        raise TooManyAsked
    region = (await space.rules()).region
    named = [parse(text, region) for text in asked.identifiers]
    texts = [each.text for each in named]
    idempotency = None if asked.idempotency is None else space.keys.mac(b"again", asked.idempotency.encode())
    body = space.keys.mac(b"asked", msgspec.json.encode((asked.front, asked.kind, asked.regulation, texts)))
    salts = [_salt(space, asked, nr) for nr in range(len(named))]
    now = asked.received_at or time.time_ns() // 1000
    request_id = asked.request_id or new_id()
    details = None if asked.details is None else msgspec.json.encode(asked.details)
    row = store.RequestRow(
        request_id, asked.front, asked.kind, asked.regulation, 0, now, asked.actor, body,
        None if details is None else space.keys.seal(REQUEST, request_id, 0, details),
    )  # fmt: skip
    await space.read_types()
    async with space.database.transaction() as connection:
        # What is added is looked up by the version of the index key that is in force.
        space.keys.set_versions((await read_gate(connection, space.tenant.id, share=True)).versions)
        erasures = [
            erasures_.NewErasure(
                new_id(),
                space.codes.get(each.type, 0),
                space.keys.identifier(each.type, each.value),
                space.keys.suppression(each.type, each.value),
                commitment(salt, each.text),
            )
            for each, salt in zip(named, salts, strict=True)
        ]
        known = None if idempotency is None else await store.by_idempotency_key(connection, space.tenant, idempotency)
        if known is None:
            call_at = asked.call_at(time.time_ns() // 1000)
            if await store.add(connection, space.tenant, row, idempotency, call_at):
                due_at = due(asked.regulation, now)
                await erasures_.add(connection, space.tenant, row, erasures, due_at)
                told = restore_requests.ledger_fields(row, idempotency, erasures, due_at, call_at)
                said = ledger.entry(row.actor, "request", public("req", row.id), time.time_ns() // 1000, told)
                await ledger.append(connection, space.tenant.id, *said)
            else:
                # Somebody who sent the same was faster; they are waited for by the insert.
                known = (
                    None
                    if idempotency is None
                    else await store.by_idempotency_key(connection, space.tenant, idempotency)
                )
                if known is None:
                    raise RequestExists
    if known is not None:
        if known.body != body:
            raise IdempotencyConflict
        request_id = known.id
    await perform(space, request_id, named)
    done = await get(space, request_id)
    shown = [
        msgspec.structs.replace(each, salt=salt.hex(), identifier=text)
        for each, salt, text in zip(done.erasures, salts, texts, strict=True)
    ]
    return msgspec.structs.replace(done, erasures=shown)


def _salt(space: Space, asked: Asked, nr: int) -> bytes:
    """The salt of a commitment; nobody can make it again but who sends the same request again."""
    if asked.idempotency is None:
        return secrets.token_bytes(SALT)
    own = space.keys.mac(b"salt", asked.idempotency.encode() + nr.to_bytes(4, "big"))
    return sha256(own + asked.idempotency.encode()).digest()[:SALT]


@retry_on_key_rotation
async def perform(space: Space, request_id: bytes, named: Sequence[Identifier] = ()) -> None:
    """Does what of a request is not done yet, and has the journal say so.

    `named` is what it asked for, in order, where that is still known. KeyUnavailable where it is not, and
    a rotation of the index key has yet to find out whether anybody bears it.
    """
    async with space.database.reading() as connection:
        request = await store.get(connection, space.tenant, request_id)
        rows = await erasures_.by_requests(connection, space.tenant, [request_id])
    if request is None:
        raise RequestNotFound
    waiting = [row for row in rows if row.state == ErasureState.RECEIVED]
    if waiting:
        writer = WriterConnection(space.database)
        try:
            if request.kind in DELETES:
                for row in waiting:
                    await erase(writer, space, row, request.actor, named[row.nr - 1 : row.nr])
            else:
                await change(writer, space, waiting, request.actor, named, on=request.kind == RequestKind.SUPPRESS_ONLY)
        finally:
            await writer.close()
    await space.publish()


async def get(space: Space, request_id: bytes) -> Request:
    """A request with its erasures. RequestNotFound."""
    async with space.database.reading() as connection:
        row = await store.get(connection, space.tenant, request_id)
        rows = [] if row is None else await erasures_.by_requests(connection, space.tenant, [request_id])
        notices = await _notices(space, connection, rows)
    if row is None:
        raise RequestNotFound
    await _know_types(space, rows)
    return _request(space, row, [_erased(space, each, notices) for each in rows])


async def requests(
    space: Space, fronts: Sequence[int], kinds: Sequence[int] | None, limit: int, cursor: str | None
) -> tuple[list[Request], str | None]:
    """Requests, the newest first, and where to go on. BadCursor."""
    before = _LAST
    if cursor is not None:
        raw = space.read_cursor(b"requests", cursor)
        before = int.from_bytes(raw[:8], "big"), raw[8:]
    async with space.database.reading() as connection:
        found = await store.newest(connection, space.tenant, fronts, kinds, before, limit + 1)
        rows = await erasures_.by_requests(connection, space.tenant, [row.id for row in found[:limit]])
        notices = await _notices(space, connection, rows)
    await _know_types(space, rows)
    page = found[:limit]
    of: dict[bytes, list[Erased]] = {}
    for row in rows:
        of.setdefault(row.request_id, []).append(_erased(space, row, notices))
    following = None
    if len(found) > limit:
        last = page[-1]
        following = space.write_cursor(b"requests", last.received_at.to_bytes(8, "big") + last.id)
    return [_request(space, row, of.get(row.id, [])) for row in page], following


async def erasure(space: Space, erasure_id: str) -> Erased:
    """An erasure by its public id. ErasureNotFound."""
    id_ = private("ers", erasure_id)
    async with space.database.reading() as connection:
        row = None if id_ is None else await erasures_.get(connection, space.tenant, id_)
        notices = [] if row is None else await _notices(space, connection, [row])
    if row is None:
        raise ErasureNotFound
    await _know_types(space, [row])
    return _erased(space, row, notices)


async def erasures(space: Space, state: str | None, limit: int, cursor: str | None) -> tuple[list[Erased], str | None]:
    """Erasures, the newest first, of one state or of all, and where to go on. BadCursor."""
    before = _LAST[1] if cursor is None else space.read_cursor(b"erasures", cursor)
    if state is not None and state not in _STATES:
        return [], None
    wanted = None if state is None else _STATES[state]
    async with space.database.reading() as connection:
        rows = await erasures_.newest(connection, space.tenant, wanted, before, limit + 1)
        notices = await _notices(space, connection, rows)
    await _know_types(space, rows)
    page = rows[:limit]
    following = space.write_cursor(b"erasures", page[-1].id) if len(rows) > limit else None
    return [_erased(space, row, notices) for row in page], following


async def cancel(space: Space, request_id: bytes, actor: str) -> Request:
    """Gives up what of a request waits. RequestNotFound; AlreadyErased once any of it is done."""
    now = time.time_ns() // 1000
    async with space.database.transaction() as connection:
        if await store.get(connection, space.tenant, request_id) is None:
            raise RequestNotFound
        rows = await erasures_.by_requests(connection, space.tenant, [request_id])
        if any(row.internal_at is not None for row in rows):
            raise AlreadyErased
        if await erasures_.cancel(connection, space.tenant, request_id, now):
            await ledger.note(connection, space.tenant.id, actor, "erase.cancel", public("req", request_id))
    writer = WriterConnection(space.database)
    try:
        for row in await _withheld(space, rows):
            await give_up(writer, space, row, actor)
    finally:
        await writer.close()
    await space.publish()
    return await get(space, request_id)


async def _withheld(space: Space, rows: Sequence[erasures_.ErasureRow]) -> list[erasures_.ErasureRow]:
    """Those of these erasures whose person is withheld."""
    async with space.database.reading() as connection:
        hidden = await erasing.erasures_on_hold(connection, space.tenant, [row.id for row in rows])
    return [row for row in rows if row.id in hidden]


async def extend(space: Space, erasure_id: str, reason: str, actor: str) -> Erased:
    """Moves the due date, once. ErasureNotFound, AlreadyExtended, NotExtensible.

    The reason is for the person; of it the ledger keeps a keyed hash.
    """
    found = await erasure(space, erasure_id)
    if found.due_at is None:
        raise NotExtensible
    now = time.time_ns() // 1000
    until = extended(found.regulation, found.received_at)
    kept = {"reason": space.keys.mac(b"reason", reason.encode()).hex(), "until": until}
    async with space.database.transaction() as connection:
        if not await erasures_.extend(connection, space.tenant, found.id, now, until):
            raise AlreadyExtended
        await store.reset_state(connection, space.tenant, found.request_id)
        said = ledger.entry(actor, "erase.extend", erasure_id, now, kept)
        await ledger.append(connection, space.tenant.id, *said)
    await space.publish()
    return await erasure(space, erasure_id)


async def _know_types(space: Space, rows: Sequence[erasures_.ErasureRow]) -> None:
    """Reads the names of types that another process gave their numbers."""
    if any(row.type and row.type not in space.names for row in rows):
        await space.read_types()


async def _notices(
    space: Space, connection: Connection, rows: Sequence[erasures_.ErasureRow]
) -> list[erasure_notices.NoticeRow]:
    return await erasure_notices.by_erasures(connection, space.tenant, [row.id for row in rows]) if rows else []


def _request(space: Space, row: store.RequestRow, erased: Sequence[Erased]) -> Request:
    details = None
    if row.details is not None:
        details = msgspec.json.decode(space.keys.open(REQUEST, row.id, 0, row.details))
    return Request(
        row.id,
        RequestInterface(row.front),
        RequestKind(row.kind),
        Law(row.regulation),
        row.received_at,
        row.actor,
        details,
        erased,
    )


def _erased(space: Space, row: erasures_.ErasureRow, notices: Sequence[erasure_notices.NoticeRow]) -> Erased:
    counts = None if row.counts is None else msgspec.json.decode(row.counts)
    said = [
        Notice(public("dst", n.destination), n.name, NoticeState(n.state), n.at, n.ack)
        for n in notices
        if n.erasure_id == row.id
    ]
    return Erased(
        row.id, row.request_id, row.nr, RequestKind(row.kind), Law(row.regulation), ErasureState(row.state),
        space.names.get(row.type, "unknown"),
        row.commitment, row.received_at, row.due_at, row.extended_at, row.internal_at, row.closed_at, row.epoch,
        row.backup_safe_at, row.duplicate_of, row.ledger_seq, counts, said,
    )  # fmt: skip
