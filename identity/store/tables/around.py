"""What stands around profiles: groups, what ingest must respect, and the change feed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, Index, Integer, LargeBinary, SmallInteger, Uuid
from sqlmodel import SQLModel

from identity.store.tables.columns import HOT, column, primary


class AccountTable(SQLModel, table=True):
    """A group, under a subject key of its own (`account_id` stands for the profile id there)."""

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
    """What an origin last said of its belonging to a group: the truth for counting members.

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


class CutTable(SQLModel, table=True):
    """What an unmerge keeps apart: an identifier stands on one side of a cut."""

    __tablename__ = "cut"
    key: bytes = primary()
    cut: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    side: int = column(SmallInteger)


class SuppressionTable(SQLModel, table=True):
    """Keyed hashes of the identifiers of people who asked not to be recorded, or were erased.

    Where it is `whole`, every call of theirs is passed over; else those whose event time is not after
    `until` (microseconds), the moment of their erasure.
    """

    __tablename__ = "suppression"
    key: bytes = primary()
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    created_at: datetime = column(DateTime(timezone=True), default="now()")
    whole: bool = column(Boolean, default="true")
    until: int | None = column(BigInteger, null=True)


class BlockedKeyTable(SQLModel, table=True):
    """Blind indexes of identifiers that must never be linked again."""

    __tablename__ = "blocked_key"
    key: bytes = primary()
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    created_at: datetime = column(DateTime(timezone=True), default="now()")


class ForgottenTable(SQLModel, table=True):
    """An identifier that was removed: a replay passes over it in calls stamped up to `until`."""

    __tablename__ = "forgotten"
    key: bytes = primary()
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    until: int = column(BigInteger)


class ChangeTable(SQLModel, table=True):
    """One entry of a lane of the feed; pointers only, consent is checked when it is served."""

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
    """The last entry of a lane; its row lock, held to commit, keeps committed rows exactly 1..seq.

    Entries up to `base` were kept long enough and are gone.
    """

    __tablename__ = "lane_head"
    __table_args__ = (HOT,)
    space_id: int = primary(Integer)
    lane: int = primary(SmallInteger)
    bucket: int = primary(Integer)
    seq: int = column(BigInteger, default="0")
    base: int = column(BigInteger, default="0")
