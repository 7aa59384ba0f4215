"""The ledger of a space: who did what, append-only, each entry bound to all before it.

An entry names keys of callers and ids, never a person. The row lock on the head is held to the commit
of whatever the entry is about, so the chain has no gap and no fork, whoever writes.
"""

import time
from typing import Any, LiteralString, NamedTuple

import msgspec

from identity.store.database import Connection, row, rows
from identity.store.tenant import Tenant

APPEND: LiteralString = """
WITH head AS (
    UPDATE ledger_head SET seq = seq + 1, hash = sha256('\\x01'::bytea || hash || $3::bytea)
    WHERE space_id = $1::int4 RETURNING seq, bucket, hash
)
INSERT INTO ledger (space_id, seq, bucket, at, entry, hash)
SELECT $1::int4, head.seq, head.bucket, $2::int8, $3::bytea, head.hash FROM head
RETURNING seq
"""


class Entry(NamedTuple):
    """An entry as it lies there; `at` in microseconds, `hash` of this one and all before it."""

    seq: int
    at: int
    entry: bytes
    hash: bytes


def said(
    actor: str, action: str, subject: str | None, at: int, more: dict[str, Any] | None = None
) -> tuple[int, bytes]:
    """An entry to append: its time in microseconds, and its bytes, JSON with its names in order."""
    entry = {"action": action, "actor": actor, "at": at, "subject": subject, **(more or {})}
    return at, msgspec.json.encode(entry, order="sorted")


async def note(connection: Connection, space_id: int, actor: str, action: str, subject: str | None) -> None:
    """One more entry: who (a key's id, or `operator`) did what to what (an id, never a value)."""
    await append(connection, space_id, *said(actor, action, subject, time.time_ns() // 1000))


async def append(connection: Connection, space_id: int, at: int, entry: bytes) -> int:
    """One more entry, as bytes; returns its number."""
    found = await row(connection, APPEND, space_id, at, entry)
    return int(found[0]) if found else 0


async def head(connection: Connection, tenant: Tenant) -> tuple[int, bytes]:
    """The number and the hash of the last entry; (0, nothing) where there is none."""
    found = await row(
        connection,
        "SELECT seq, hash FROM ledger_head WHERE space_id = $1::int4 AND bucket = $2::int4",
        tenant.id,
        tenant.base,
    )
    return (0, b"") if found is None else (int(found[0]), bytes(found[1]))


async def after(connection: Connection, tenant: Tenant, seq: int, most: int) -> list[Entry]:
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
    return [Entry(*each) for each in found]
