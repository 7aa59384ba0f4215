"""Repeats erasures and suppressions that a database restored from a backup does not know.

Unmerges made after the backup are lost. Where less than a whole profile is erased, the origins that are left become
profiles of their own until the caller joins those that belong together.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from identity.store.ingest import write_statements
from identity.store.postgres.arrays import byteas, int2s, int8s, uuids, uuids_or_null
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.pipeline import PipelineConnection
from identity.store.postgres.tenant import Tenant
from identity.store.privacy.access_exports import drop_containing, drop_exports
from identity.store.privacy.erase import delete_profiles, informed_destinations, put_on_hold, take_off_hold
from identity.store.privacy.group_rows import delete_groups, keys_of_groups
from identity.store.privacy.suppressions import lift
from identity.values.enums import FeedOperation
from identity.values.ids import DestinationNumber, ErasureId, GroupRowId, ProfileId, SubjectId
from identity.values.stamps import Micros, Stamp


class RepeatedErasure(NamedTuple):
    """The destinations that received the erased data, and the origins that were erased without being in the entry.

    `parted` are the origins that are left of a profile, each of which is a profile of its own now.
    """

    informed: list[DestinationNumber]
    others: list[ProfileId]
    parted: list[ProfileId]


class RemovedOrigins(NamedTuple):
    """The origins that were removed, and those that are left of their profiles, each a profile of its own now."""

    removed: list[ProfileId]
    parted: list[ProfileId]


async def replay_erasure(
    connection: PipelineConnection, tenant: Tenant, entry: dict[str, Any], erasure_id: ErasureId | None
) -> RepeatedErasure:
    """Repeat the erasure of a ledger entry in a database from before it.

    `erasure_id` is its id where it has a row. An origin is erased by its id, its key or one of the identifiers. If one
    origin was split after the backup, data of the other side is erased with it: such an origin is one of the others
    where the other side was erased.
    """
    indexes = [bytes.fromhex(index) for index in entry["indexes"]]
    found = await rows(
        connection,
        """
        SELECT p.profile_id FROM profile p
        WHERE p.profile_id = ANY ($2::uuid[]) AND p.space_id = $1::int4 AND p.bucket = $5::int4
        UNION SELECT s.profile_id FROM subject_key s
        WHERE s.profile_id = ANY ($2::uuid[]) AND s.space_id = $1::int4 AND s.bucket = $5::int4
           OR s.key_id = ANY ($3::uuid[]) AND s.space_id = $1::int4 AND s.bucket = $5::int4
        UNION SELECT i.profile_id FROM unnest($4::bytea[]) AS k (key)
        JOIN identifier i ON i.key = k.key AND i.space_id = $1::int4 AND i.bucket = $5::int4
        """,
        tenant.id,
        uuids([bytes.fromhex(id_) for id_ in entry["profiles"]]),
        uuids([bytes.fromhex(id_) for id_ in entry["keys"]]),
        byteas(indexes),
        tenant.base,
    )
    ids = [bytes(id_) for (id_,) in found]
    groups = await keys_of_groups(connection, tenant, [GroupRowId(id_) for id_ in ids])
    origins = [ProfileId(id_) for id_ in ids if id_ not in groups]
    await drop_containing(
        connection, tenant, sorted({*origins, *(ProfileId(bytes.fromhex(id_)) for id_ in entry["profiles"])})
    )
    informed = {*entry.get("told", ()), *await informed_destinations(connection, tenant, origins)}
    parted = await _remove(connection, tenant, origins, indexes, erasure_id, Stamp(entry["stamp"]))
    await _mark(connection, tenant, entry, indexes, entry["at"], Stamp(entry["stamp"]))
    erased = {bytes.fromhex(id_) for id_ in entry["profiles"]}
    return RepeatedErasure(sorted(informed), [each for each in origins if each not in erased], parted)


async def remove_unreadable(connection: PipelineConnection, tenant: Tenant, ids: Sequence[SubjectId]) -> RemovedOrigins:
    """Delete origins, groups, exports and notes of erasures that no key opens.

    The members of a group stay: their calls give the group again once the erasures are repeated.
    """
    groups = await keys_of_groups(connection, tenant, ids)
    if groups:
        await delete_groups(connection, tenant, list(groups.values()), list(groups))
    await drop_exports(connection, tenant, ids)
    await connection.execute(
        """
        UPDATE erasure SET aside = NULL
        WHERE erasure_id = ANY ($2::uuid[]) AND space_id = $1::int4 AND bucket = $3::int4
        """,
        [tenant.id, uuids(ids), tenant.base],
    )
    origins = await rows(
        connection,
        """
        SELECT p.profile_id FROM profile p
        WHERE p.profile_id = ANY ($2::uuid[]) AND p.space_id = $1::int4 AND p.bucket = $3::int4
        """,
        tenant.id,
        uuids(ids),
        tenant.base,
    )
    present = [ProfileId(bytes(id_)) for (id_,) in origins]
    named = await rows(
        connection,
        """
        SELECT i.key FROM profile_identifier i
        WHERE i.profile_id = ANY ($2::uuid[]) AND i.space_id = $1::int4 AND i.bucket = $3::int4
        """,
        tenant.id,
        uuids(present),
        tenant.base,
    )
    parted = await _remove(connection, tenant, present, [bytes(key) for (key,) in named]) if present else []
    return RemovedOrigins(present, parted)


async def stored_profiles(connection: Connection, tenant: Tenant, ids: Sequence[ProfileId]) -> list[ProfileId]:
    """Those of these profiles that the database has."""
    return [ProfileId(id_) for id_, _, _ in await _versions(connection, tenant, ids)]


async def replay_suppression(connection: PipelineConnection, tenant: Tenant, entry: dict[str, Any]) -> None:
    """Repeat the suppression of a ledger entry."""
    await _mark(connection, tenant, {**entry, "whole": True}, [], None, Stamp(0))


async def replay_hold(
    connection: PipelineConnection, tenant: Tenant, origins: Sequence[ProfileId], stamp: Stamp
) -> None:
    """Put profiles on hold again that an erasure found under a litigation hold."""
    versions = await _versions(connection, tenant, origins)
    await put_on_hold(connection, tenant, origins)
    await drop_containing(connection, tenant, origins)
    await _append_entries(connection, tenant, versions, stamp=stamp)


async def replay_show(
    connection: PipelineConnection, tenant: Tenant, origins: Sequence[ProfileId], stamp: Stamp
) -> None:
    """Show profiles again that were on hold for an erasure that was cancelled."""
    versions = await _versions(connection, tenant, origins)
    await take_off_hold(connection, tenant, origins)
    await _append_entries(connection, tenant, versions, FeedOperation.UPSERT, stamp=stamp)


async def replay_lift(connection: PipelineConnection, tenant: Tenant, entry: dict[str, Any]) -> None:
    """Repeat the unsuppression of a ledger entry."""
    await lift(connection, tenant, [bytes.fromhex(hash_) for hash_ in entry["hashes"]])


async def _remove(
    connection: PipelineConnection,
    tenant: Tenant,
    ids: Sequence[ProfileId],
    indexes: Sequence[bytes],
    erasure_id: ErasureId | None = None,
    stamp: Stamp | None = None,
) -> list[ProfileId]:
    """Delete origins, and make the other origins of their profiles stand alone; returns those others."""
    origins = await _followers(connection, tenant, ids)
    groups = await rows(
        connection,
        """
        SELECT DISTINCT group_key FROM membership
        WHERE profile_id = ANY ($2::uuid[]) AND space_id = $1::int4 AND bucket = $3::int4
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    versions = await _versions(connection, tenant, origins)
    parted = await _set_free(connection, tenant, origins)
    await delete_profiles(connection, tenant, origins, indexes, [bytes(key) for (key,) in groups])
    await _append_entries(connection, tenant, versions, erasure_id=erasure_id, stamp=stamp)
    return parted


async def _versions(
    connection: Connection, tenant: Tenant, origins: Sequence[ProfileId]
) -> list[tuple[bytes, int, Stamp]]:
    """(id, next version of its head, stamp) of those of these profiles that are there."""
    found = await rows(
        connection,
        """
        SELECT p.profile_id, coalesce(h.version, p.version) + 1, p.stamp FROM profile p
        LEFT JOIN profile h ON h.profile_id = p.head AND h.space_id = $1::int4 AND h.bucket = $3::int4
        WHERE p.profile_id = ANY ($2::uuid[]) AND p.space_id = $1::int4 AND p.bucket = $3::int4
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [(bytes(id_), int(version), Stamp(stamp)) for id_, version, stamp in found]


async def _append_entries(
    connection: PipelineConnection,
    tenant: Tenant,
    versions: Sequence[tuple[bytes, int, Stamp]],
    op: int = FeedOperation.ERASE,
    erasure_id: ErasureId | None = None,
    stamp: Stamp | None = None,
) -> None:
    """Append feed entries for these profiles, by default erasures; with this stamp, or that of each profile."""
    if versions:
        gone, version, stamps = zip(*versions, strict=True)
        given = stamps if stamp is None else [stamp] * len(gone)
        others = uuids_or_null([erasure_id] * len(gone))
        columns = [int2s([op] * len(gone)), int8s(version), int8s(given), uuids(gone), others]
        await connection.execute(write_statements.INSERT_CHANGES, [tenant.id, 0, tenant.base, len(gone), *columns])


async def _followers(connection: Connection, tenant: Tenant, origins: Sequence[ProfileId]) -> list[ProfileId]:
    """These ids with the ids without rows of their own that only lead to them."""
    found = await rows(
        connection,
        """
        SELECT p.profile_id FROM profile p
        WHERE p.head = ANY ($2::uuid[]) AND p.space_id = $1::int4 AND p.bucket = $3::int4
          AND NOT EXISTS (SELECT FROM subject_key s WHERE s.profile_id = p.profile_id
                          AND s.space_id = $1::int4 AND s.bucket = $3::int4)
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return sorted({*origins, *(ProfileId(bytes(id_)) for (id_,) in found)})


async def _set_free(connection: Connection, tenant: Tenant, ids: Sequence[ProfileId]) -> list[ProfileId]:
    """Make the other origins of these profiles stand alone, and return them."""
    found = await rows(
        connection,
        """
        UPDATE profile p SET head = p.profile_id, canonical = p.profile_id, elder = p.born, joined_to = NULL,
               joined_at = NULL, folded = NULL, version = p.version + 1
        WHERE p.profile_id <> ALL ($2::uuid[]) AND p.space_id = $1::int4 AND p.bucket = $3::int4 AND p.head IN (
            SELECT m.head FROM profile m
            WHERE m.profile_id = ANY ($2::uuid[]) AND m.space_id = $1::int4 AND m.bucket = $3::int4
        )
        RETURNING p.profile_id
        """,
        tenant.id,
        uuids(ids),
        tenant.base,
    )
    return [ProfileId(bytes(id_)) for (id_,) in found]


async def _mark(
    connection: PipelineConnection,
    tenant: Tenant,
    entry: dict[str, Any],
    indexes: Sequence[bytes],
    until: Micros | None,
    stamp: Stamp,
) -> None:
    """Write suppressions and removals again."""
    hashes = [bytes.fromhex(hash_) for hash_ in entry["hashes"]]
    await connection.execute(
        """
        INSERT INTO suppression (key, space_id, bucket, whole, until)
        SELECT k.key, $1::int4, $2::int4, $4::bool, $5::int8 FROM unnest($3::bytea[]) AS k (key)
        ON CONFLICT (key, space_id, bucket) DO UPDATE
        SET whole = suppression.whole OR excluded.whole, until = greatest(suppression.until, excluded.until)
        """,
        [tenant.id, tenant.base, byteas(hashes), bool(entry["whole"]), until],
    )
    await connection.execute(
        """
        INSERT INTO forgotten (key, space_id, bucket, until)
        SELECT k.key, $1::int4, $2::int4, $4::int8 FROM unnest($3::bytea[]) AS k (key)
        ON CONFLICT (key, space_id, bucket) DO UPDATE SET until = greatest(forgotten.until, excluded.until)
        """,
        [tenant.id, tenant.base, byteas(indexes), stamp],
    )
