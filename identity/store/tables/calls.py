"""Calls: as evidence, as plain events, as rejections, and the ids of their messages."""

from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, SmallInteger, Uuid, text
from sqlmodel import SQLModel

from identity.store.tables.columns import column, primary


class EvidenceTable(SQLModel, table=True):
    """A call or correction that changed what is known, append-only, for the life of its origin."""

    __tablename__ = "evidence"
    __table_args__ = (
        Index("evidence_demoted", "space_id", "bucket", "stamp", postgresql_where=text("demoted IS NOT NULL")),
    )
    profile_id: UUID = primary(Uuid)
    stamp: int = primary(BigInteger)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    kind: int = column(SmallInteger)
    rules_version: int = column(Integer)
    kept: bytes = column(LargeBinary)
    demoted: bytes | None = column(LargeBinary, null=True)
    payload: bytes = column(LargeBinary)


class ClaimTable(SQLModel, table=True):
    """An identifier that waits for proof at an origin: an index of the evidence there, which counts its calls."""

    __tablename__ = "claim"
    __table_args__ = (
        Index("claim_list", "space_id", "bucket", "since", "profile_id", "key"),
        Index("claim_id", "join_id"),
        Index("claim_origin", "profile_id"),
        Index("claim_refused", "key", "space_id", "bucket", postgresql_where=text("refused IS NOT NULL")),
    )
    key: bytes = primary()
    profile_id: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    join_id: UUID = column(Uuid)
    since: int = column(BigInteger)
    last: int = column(BigInteger)
    times: int = column(BigInteger)
    refused: int | None = column(BigInteger, null=True)


class EventTable(SQLModel, table=True):
    """The plain calls of an origin in one batch, packed and sealed; dropped by partition."""

    __tablename__ = "event"
    __table_args__ = ({"postgresql_partition_by": "RANGE (stamp)"},)
    profile_id: UUID = primary(Uuid)
    stamp: int = primary(BigInteger)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    calls: int = column(SmallInteger)
    payload: bytes = column(LargeBinary)


class MessageTable(SQLModel, table=True):
    """Accepted message ids, hashed. `batch` names the commit, which settles an unclear outcome."""

    __tablename__ = "message"
    key: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    batch: int = column(BigInteger)


class RejectionTable(SQLModel, table=True):
    """The calls of one batch that were not stored, or not whole, packed and sealed; deleted by age."""

    __tablename__ = "rejection"
    space_id: int = primary(Integer)
    stamp: int = primary(BigInteger)
    bucket: int = primary(Integer)
    calls: int = column(SmallInteger)
    payload: bytes = column(LargeBinary)
