"""Takes a request to erase or suppress people, carries it out, and answers its results.

The request is a row before anything is done for it. An interrupted request is finished by the client that
sends it again, or by `resume_requests`. The answer comes once the journal has the entries, so nothing that
was acknowledged depends on the database alone.
"""

import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from identity.operations.privacy.change_suppressions import change_suppressions
from identity.operations.privacy.erase_person import erase_person
from identity.operations.privacy.orphaned_calls import OrphanedCalls
from identity.operations.privacy.public_joins import Cut, recorded_joins, settle_public_joins
from identity.operations.privacy.read_requests import get_request
from identity.operations.privacy.waiting_erasures import require_none_waiting
from identity.planning.privacy.deadlines import due_date
from identity.planning.privacy.erasure_entry import commitment
from identity.planning.privacy.hold_refusals import ErasureWaits
from identity.planning.privacy.privacy_requests import DELETES, NewRequest, PrivacyRequest, first_positions
from identity.planning.privacy.public_joins import JoinPolicy
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.named_identifiers import read_identifiers, require_count
from identity.spaces.space import Space
from identity.store.ledger import ledger
from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import erasures, requests, restore_requests
from identity.values.calls import Identifier
from identity.values.enums import ErasureState, RequestKind
from identity.values.errors import IdempotencyConflict, RequestExists, RequestNotFound
from identity.values.ids import BlindIndex, ErasureId, RequestId, new_id, public
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import wall_time
from identity.vault.seal import REQUEST
from identity.vault.vouching.ledger_entries import vouch_for_entry

MOST_IDENTIFIERS: Final = 5_000
_SALT: Final = 16


async def request_erasure(space: Space, request: NewRequest, cut: Cut | None = None) -> PrivacyRequest:
    """Carry out a whole request; the same request again has the same results.

    An identifier that the request names again, in any spelling, has one erasure, at its first place. `cut` parts what
    public keys alone have joined to the people, where the request asks for it.

    TooManyAsked, BadIdentifier, UnknownType; IdempotencyConflict, RequestExists where its key or id is taken;
    ErasureWaits where a suppression may not be lifted; PublicJoinsFound where the request refuses such joins.
    """
    require_count(request.identifiers, MOST_IDENTIFIERS)
    # A suppression of a placeholder may be older than the rule that refuses it.
    of_people = request.kind != RequestKind.UNSUPPRESS
    identifiers = await read_identifiers(space, request.identifiers, of_people=of_people)
    salts = [_salt(space, request, at) for at in range(len(identifiers))]
    joins = None
    if request.kind in DELETES:
        request, joins = await settle_public_joins(space, request, identifiers, cut)
    request_id = await _record(space, request, identifiers, salts)
    await carry_out(space, request_id, identifiers)
    done = await get_request(space, request_id)
    if request.kind == RequestKind.UNSUPPRESS and any(each.state == ErasureState.CANCELLED for each in done.erasures):
        # An erasure began to wait for a hold after the request was recorded.
        raise ErasureWaits
    results = [
        msgspec.structs.replace(result, salt=salts[result.nr - 1].hex(), identifier=identifiers[result.nr - 1].text)
        for result in done.erasures
    ]
    return msgspec.structs.replace(done, erasures=results, public_joins=joins or recorded_joins(done.details))


@retry_on_key_rotation
async def carry_out(space: Space, request_id: RequestId, identifiers: Sequence[Identifier] = ()) -> None:
    """Do the rest of a request, and publish its entries to the journal.

    `identifiers` are those of the request, in order, where still known. KeyUnavailable where they are not and
    a rotation of the index key leaves open whether any profile holds them.
    """
    async with space.database.reading() as connection:
        request = await requests.get(connection, space.tenant, request_id)
        rows = await erasures.by_requests(connection, space.tenant, [request_id])
    if request is None:
        raise RequestNotFound
    waiting = [row for row in rows if row.state == ErasureState.RECEIVED]
    if waiting:
        writer = WriterConnection(space.database)
        try:
            if request.kind in DELETES:
                orphans = OrphanedCalls(space)
                await orphans.read()
                for row in waiting:
                    named = identifiers[row.nr - 1 : row.nr]
                    await erase_person(writer, space, row, request.actor, orphans, named)
            else:
                on = request.kind == RequestKind.SUPPRESS_ONLY
                await change_suppressions(writer, space, request_id, request.actor, identifiers, on=on)
        finally:
            await writer.close()
    await space.publish()


async def _record(
    space: Space, request: NewRequest, identifiers: Sequence[Identifier], salts: Sequence[bytes]
) -> RequestId:
    """Insert the rows of a new request, or find those of the same request; returns its id."""
    idempotency = None if request.idempotency is None else space.keys.mac(b"again", request.idempotency.encode())
    row = _request_row(space, request, identifiers)
    await space.read_types()
    async with space.changes, space.database.transaction() as connection:
        # The blind indexes are those of the key version in force.
        space.set_versions((await space_lock.share(connection, space.tenant.id)).versions)
        known = await _known(space, connection, idempotency)
        if known is None:
            places = first_positions([each.text for each in identifiers])
            new = [_erasure_row(space, identifiers[at], salts[at], at + 1) for at in places]
            if request.kind == RequestKind.UNSUPPRESS:
                await require_none_waiting(space, connection, [BlindIndex(each.key) for each in new])
            if await _insert(space, connection, row, request, idempotency, new):
                return row.id
            # Another client inserted the same request first; the insert waited for its commit.
            known = await _known(space, connection, idempotency)
    if known is None:
        raise RequestExists
    if known.request_hash != row.request_hash:
        raise IdempotencyConflict
    return known.id


async def _known(space: Space, connection: Connection, idempotency: bytes | None) -> requests.RequestRow | None:
    """The earlier request with the same idempotency key."""
    return None if idempotency is None else await requests.by_idempotency_key(connection, space.tenant, idempotency)


def _request_row(space: Space, request: NewRequest, identifiers: Sequence[Identifier]) -> requests.RequestRow:
    id_ = request.request_id or RequestId(new_id())
    texts = [each.text for each in identifiers]
    details = None if request.details is None else msgspec.json.encode(request.details)
    return requests.RequestRow(
        id=id_,
        front=request.front,
        kind=request.kind,
        regulation=request.regulation,
        state=0,
        received_at=wall_time() if request.received_at is None else request.received_at,
        actor=request.actor,
        request_hash=request_hash(
            space, request.front, request.kind, request.regulation, texts, joins=request.public_joins
        ),
        details=None if details is None else space.keys.seal(REQUEST, id_, 0, details),
    )


def request_hash(
    space: Space, front: int, kind: int, regulation: int, texts: Sequence[str], *, joins: JoinPolicy = "include"
) -> bytes:
    """The keyed hash of a request, which stored rows keep: the same request again has the same hash."""
    # Requests of earlier releases include all joins.
    policy = () if joins == "include" else (joins,)
    return space.keys.mac(b"asked", msgspec.json.encode((front, kind, regulation, texts, *policy)))


def _erasure_row(space: Space, identifier: Identifier, salt: bytes, nr: int) -> erasures.NewErasure:
    return erasures.NewErasure(
        id=ErasureId(new_id()),
        type=space.codes.get(identifier.type, 0),
        key=space.keys.identifier(identifier.type, identifier.value),
        hash=space.keys.suppression(identifier.type, identifier.value),
        commitment=commitment(salt, identifier.text),
        nr=nr,
    )


async def _insert(
    space: Space,
    connection: Connection,
    row: requests.RequestRow,
    request: NewRequest,
    idempotency: bytes | None,
    new: Sequence[erasures.NewErasure],
) -> bool:
    """Insert a request with its erasures and its ledger entry; False where its key or id is taken."""
    now = wall_time()
    call_at, due_at = request.call_at(now), due_date(request.regulation, row.received_at)
    if not await requests.add(connection, space.tenant, row, idempotency, call_at):
        return False
    await erasures.add(connection, space.tenant, row, new, due_at)
    entry = restore_requests.ledger_fields(row, idempotency, new, due_at, call_at)
    made = ledger.entry(row.actor, LedgerAction.REQUEST_RECEIVED, public("req", row.id), now, entry)
    await ledger.append(connection, space.tenant.id, *vouch_for_entry(space.keys, made))
    return True


def _salt(space: Space, request: NewRequest, at: int) -> bytes:
    """The salt of a commitment; only the client that sends the same request again can derive it again."""
    if request.idempotency is None:
        return secrets.token_bytes(_SALT)
    own = space.keys.mac(b"salt", request.idempotency.encode() + at.to_bytes(4, "big"))
    return sha256(own + request.idempotency.encode()).digest()[:_SALT]
