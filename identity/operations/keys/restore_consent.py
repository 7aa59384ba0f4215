"""Repeats withdrawals of consent from the journal in a restored database.

The statements of a withdrawal are evidence again, under the stamp that they had, and count in the document of their
origin. Where the origin has another key or is gone, its statements do not open: the origin that has an identifier of
the call then denies every purpose of the space.
"""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import msgspec

from identity.planning.consent.purposes import compile_purposes
from identity.planning.resolution import fold_documents
from identity.planning.resolution.extract import content
from identity.planning.resolution.stored_calls import StoredCall, pack_stored, unpack
from identity.spaces.origin_rows import unwrap_key
from identity.spaces.space import Space
from identity.store.destinations import destinations
from identity.store.ingest import load
from identity.store.ingest.identifier_owners import owners
from identity.store.ingest.write import Writes, apply
from identity.store.postgres.pipeline import PipelineConnection
from identity.store.postgres.rows import DocumentRow, EvidenceRow, KeyRow
from identity.store.profiles import evidence, snapshot_queries
from identity.values.documents import Document
from identity.values.enums import StoredKind
from identity.values.errors import SealBroken
from identity.values.ids import BlindIndex, ProfileId
from identity.values.json import JsonObject
from identity.values.stamps import Stamp
from identity.vault.seal import DOCUMENT, EVIDENCE, IDENTIFIER, PURPOSES
from identity.vault.subject_keys import SubjectKey


async def restore_withdrawal(space: Space, connection: PipelineConnection, entry: JsonObject) -> None:
    """Repeat one entry; a withdrawal that the database has is left as it is."""
    tenant, origin, stamp = space.tenant, ProfileId(bytes.fromhex(entry["origin"])), Stamp(entry["stamp"])
    keys = [BlindIndex(bytes.fromhex(key)) for key in entry["indexes"]]
    named = set((await owners(connection, tenant, keys)).values()) if keys else set()
    there = {row.id for row in await snapshot_queries.origins(connection, tenant, [origin])}
    targets = [origin] if origin in there else sorted(named)
    for target in targets:
        if not await evidence.exists(connection, tenant, target, stamp):
            await _withdraw(space, connection, target, stamp, entry)


async def _withdraw(
    space: Space, connection: PipelineConnection, origin: ProfileId, stamp: Stamp, entry: JsonObject
) -> None:
    second = await load.lock(connection, space.tenant, [origin], {origin}, (), (), None)
    key = next((row for row in second.keys if row.id == origin), None)
    if key is None:
        return
    subject = unwrap_key(space, key)
    stored = await _stated(space, connection, subject, origin, entry)
    stored.body["context"] = {
        **(stored.body.get("context") or {}),
        "externalIds": await _external_ids(space, connection, subject, origin, entry["indexes"]),
    }
    payload = subject.seal(EVIDENCE, origin, stamp, pack_stored(stored))
    document, version = _document(subject, key)
    statement = content(
        stored.body,
        "consent",
        server=stored.server,
        proven=stored.proof is not None,
        received=stored.received,
        time=stored.time,
    )
    if statement.consent:
        fold_documents.merge_decisions(
            document, statement.consent, stored.time, stamp, server=stored.for_person, device=statement.device
        )
    if statement.signals:
        fold_documents.merge_signals(document, statement.signals, stamp, device=statement.device)
    sealed = DocumentRow(
        origin, version + 1, subject.seal(DOCUMENT, origin, version + 1, fold_documents.pack(document))
    )
    writes = Writes(
        touched=[
            (row._replace(version=row.version + 1, stamp=max(row.stamp, stamp)), row.stamp) for row in second.profiles
        ],
        evidence=[
            EvidenceRow(
                origin=origin,
                stamp=stamp,
                kind=StoredKind.CONSENT,
                kept=b"",
                demoted=None,
                payload=payload,
                rules_version=(await space.rules()).version,
            )
        ],
    )
    (writes.documents if version else writes.new_documents).append(sealed)
    await apply(connection, space.tenant, writes)


def _document(subject: SubjectKey, row: KeyRow) -> tuple[Document, int]:
    if row.document is None or row.version is None:
        return Document(), 0
    return fold_documents.unpack(subject.open(DOCUMENT, row.id, row.version, row.document)), row.version


async def _stated(
    space: Space, connection: PipelineConnection, subject: SubjectKey, origin: ProfileId, entry: JsonObject
) -> StoredCall:
    """The statements of the entry; a denial of every purpose where they do not open."""
    try:
        return unpack(
            subject.open(EVIDENCE, bytes.fromhex(entry["origin"]), entry["stamp"], b64decode(entry["evidence"]))
        )
    except SealBroken:
        names = await _purposes(space, connection)
    body: dict[str, Any] = {"decisions": dict.fromkeys(names, False)}
    return StoredCall(
        kind=StoredKind.CONSENT.value,
        message_id=f"restored-{origin.hex()}-{entry['stamp']}",
        time=entry["at"],
        received=entry["at"],
        source=0,
        server=entry["server"],
        body=body,
    )


async def _external_ids(
    space: Space, connection: PipelineConnection, subject: SubjectKey, origin: ProfileId, indexes: Sequence[str]
) -> list[dict[str, str]]:
    """An identifier of the origin, if the call named one then one of those: a rebuild finds the person by it."""
    rows = await snapshot_queries.identifiers(connection, space.tenant, [origin])
    names = await space.read_types()
    first = sorted(rows, key=lambda row: (row.retired, bytes(row.key).hex() not in indexes, bytes(row.key)))[:1]
    return [
        {
            "id": subject.open(IDENTIFIER, row.key[:16], 0, row.value).decode(),
            "type": names[row.type],
            "collection": "users",
            "encoding": "none",
        }
        for row in first
    ]


async def _purposes(space: Space, connection: PipelineConnection) -> list[str]:
    version, sealed = await destinations.purposes(connection, space.tenant)
    if sealed is None:
        return []
    plain = space.keys.open(PURPOSES, space.public_id, version, sealed)
    return sorted(compile_purposes(msgspec.json.decode(plain), version).purposes)
