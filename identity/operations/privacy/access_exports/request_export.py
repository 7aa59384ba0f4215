"""Requests for access exports: everything held about a person, built by a job, downloaded once.

The request names the person by any identifier and covers all that their canonical profile folds. The export
is sealed under a key of its own, and is destroyed once it is downloaded or expired, or once any person
in it is erased, put on hold or split, whichever comes first.
"""

import secrets
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from identity.operations.privacy.access_exports.open_export import ExportJob, export_row, hash_ticket
from identity.operations.privacy.public_joins import Cut, recorded_joins, settle_public_joins
from identity.operations.privacy.request_erasure import request_hash
from identity.operations.profiles.find_profile import MOST_DOCUMENTS
from identity.operations.profiles.profile import OpenedProfile
from identity.planning.privacy.privacy_requests import NewRequest
from identity.planning.privacy.public_joins import PublicJoins
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.named_identifiers import read_identifiers, require_count
from identity.spaces.space import Space, Spaces
from identity.store.ingest.write import Writes
from identity.store.ledger import ledger
from identity.store.postgres.rows import OriginRow
from identity.store.privacy import access_exports, erase, requests
from identity.store.profiles import profile_queries, snapshot_queries
from identity.store.spaces import jobs
from identity.values.calls import MICRO, Identifier
from identity.values.enums import AccessExportState, JobKind, RequestKind
from identity.values.errors import IdempotencyConflict, RequestExists
from identity.values.ids import LAST_ID, ExportId, JobId, RequestId, new_id, public, public_profile
from identity.values.stamps import Micros, wall_time
from identity.vault.seal import JOB, REQUEST

MOST_IDENTIFIERS: Final = 1_000
DOWNLOADABLE: Final = 72 * 3_600 * MICRO
_PAGE: Final = 1_000


class RequestedExport(Struct, frozen=True):
    """An export that was requested; `ticket` downloads it once, `unknown` are identifiers that no profile holds.

    A hold hides `on_hold` people of the request, whom the export lacks. A repeated request has no list of
    identifiers in `public_joins`.
    """

    id: ExportId
    request_id: RequestId
    job_id: JobId
    ticket: str
    created_at: Micros
    unknown: Sequence[str] = ()
    found: bool | None = None
    on_hold: int = 0
    public_joins: PublicJoins | None = None


class ExportStatus(Struct, frozen=True):
    """The state of an export; times are microseconds. Of its `identifiers` nobody had `not_found`.

    The export lacks `on_hold` people, whom a hold hides.
    """

    id: ExportId
    job_id: JobId
    state: AccessExportState
    created_at: Micros
    expires_at: Micros
    actor: str
    identifiers: int
    not_found: int
    on_hold: int


async def request_export(space: Space, request: NewRequest, cut: Cut | None = None) -> RequestedExport:
    """Request an export; the same request again has the same export. The ledger records each request.

    `cut` parts what public keys alone have joined to the people, where the request asks for it.

    TooManyAsked, BadIdentifier, UnknownType; IdempotencyConflict, RequestExists where its key or id is taken;
    PublicJoinsFound where the request refuses such joins; KeyUnavailable, RolledBack where no read of a person is
    answered, since the export would lack the person.
    """
    require_count(request.identifiers, MOST_IDENTIFIERS)
    named = await read_identifiers(space, request.identifiers, of_people=True)
    await _require_readable(space, named)
    idempotency = None if request.idempotency is None else space.keys.mac(b"again", request.idempotency.encode())
    texts = [each.text for each in named]
    request, joins = await settle_public_joins(space, request, named, cut)
    now = wall_time()
    made = RequestedExport(
        id=ExportId(new_id()),
        request_id=request.request_id or RequestId(new_id()),
        job_id=JobId(new_id()),
        ticket=secrets.token_urlsafe(32),
        created_at=now,
    )

    async def decide(exclusive: ExclusiveSpace) -> SpaceChange[RequestedExport]:
        connection, tenant = exclusive.connection, space.tenant
        keys = [space.keys.identifier(each.type, each.value) for each in named]
        unknown = list(
            dict.fromkeys(each.text for each, key in zip(named, keys, strict=True) if key not in exclusive.owners)
        )
        known = None if idempotency is None else await requests.by_idempotency_key(connection, tenant, idempotency)
        known = known or await requests.get(connection, tenant, made.request_id)
        people = await _people(exclusive)
        row = _request_row(space, request, made, texts, found=not unknown, on_hold=people.on_hold)
        if known is not None:
            if known.request_hash != row.request_hash:
                raise IdempotencyConflict if known.id != made.request_id else RequestExists
            return SpaceChange(msgspec.structs.replace(_requested(space, known), unknown=unknown, found=not unknown))
        await requests.add(connection, tenant, row, idempotency, request.call_at(wall_time()))
        await _insert(exclusive, made, request.actor, people, len(set(texts)), len(unknown))
        subject_keys = await exclusive.new_subject_keys()
        subject_keys.make(made.id)
        writes = Writes(
            lock_stamp=exclusive.stamps(exclusive.lock_row.stamp),
            new_slot_key=subject_keys.new_slot_key,
            subject_keys=subject_keys.rows,
        )
        writes.ledger = [ledger.entry(request.actor, "export", public("exp", made.id), now)]
        answer = msgspec.structs.replace(
            made, unknown=unknown, found=not unknown, on_hold=people.on_hold, public_joins=joins
        )
        return SpaceChange(answer, writes)

    return await run_exclusive(space, named, decide)


@retry_on_key_rotation
async def _require_readable(space: Space, named: Sequence[Identifier]) -> None:
    """KeyUnavailable, RolledBack unless the profiles with these identifiers can be opened; the job reads the rest."""
    for identifier in {each.text: each for each in named}.values():
        async with space.database.reading() as connection:
            newest = space.keys.versions.newest
            keys = [space.keys.identifiers(identifier.type, identifier.value)]
            found = await profile_queries.by_keys(connection, space.tenant, keys, MOST_DOCUMENTS + 1, newest)
        if len(found.origins) <= MOST_DOCUMENTS:
            for opened in OpenedProfile.each(space, found).values():
                await opened.opened_identifiers(opened.identifiers)


class _People(Struct, frozen=True):
    """The origins of the people of a request, those of them that every reader may see, and how many a hold hides."""

    origins: Sequence[OriginRow]
    visible: Sequence[OriginRow]
    on_hold: int


async def _people(exclusive: ExclusiveSpace) -> _People:
    connection, tenant = exclusive.connection, exclusive.space.tenant
    rows = await snapshot_queries.origins(connection, tenant, sorted(set(exclusive.owners.values())))
    on_hold = await erase.profiles_on_hold(connection, tenant, sorted({row.root for row in rows})) if rows else set()
    return _People(rows, [row for row in rows if row.root not in on_hold], len(on_hold))


def _request_row(
    space: Space, request: NewRequest, made: RequestedExport, texts: Sequence[str], *, found: bool, on_hold: int
) -> requests.RequestRow:
    details = {
        "export": made.id.hex(),
        "job": made.job_id.hex(),
        "ticket": made.ticket,
        "found": found,
        "on_hold": on_hold,
        **(request.details or {}),
    }
    return requests.RequestRow(
        id=made.request_id,
        front=request.front,
        kind=request.kind,
        regulation=request.regulation,
        state=0,
        received_at=made.created_at if request.received_at is None else request.received_at,
        actor=request.actor,
        request_hash=request_hash(
            space, request.front, request.kind, request.regulation, texts, joins=request.public_joins
        ),
        details=space.keys.seal(REQUEST, made.request_id, 0, msgspec.json.encode(details)),
    )


async def _insert(
    exclusive: ExclusiveSpace, made: RequestedExport, actor: str, people: _People, identifiers: int, unknown: int
) -> None:
    """Insert the rows of an export of people, and of its job; `unknown` of the `identifiers` were of nobody."""
    connection, space = exclusive.connection, exclusive.space
    roots = [row for row in people.visible if row.root == row.id]
    row = access_exports.ExportRow(
        id=made.id,
        created_at=Micros(made.created_at),
        until=Micros(made.created_at + DOWNLOADABLE),
        state=AccessExportState.RUNNING,
        job_id=made.job_id,
        actor=actor,
        profiles=b"".join(sorted(row.id for row in people.origins)),
        parts=0,
        identifiers=identifiers,
        unknown=unknown,
        on_hold=people.on_hold,
    )
    await access_exports.add(connection, space.tenant, row, hash_ticket(made.ticket))
    job = ExportJob(
        export=made.id.hex(),
        request=made.request_id.hex(),
        profiles=sorted(public_profile(root.canonical) for root in roots),
        total=sum(each.events for each in people.visible),
    )
    payload = space.keys.seal(JOB, made.job_id, 0, msgspec.json.encode(job))
    await jobs.add(connection, space.tenant, made.job_id, JobKind.EXPORT, payload)


async def get_export(space: Space, export_id: ExportId | None) -> ExportStatus:
    """The state of an export. ExportNotFound."""
    async with space.database.reading() as connection:
        row = await export_row(space, connection, export_id)
    return _status(row)


async def list_exports(space: Space, limit: int, cursor: str | None) -> tuple[list[ExportStatus], str | None]:
    """A page of exports that can still be downloaded or built, the newest first, and the cursor after it. BadCursor."""
    before = ExportId(LAST_ID if cursor is None else space.read_cursor(b"exports", cursor))
    async with space.database.reading() as connection:
        found = await access_exports.newest(connection, space.tenant, before, limit + 1)
    page = found[:limit]
    following = space.write_cursor(b"exports", page[-1].id) if len(found) > limit else None
    now = wall_time()
    return [_status(row) for row in page if row.until > now], following


def _status(row: access_exports.ExportRow) -> ExportStatus:
    return ExportStatus(
        id=row.id,
        job_id=row.job_id,
        state=AccessExportState(row.state),
        created_at=row.created_at,
        expires_at=row.until,
        actor=row.actor,
        identifiers=row.identifiers,
        not_found=row.unknown,
        on_hold=row.on_hold,
    )


async def export_of_request(space: Space, request_id: RequestId) -> RequestedExport | None:
    """The export of a request for access; None for any other request."""
    async with space.database.reading() as connection:
        row = await requests.get(connection, space.tenant, request_id)
    return None if row is None or row.kind != RequestKind.ACCESS else _requested(space, row)


async def destroy_expired_exports(spaces: Spaces) -> int:
    """Destroy the exports that are past their time; returns how many."""
    async with spaces.database.of_all_spaces.reading() as connection:
        found = await access_exports.expired(connection, wall_time(), _PAGE)
    for space_id, id_ in found:
        space = await spaces.get(space_id)
        async with space.database.transaction() as connection:
            await access_exports.drop(connection, space.tenant, id_)
    return len(found)


def _requested(space: Space, row: requests.RequestRow) -> RequestedExport:
    details = msgspec.json.decode(space.keys.open(REQUEST, row.id, 0, row.details or b""))
    return RequestedExport(
        id=ExportId(bytes.fromhex(details["export"])),
        request_id=row.id,
        job_id=JobId(bytes.fromhex(details["job"])),
        ticket=details["ticket"],
        created_at=row.received_at,
        found=details.get("found"),
        on_hold=details.get("on_hold", 0),
        public_joins=recorded_joins(details),
    )
