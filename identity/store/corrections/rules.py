"""The rules of a space as sealed documents, and the names of its identifier types.

Rules change under the space lock held exclusively. So every call is planned under exactly one version, and a call
that saw the old one cannot commit after the change was answered.
"""

from typing import NamedTuple

from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection, row, rows
from identity.values.ids import SpaceNumber
from identity.values.stamps import Stamp

MOST_TYPES = 64
FIRST_CODE = 64  # below are the built-in types


async def read(connection: Connection, space_id: SpaceNumber, version: int) -> bytes | None:
    """The sealed document of a version; None if there is no such version."""
    found = await row(
        connection, "SELECT document FROM rules WHERE space_id = $1::int4 AND version = $2::int4", space_id, version
    )
    return None if found is None else bytes(found[0])


async def write(
    connection: Connection, space_id: SpaceNumber, version: int, document: bytes, stamp: Stamp, actor: str
) -> None:
    """Put a version in force; the caller holds the space lock exclusively."""
    await connection.execute(
        "INSERT INTO rules (space_id, version, document, stamp, actor) VALUES ($1::int4, $2::int4, $3, $4::int8, $5)",
        [space_id, version, document, stamp, actor],
    )
    await space_lock.set_rules_version(connection, space_id, version, stamp)


class RulesChangeRow(NamedTuple):
    """A change of the rules: the version, its position in the order of calls, and the actor."""

    version: int
    stamp: Stamp
    actor: str


async def changes(connection: Connection, space_id: SpaceNumber) -> list[RulesChangeRow]:
    """Every change of the rules, oldest first."""
    found = await rows(
        connection, "SELECT version, stamp, actor FROM rules WHERE space_id = $1::int4 ORDER BY version", space_id
    )
    return [RulesChangeRow(*each) for each in found]


async def types(connection: Connection, space_id: SpaceNumber) -> list[tuple[int, bytes]]:
    """The (code, sealed name) of the space's custom types."""
    found = await rows(connection, "SELECT code, name FROM identifier_type WHERE space_id = $1::int4", space_id)
    return [(code, name) for code, name in found]


async def add_type(connection: Connection, space_id: SpaceNumber, name_key: bytes, code: int, name: bytes) -> None:
    """Give a custom type its number; nothing changes where the name or the number is taken."""
    await connection.execute(
        """
        INSERT INTO identifier_type (space_id, code, name_key, name)
        VALUES ($1::int4, $2::int2, $3, $4) ON CONFLICT DO NOTHING
        """,
        [space_id, code, name_key, name],
    )
