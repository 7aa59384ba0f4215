"""Groups and their members."""

from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index, Integer, LargeBinary, Uuid
from sqlmodel import SQLModel

from identity.store.tables.columns import column, primary


class AccountTable(SQLModel, table=True):
    """A group with a subject key of its own (`account_id` takes the place of the profile id there)."""

    __tablename__ = "account"
    __table_args__ = (Index("account_list", "space_id", "bucket", "account_id"),)
    key: bytes = primary()
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    account_id: UUID = column(Uuid)
    version: int = column(Integer)
    group_id: bytes = column(LargeBinary)
    document: bytes = column(LargeBinary)


class MembershipTable(SQLModel, table=True):
    """The last statement of an origin about a group; members are counted from these.

    Of the origins of a profile the greatest (time, stamp) counts; `time` is that of the event.
    """

    __tablename__ = "membership"
    group_key: bytes = primary()
    profile_id: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    member: bool = column(Boolean, default="true")
    time: int = column(BigInteger, default="0")
    stamp: int = column(BigInteger, default="0")
