"""Destinations, their deliveries and messages, and what was disclosed to them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Integer, LargeBinary, Text, Uuid, text
from sqlmodel import Field, SQLModel

from identity.store.tables.columns import HOT, column, primary


class DestinationTable(SQLModel, table=True):
    """A recipient of profiles; its policy is sealed under the key of the space."""

    __tablename__ = "destination"
    __table_args__ = (
        Index("destination_name", "space_id", "name", unique=True, postgresql_where=text("deleted_at IS NULL")),
    )
    id: int | None = Field(default=None, primary_key=True)
    public_id: UUID = Field(sa_type=Uuid, unique=True)
    space_id: int = Field(sa_type=Integer, index=True)
    name: str = column(Text)
    document: bytes = column(LargeBinary)
    created_at: datetime = column(DateTime(timezone=True), default="now()")
    deleted_at: datetime | None = column(DateTime(timezone=True), null=True)
    version: int = column(Integer, default="1")


class DeliveryTable(SQLModel, table=True):
    """The position of a destination in the feed: acknowledged and sent. Times in microseconds.

    `dead_at`: the destination failed for so long that nothing is sent until an operator revives it. Up to
    `watched` nothing is left to acknowledge; `behind_at` is the time of the oldest entry after it that is.
    """

    __tablename__ = "delivery"
    __table_args__ = (HOT,)
    destination: int = primary(Integer)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    acked: bytes | None = column(LargeBinary, null=True)
    acked_at: int | None = column(BigInteger, null=True)
    pushed: bytes | None = column(LargeBinary, null=True)
    pushed_at: int | None = column(BigInteger, null=True)
    attempts: int = column(Integer, default="0")
    first_failed_at: int | None = column(BigInteger, null=True)
    next_at: int = column(BigInteger, default="0")
    dead_at: int | None = column(BigInteger, null=True)
    watched: bytes | None = column(LargeBinary, null=True)
    behind_at: int | None = column(BigInteger, null=True)


class CallbackTable(SQLModel, table=True):
    """A signed message that a destination sent, by a keyed hash of its id, so that none counts twice."""

    __tablename__ = "callback"
    key: UUID = primary(Uuid)
    destination: int = primary(Integer)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    at: int = column(BigInteger)


class DisclosureTable(SQLModel, table=True):
    """A disclosure of an origin to a destination: `fields` is a keyed hash of the set of fields.

    `until`: when the consent ends that the disclosure rests on.
    """

    __tablename__ = "disclosure"
    __table_args__ = (Index("disclosure_until", "until", postgresql_where=text("until IS NOT NULL")),)
    profile_id: UUID = primary(Uuid)
    destination: int = primary(Integer)
    fields: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    first: int = column(BigInteger)
    last: int = column(BigInteger)
    until: int | None = column(BigInteger, null=True)
