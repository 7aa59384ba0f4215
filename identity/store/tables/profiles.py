"""Profiles, their identifiers and documents, and what was seen of them."""

from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index, Integer, LargeBinary, SmallInteger, Uuid, text
from sqlmodel import SQLModel

from identity.store.tables.columns import HOT, column, primary


class IdentifierTable(SQLModel, table=True):
    """Blind index of an identifier -> its origin. Tiny and hot; never rewritten by a merge."""

    __tablename__ = "identifier"
    key: bytes = primary()
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    profile_id: UUID = column(Uuid)


class ProfileTable(SQLModel, table=True):
    """One origin. Indexed columns change only in a merge, so that updates stay HOT."""

    __tablename__ = "profile"
    __table_args__ = (
        Index("profile_head", "head", "space_id", "bucket", postgresql_where=text("head <> profile_id")),
        Index("profile_list", "space_id", "bucket", "profile_id"),
        HOT,
    )
    profile_id: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    version: int = column(BigInteger)
    stamp: int = column(BigInteger)
    born: int = column(BigInteger)
    elder: int = column(BigInteger)
    events: int = column(BigInteger)
    joined_at: int | None = column(BigInteger, null=True)
    head: UUID = column(Uuid)
    canonical: UUID = column(Uuid)
    joined_to: UUID | None = column(Uuid, null=True)
    own: bytes = column(LargeBinary)
    folded: bytes | None = column(LargeBinary, null=True)
    withheld: bool = column(Boolean, default="false")


class ProfileDocumentTable(SQLModel, table=True):
    """The sealed document of an origin. Rewritten whole, so it needs room to stay HOT."""

    __tablename__ = "profile_document"
    __table_args__ = ({"postgresql_with": {"fillfactor": "70", "toast_tuple_target": "8160"}},)
    profile_id: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    version: int = column(Integer)
    document: bytes = column(LargeBinary)


class ProfileIdentifierTable(SQLModel, table=True):
    """The identifiers of an origin, sealed; times of events in microseconds."""

    __tablename__ = "profile_identifier"
    __table_args__ = (HOT,)
    profile_id: UUID = primary(Uuid)
    key: bytes = primary()
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    type: int = column(SmallInteger)
    retired: bool = column(Boolean, default="false")
    source: int = column(Integer)
    linked_at: int = column(BigInteger)
    first_seen: int = column(BigInteger)
    last_seen: int = column(BigInteger)
    value: bytes = column(LargeBinary)


class SightingTable(SQLModel, table=True):
    """A set of identifiers seen together at an origin: how often, when (microseconds), by which sources."""

    __tablename__ = "sighting"
    __table_args__ = (HOT,)
    profile_id: UUID = primary(Uuid)
    set_key: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    count: int = column(Integer)
    days: int = column(Integer)
    last_day: int = column(Integer)
    first_seen: int = column(BigInteger)
    last_seen: int = column(BigInteger)
    sources: bytes = column(LargeBinary)


class HistoryTable(SQLModel, table=True):
    """Events in the life of a profile, append-only. `keys` is packed by `kind`.

    `actor` is the number of the API key of a correction; a call has none.
    """

    __tablename__ = "history"
    profile_id: UUID = primary(Uuid)
    stamp: int = primary(BigInteger)
    seq: int = primary(SmallInteger)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    kind: int = column(SmallInteger)
    rules_version: int = column(Integer)
    other: UUID | None = column(Uuid, null=True)
    keys: bytes = column(LargeBinary)
    actor: int | None = column(BigInteger, null=True)
