"""Traces of corrections: identifiers that are kept apart, blocked or removed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Integer, SmallInteger, Uuid
from sqlmodel import SQLModel

from identity.store.tables.columns import column, primary


class CutTable(SQLModel, table=True):
    """An identifier that an unmerge keeps apart: it stands on one side of a cut."""

    __tablename__ = "cut"
    key: bytes = primary()
    cut: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    side: int = column(SmallInteger)


class BlockedKeyTable(SQLModel, table=True):
    """Blind indexes of identifiers that must never be linked again."""

    __tablename__ = "blocked_key"
    key: bytes = primary()
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    created_at: datetime = column(DateTime(timezone=True), default="now()")


class ForgottenTable(SQLModel, table=True):
    """An identifier that was removed: a replay skips it in calls stamped up to `until`."""

    __tablename__ = "forgotten"
    key: bytes = primary()
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    until: int = column(BigInteger)
