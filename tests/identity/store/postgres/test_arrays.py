"""Arrays in binary form: what goes to Postgres is what was meant."""

from typing import Any

import pytest
from psycopg import AsyncConnection, AsyncRawCursor

from identity.store.postgres import arrays

CASES: list[tuple[str, Any, list[Any]]] = [
    ("uuid", arrays.uuids, [bytes(range(16)), b"\xff" * 16]),
    ("uuid", arrays.uuids_or_null, [None, bytes(range(16)), None]),
    ("bytea", arrays.byteas, [b"", None, b"\x00" * 300]),
    ("int8", arrays.int8s, [0, -1, 2**63 - 1, -(2**63)]),
    ("int8", arrays.int8s_or_null, [None, 7]),
    ("int4", arrays.int4s, [0, -1, 2**31 - 1, -(2**31)]),
    ("int2", arrays.int2s, [0, -1, 2**15 - 1, -(2**15)]),
    ("bool", arrays.bools, [True, False, True]),
]


@pytest.mark.parametrize(("type_", "encode", "values"), CASES, ids=[f"{c[0]}-{c[1].__name__}" for c in CASES])
async def test_arrays_arrive_as_they_were(database: str, type_: str, encode: Any, values: list[Any]) -> None:
    """Every value, NULL and the empty array come back the same."""
    connection = await AsyncConnection.connect(database, cursor_factory=AsyncRawCursor)
    async with connection:
        arrays.adapt(connection)
        query = f"SELECT v FROM unnest($1::{type_}[]) WITH ORDINALITY AS u (v, nr) ORDER BY nr"
        for sent in (values, values[:1], []):
            cursor = connection.cursor(binary=True)
            await cursor.execute(query.encode(), [encode(sent)])
            assert [value for (value,) in await cursor.fetchall()] == sent


def test_numbers_that_do_not_fit() -> None:
    """A number beyond its column is an error here, never another number there."""
    with pytest.raises(OverflowError):
        arrays.int2s([2**15])
