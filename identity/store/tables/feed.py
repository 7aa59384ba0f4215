"""The change feed: lanes and their entries."""

from uuid import UUID

from sqlalchemy import BigInteger, Integer, SmallInteger, Uuid
from sqlmodel import SQLModel

from identity.store.tables.columns import HOT, column, primary


class ChangeTable(SQLModel, table=True):
    """One entry of a lane of the feed: pointers only, consent is checked when the entry is served."""

    __tablename__ = "change"
    space_id: int = primary(Integer)
    lane: int = primary(SmallInteger)
    seq: int = primary(BigInteger)
    bucket: int = primary(Integer)
    op: int = column(SmallInteger)
    version: int = column(BigInteger)
    at: int = column(BigInteger)
    profile_id: UUID = column(Uuid)
    other: UUID | None = column(Uuid, null=True)


class LaneHeadTable(SQLModel, table=True):
    """The last entry of a lane; its row lock, held to the commit, keeps committed entries exactly 1..seq.

    Entries up to `base` were kept long enough and are deleted.
    """

    __tablename__ = "lane_head"
    __table_args__ = (HOT,)
    space_id: int = primary(Integer)
    lane: int = primary(SmallInteger)
    bucket: int = primary(Integer)
    seq: int = column(BigInteger, default="0")
    base: int = column(BigInteger, default="0")
