"""Leases: rows that one process works on until a moment, and a fence that keeps a process from writing after it.

A lease is the row's own column for its end. What a holder writes names the lease by its fence, a column that no
two holders give the same value: the end itself, or the holder's id. Once another process took the row, the
statement of the former holder finds no row and says so.
"""

from collections.abc import Sequence
from typing import Any, LiteralString

from msgspec import Struct
from psycopg.rows import TupleRow

from identity.store.postgres.database import Connection, row
from identity.values.stamps import Micros


class LeasedRows(Struct, frozen=True):
    """The leases of one table.

    `key` names the columns of the primary key with their types, `end` the column with the end of a lease in
    microseconds, and `fence` the column and the type that differ between holders.
    """

    table: LiteralString
    key: tuple[tuple[LiteralString, LiteralString], ...]
    end: LiteralString
    fence: tuple[LiteralString, LiteralString]

    async def take(
        self,
        connection: Connection,
        key: Sequence[Any],
        now: Micros,
        until: Micros,
        *,
        returning: LiteralString,
        where: LiteralString = "true",
    ) -> TupleRow | None:
        """Take the lease of one row until a moment; None where another process holds it or `where` is false."""
        size = len(self.key)
        return await row(
            connection,
            f"""
            UPDATE {self.table} SET {self.end} = ${size + 2}::int8
            WHERE {self._named()} AND {self.end} <= ${size + 1}::int8 AND {where} RETURNING {returning}
            """,  # noqa: S608 (names of a table and columns)
            *key,
            now,
            until,
        )

    async def take_next(
        self,
        connection: Connection,
        now: Micros,
        until: Micros,
        *params: Any,
        returning: LiteralString,
        order: LiteralString,
        where: LiteralString = "true",
        changes: LiteralString = "",
    ) -> TupleRow | None:
        """Take the lease of the first row that no process holds; None where there is none.

        `params` are the parameters of `where` and `changes`, from $3 on.
        """
        columns: LiteralString = ", ".join(name for name, _ in self.key)
        same: LiteralString = " AND ".join(f"t.{name} = k.{name}" for name, _ in self.key)
        return await row(
            connection,
            f"""
            UPDATE {self.table} t SET {self.end} = $2::int8{changes} FROM (
                SELECT {columns} FROM {self.table} WHERE {self.end} <= $1::int8 AND {where}
                ORDER BY {order} LIMIT 1 FOR UPDATE SKIP LOCKED
            ) k
            WHERE {same} RETURNING {returning}
            """,  # noqa: S608 (names of a table and columns)
            now,
            until,
            *params,
        )

    async def write(
        self, connection: Connection, key: Sequence[Any], fence: Any, changes: LiteralString, *params: Any
    ) -> bool:
        """Write as the holder; False where the lease is lost. In `changes`, `params` follow the key and the fence."""
        found = await row(
            connection,
            f"UPDATE {self.table} SET {changes} WHERE {self._held()} RETURNING 1",  # noqa: S608 (names of columns)
            *key,
            fence,
            *params,
        )
        return found is not None

    @property
    def lock(self) -> LiteralString:
        """The statement that keeps a lease from being taken to the end of the transaction; no row where it is lost."""
        return f"SELECT {self.end} FROM {self.table} WHERE {self._held()} FOR KEY SHARE"  # noqa: S608 (columns)

    def _named(self) -> LiteralString:
        # The first column finds the row; `+ 0` keeps an index that begins with the space out of it.
        rest: list[LiteralString] = [f"{name} + 0" for name, _ in self.key[1:]]
        columns = zip((self.key[0][0], *rest), (type_ for _, type_ in self.key), strict=True)
        return " AND ".join(f"{name} = ${nr}::{type_}" for nr, (name, type_) in enumerate(columns, 1))

    def _held(self) -> LiteralString:
        name, type_ = self.fence
        return f"{self._named()} AND {name} = ${len(self.key) + 1}::{type_}"
