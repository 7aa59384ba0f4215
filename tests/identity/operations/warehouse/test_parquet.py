"""Tables as Parquet."""

from datetime import UTC, datetime
from io import BytesIO

from pyarrow import parquet

from identity.operations.warehouse.parquet import encode

COLUMNS = {"name": "text", "count": "number", "at": "time"}


def test_a_table_keeps_its_columns_in_order_with_their_types() -> None:
    """Nulls stay null, and times are in UTC to the microsecond."""
    table = parquet.read_table(BytesIO(encode(COLUMNS, [("a", 1, 1_769_860_800_123_456), (None, None, None)])))

    assert table.column_names == list(COLUMNS)
    assert table.to_pylist() == [
        {"name": "a", "count": 1, "at": datetime(2026, 1, 31, 12, 0, 0, 123_456, UTC)},
        {"name": None, "count": None, "at": None},
    ]


def test_a_table_without_rows_has_its_columns() -> None:
    """With the types of a table that has rows."""
    none, one = (parquet.read_schema(BytesIO(encode(COLUMNS, rows))) for rows in ([], [("a", 1, 1)]))
    assert none == one
