"""The ledger of a space: actions and their actors, append-only, each entry chained to all before it.

An entry names API keys and ids, never a person. The row lock on the end of the ledger is held to the commit, so the
chain has no gap and no fork.
"""

from base64 import b64encode
from typing import Any, Final, LiteralString, NamedTuple

import msgspec

from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.tenant import Tenant
from identity.values.ids import SpaceNumber
from identity.values.stamps import Micros, wall_time

APPEND: LiteralString = """
WITH head AS (
    UPDATE ledger_head SET seq = seq + 1, hash = sha256('\\x01'::bytea || hash || $3::bytea)
    WHERE space_id = $1::int4 RETURNING seq, bucket, hash
)
INSERT INTO ledger (space_id, seq, bucket, at, entry, hash)
SELECT $1::int4, head.seq, head.bucket, $2::int8, $3::bytea, head.hash FROM head
RETURNING seq
"""


OPERATOR: Final = "operator"
"""The actor of what the operator does; any other actor is the id of a key."""


class LedgerEntryRow(NamedTuple):
    """A stored entry; `at` in microseconds, `hash` of this entry and all before it."""

    seq: int
    at: Micros
    entry: bytes
    hash: bytes


def entry(
    actor: str, action: str, subject: str | None, at: Micros, more: dict[str, Any] | None = None
) -> tuple[Micros, bytes]:
    """A new entry: its time in microseconds, and its bytes, JSON with sorted names."""
    entry = {"action": action, "actor": actor, "at": at, "subject": subject, **(more or {})}
    return at, msgspec.json.encode(entry, order="sorted")


async def note(
    connection: Connection,
    space_id: SpaceNumber,
    actor: str,
    action: str,
    subject: str | None,
    more: dict[str, Any] | None = None,
) -> None:
    """Append an entry: actor (the id of a key, or `operator`), action and subject (an id, never a value)."""
    await append(connection, space_id, *entry(actor, action, subject, wall_time(), more))


def documented(sealed: bytes, **more: Any) -> dict[str, Any]:
    """What an entry adds about a sealed document that it puts in force: see `vault.vouching.journal_heads`."""
    return {"document": b64encode(sealed).decode(), **more}


async def append(connection: Connection, space_id: SpaceNumber, at: Micros, entry: bytes) -> int:
    """Append an entry as bytes; returns its number."""
    found = await row(connection, APPEND, space_id, at, entry)
    return int(found[0]) if found else 0


class LedgerHeadRow(NamedTuple):
    """The end of a ledger; `begun`: a journal has a copy of it."""

    seq: int
    hash: bytes
    begun: bool


async def read_head(connection: Connection, tenant: Tenant) -> LedgerHeadRow:
    """The end of the ledger of a space; number 0 in a new one."""
    found = await row(
        connection,
        "SELECT seq, hash, begun FROM ledger_head WHERE space_id = $1::int4 AND bucket = $2::int4",
        tenant.id,
        tenant.base,
    )
    return LedgerHeadRow(0, b"", begun=False) if found is None else LedgerHeadRow(*found)


async def mark_journal(connection: Connection, tenant: Tenant) -> None:
    """Record that there is a journal: from now on a missing one was lost."""
    await connection.execute(
        "UPDATE ledger_head SET begun = true WHERE space_id = $1::int4 AND bucket = $2::int4 AND NOT begun",
        [tenant.id, tenant.base],
    )


async def last_entries(connection: Connection) -> dict[int, int]:
    """The number of the last entry of every live space."""
    found = await rows(
        connection,
        """
        SELECT h.space_id, h.seq FROM ledger_head h JOIN space s ON s.id = h.space_id AND s.deleted_at IS NULL
        """,
    )
    return {int(space_id): int(seq) for space_id, seq in found}


async def hash_at(connection: Connection, tenant: Tenant, seq: int) -> bytes:
    """The hash of an entry; empty where there is none."""
    found = await row(
        connection,
        "SELECT hash FROM ledger WHERE space_id = $1::int4 AND seq = $2::int8 AND bucket = $3::int4",
        tenant.id,
        seq,
        tenant.base,
    )
    return b"" if found is None else bytes(found[0])


async def last_scan(connection: Connection, tenant: Tenant, after_: int) -> bytes | None:
    """The newest entry after a number that records a scan for personal data."""
    found = await row(
        connection,
        """
        SELECT entry FROM ledger WHERE space_id = $1::int4 AND bucket = $2::int4 AND seq > $3::int8
          AND position('"action":"scan"'::bytea IN entry) > 0 ORDER BY seq DESC LIMIT 1
        """,
        tenant.id,
        tenant.base,
        after_,
    )
    return None if found is None else bytes(found[0])


async def restore(connection: Connection, tenant: Tenant, entry: LedgerEntryRow) -> None:
    """Append an entry of the journal to a ledger that ends just before it."""
    await connection.execute(
        """
        INSERT INTO ledger (space_id, seq, bucket, at, entry, hash)
        VALUES ($1::int4, $2::int8, $3::int4, $4::int8, $5, $6)
        """,
        [tenant.id, entry.seq, tenant.base, entry.at, entry.entry, entry.hash],
    )
    await connection.execute(
        """
        UPDATE ledger_head SET seq = $2::int8, hash = $4, begun = true WHERE space_id = $1::int4 AND bucket = $3::int4
        """,
        [tenant.id, entry.seq, tenant.base, entry.hash],
    )


async def after(connection: Connection, tenant: Tenant, seq: int, most: int) -> list[LedgerEntryRow]:
    """The entries after a number, oldest first."""
    found = await rows(
        connection,
        """
        SELECT seq, at, entry, hash FROM ledger
        WHERE space_id = $1::int4 AND bucket = $2::int4 AND seq > $3::int8 ORDER BY seq LIMIT $4::int4
        """,
        tenant.id,
        tenant.base,
        seq,
        most,
    )
    return [LedgerEntryRow(*each) for each in found]
