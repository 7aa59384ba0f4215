"""Encodes tables as Parquet: columns of text, numbers and times (UTC, microseconds).

The library is large, so the first table loads it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from identity.values.extras import extra


def encode(columns: Mapping[str, str], rows: Sequence[tuple[Any, ...]]) -> bytes:
    """A file with these rows; `columns` maps each name to `text`, `number` or `time`. ExtraNotInstalled."""
    with extra("warehouse"):
        import pyarrow as pa
        from pyarrow import parquet

    types = {"text": pa.string(), "number": pa.int64(), "time": pa.timestamp("us", tz="UTC")}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    cells = zip(*rows, strict=True) if rows else ([] for _ in columns)
    arrays = [pa.array(column, field.type) for column, field in zip(cells, schema, strict=True)]
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), sink, compression="zstd")
    return bytes(sink.getvalue())
