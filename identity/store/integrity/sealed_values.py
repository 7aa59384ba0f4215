"""Reads every sealed value of a space for an audit: those of people and groups beside their keys, then the others.

The id and the version of a row are what its value is bound to. `identity.vault.seal` has the places of these columns.
"""

from collections.abc import AsyncIterator
from typing import LiteralString, NamedTuple

from identity.store.integrity.verify import stream
from identity.store.postgres.database import Connection
from identity.store.postgres.tenant import Tenant
from identity.values.enums import StoredKind

_AT_ONCE = 200
"""Values in memory at one time: a document may have half a megabyte."""


class SubjectValueRow(NamedTuple):
    """A value under a subject key: the subject, its wrapped key, the id and version of the row, and the value."""

    subject: bytes
    slot: int
    key_id: bytes
    wrapped: bytes
    row_id: bytes
    version: int
    value: bytes


class SpaceValueRow(NamedTuple):
    """A value under the key of the space; the id is None where the row is bound to the space."""

    row_id: bytes | None
    version: int
    value: bytes


def _of_subjects(table: LiteralString, id_: LiteralString, row: LiteralString) -> LiteralString:
    return f"""
        SELECT k.profile_id, k.slot, k.key_id, k.wrapped, {row} FROM {table} t
        JOIN subject_key k ON k.profile_id = t.{id_} AND k.space_id = $1::int4 AND k.bucket = $2::int4
        WHERE t.space_id = $1::int4 AND t.bucket = $2::int4
    """  # noqa: S608 (names of tables and columns)


DOCUMENTS = _of_subjects("profile_document", "profile_id", "t.profile_id, t.version, t.document")
IDENTIFIERS = _of_subjects("profile_identifier", "profile_id", "substring(t.key FOR 16), 0, t.value")
EVIDENCE = _of_subjects("evidence", "profile_id", "t.profile_id, t.stamp, t.payload")
# Calls that a document may be made of, at origins without a document; a row without identifiers is of nobody. Origins
# with a membership are found by the row of the membership.
_ACTS: LiteralString = f"{StoredKind.UNMERGE.value}, {StoredKind.REMOVE.value}, {StoredKind.REFUSE.value}"
_UNDOCUMENTED: LiteralString = f"""
    AND t.kind NOT IN ({_ACTS}) AND length(t.kept) > 0
    AND NOT EXISTS (SELECT FROM profile_document d
                    WHERE d.profile_id = t.profile_id AND d.space_id = $1::int4 AND d.bucket = $2::int4)
    AND NOT EXISTS (SELECT FROM membership m
                    WHERE m.profile_id = t.profile_id AND m.space_id = $1::int4 AND m.bucket = $2::int4)
"""  # noqa: S608 (numbers of kinds)
CALLS_WITHOUT_DOCUMENT = EVIDENCE + _UNDOCUMENTED
EVENTS = _of_subjects("event", "profile_id", "t.profile_id, t.stamp, t.payload")
GROUP_IDS = _of_subjects("account", "account_id", "t.account_id, 0, t.group_id")
GROUP_TRAITS = _of_subjects("account", "account_id", "t.account_id, t.version, t.document")
ASIDES = _of_subjects("erasure", "erasure_id", "t.erasure_id, 0, t.aside") + " AND t.aside IS NOT NULL"
EXPORT_PARTS = _of_subjects("export_part", "export_id", "t.export_id, t.nr, t.payload")
HOLD_REASONS = _of_subjects("hold", "hold_id", "t.hold_id, 0, t.reason")

# A hold of an earlier release, or one that a restore repeated, has no key of its own.
KEYLESS_HOLD_REASONS: LiteralString = """
SELECT h.hold_id, 0, h.reason FROM hold h WHERE h.space_id = $1::int4 AND h.bucket = $2::int4
  AND NOT EXISTS (SELECT FROM subject_key k
                  WHERE k.profile_id = h.hold_id AND k.space_id = $1::int4 AND k.bucket = $2::int4)
"""
REQUESTS: LiteralString = """
SELECT request_id, 0, details FROM privacy_request
WHERE space_id = $1::int4 AND bucket = $2::int4 AND details IS NOT NULL
"""
JOBS: LiteralString = "SELECT job_id, version, payload FROM job WHERE space_id = $1::int4 AND bucket = $2::int4"
REJECTIONS: LiteralString = """
SELECT NULL::uuid, stamp, payload FROM rejection WHERE space_id = $1::int4 AND bucket = $2::int4
"""
# The tables of settings have no bucket.
RULES: LiteralString = "SELECT NULL::uuid, version, document FROM rules WHERE space_id = $1::int4 AND $2::int4 >= 0"
PURPOSES: LiteralString = (
    "SELECT NULL::uuid, version, document FROM purposes WHERE space_id = $1::int4 AND $2::int4 >= 0"
)
IDENTITY_KEYS: LiteralString = (
    "SELECT NULL::uuid, version, document FROM identity_keys WHERE space_id = $1::int4 AND $2::int4 >= 0"
)
TYPE_NAMES: LiteralString = (
    "SELECT NULL::uuid, code, name FROM identifier_type WHERE space_id = $1::int4 AND $2::int4 >= 0"
)
DESTINATIONS: LiteralString = """
SELECT public_id, version, document FROM destination
WHERE space_id = $1::int4 AND $2::int4 >= 0 AND deleted_at IS NULL
"""


async def subject_values(
    connection: Connection, tenant: Tenant, statement: LiteralString
) -> AsyncIterator[list[SubjectValueRow]]:
    """The values under subject keys that a statement names, some at a time."""
    async for found in stream(connection, statement, tenant, _AT_ONCE):
        yield [
            SubjectValueRow(
                subject=bytes(subject),
                slot=slot,
                key_id=bytes(key_id),
                wrapped=bytes(wrapped),
                row_id=bytes(row_id),
                version=version,
                value=bytes(value),
            )
            for subject, slot, key_id, wrapped, row_id, version, value in found
        ]


async def space_values(
    connection: Connection, tenant: Tenant, statement: LiteralString
) -> AsyncIterator[list[SpaceValueRow]]:
    """The values under the key of the space that a statement names, some at a time."""
    async for found in stream(connection, statement, tenant, _AT_ONCE):
        yield [
            SpaceValueRow(None if row_id is None else bytes(row_id), version, bytes(value))
            for row_id, version, value in found
        ]
