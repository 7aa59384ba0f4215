"""Whole columns as Postgres arrays in binary form.

A batch goes to Postgres as a few arrays per statement. Encoding an array here costs a tenth of a dumper per element.
Results are raw bytes: a UUID is 16 of them.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from psycopg.adapt import Buffer, Dumper, Loader
from psycopg.pq import Format

_NULL = b"\xff\xff\xff\xff"


class Array:
    """An encoded array; each subclass has a Postgres type."""

    __slots__ = ("data",)
    oid: ClassVar[int]

    def __init__(self, data: bytes) -> None:
        self.data = data


class Uuids(Array):
    """A `uuid[]`."""

    oid = 2951


class Byteas(Array):
    """A `bytea[]`."""

    oid = 1001


class Int8s(Array):
    """A `int8[]`."""

    oid = 1016


class Int4s(Array):
    """A `int4[]`."""

    oid = 1007


class Int2s(Array):
    """A `int2[]`."""

    oid = 1005


class Bools(Array):
    """A `bool[]`."""

    oid = 1000


def _frame(oid: int, count: int) -> bytes:
    # Dimensions, "may hold nulls", type of elements, length, lower bound.
    return struct.pack(">iiIii", 1, 1, oid, count, 1) if count else struct.pack(">iiI", 0, 0, oid)


def _fixed(oid: int, size: int, values: Sequence[bytes]) -> bytes:
    lead = size.to_bytes(4, "big")
    return _frame(oid, len(values)) + (lead + lead.join(values) if values else b"")


def uuids(values: Sequence[bytes]) -> Uuids:
    """16 bytes each."""
    return Uuids(_fixed(2950, 16, values))


def uuids_or_null(values: Iterable[bytes | None]) -> Uuids:
    """16 bytes each, or NULL."""
    items = [_NULL if v is None else b"\x00\x00\x00\x10" + v for v in values]
    return Uuids(_frame(2950, len(items)) + b"".join(items))


def byteas(values: Iterable[bytes | None]) -> Byteas:
    """Any bytes, or NULL."""
    items = [_NULL if v is None else len(v).to_bytes(4, "big") + v for v in values]
    return Byteas(_frame(17, len(items)) + b"".join(items))


def int8s(values: Sequence[int]) -> Int8s:
    """Signed 64 bits each."""
    return Int8s(_fixed(20, 8, [v.to_bytes(8, "big", signed=True) for v in values]))


def int8s_or_null(values: Iterable[int | None]) -> Int8s:
    """Signed 64 bits each, or NULL."""
    items = [_NULL if v is None else b"\x00\x00\x00\x08" + v.to_bytes(8, "big", signed=True) for v in values]
    return Int8s(_frame(20, len(items)) + b"".join(items))


def int4s(values: Sequence[int]) -> Int4s:
    """Signed 32 bits each."""
    return Int4s(_fixed(23, 4, [v.to_bytes(4, "big", signed=True) for v in values]))


def int2s(values: Sequence[int]) -> Int2s:
    """Signed 16 bits each."""
    return Int2s(_fixed(21, 2, [v.to_bytes(2, "big", signed=True) for v in values]))


def bools(values: Sequence[bool]) -> Bools:
    """One byte each."""
    return Bools(_fixed(16, 1, [b"\x01" if v else b"\x00" for v in values]))


def int2(value: int) -> bytes:
    """One int2 as a parameter."""
    return value.to_bytes(2, "big", signed=True)


def int4(value: int) -> bytes:
    """One int4 as a parameter."""
    return value.to_bytes(4, "big", signed=True)


def int8(value: int) -> bytes:
    """One int8 as a parameter."""
    return value.to_bytes(8, "big", signed=True)


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> Buffer | None:
        return obj.data


class _UuidDumper(Dumper):
    """A single UUID travels as `Uuid(bytes)`."""

    format = Format.BINARY
    oid = 2950

    def dump(self, obj: "Uuid") -> Buffer | None:
        return obj.data


class Uuid:
    """One UUID as a parameter, from its 16 bytes."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class _RawLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def adapt(connection: Any) -> None:
    """Register these types with a connection; ask for its results in binary form."""
    for class_ in (Uuids, Byteas, Int8s, Int4s, Int2s, Bools):
        dumper = type(f"{class_.__name__}Dumper", (_ArrayDumper,), {"oid": class_.oid})
        connection.adapters.register_dumper(class_, dumper)
    connection.adapters.register_dumper(Uuid, _UuidDumper)
    connection.adapters.register_loader("uuid", _RawLoader)
