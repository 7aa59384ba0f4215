"""Privacy requests, erasures and their notices, suppressions, litigation holds and access exports.

No row names a person: blind indexes, keyed hashes, ids of erased profiles, and sealed bytes.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, Index, Integer, LargeBinary, SmallInteger, Text, Uuid, text
from sqlmodel import SQLModel

from identity.store.tables.columns import column, primary


class PrivacyRequestTable(SQLModel, table=True):
    """A request as it arrived: interface, kind and law. Times in microseconds.

    `idempotency` and `body` are keyed hashes of the key of the client and of the body sent with it. From
    `call_at` on a status callback is due.
    """

    __tablename__ = "privacy_request"
    __table_args__ = (
        Index(
            "privacy_request_again",
            "idempotency",
            "space_id",
            "bucket",
            unique=True,
            postgresql_where=text("idempotency IS NOT NULL"),
        ),
        Index("privacy_request_list", "space_id", "bucket", "received_at", "request_id"),
        Index("privacy_request_call", "call_at", postgresql_where=text("call_at IS NOT NULL")),
    )
    request_id: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    front: int = column(SmallInteger)
    kind: int = column(SmallInteger)
    regulation: int = column(SmallInteger)
    state: int = column(SmallInteger, default="0")
    received_at: int = column(BigInteger)
    actor: str = column(Text)
    idempotency: UUID | None = column(Uuid, null=True)
    body: UUID | None = column(Uuid, null=True)
    details: bytes | None = column(LargeBinary, null=True)
    call_at: int | None = column(BigInteger, null=True)
    call_failed_at: int | None = column(BigInteger, null=True)
    calls_failed: int = column(Integer, default="0")


class ErasureTable(SQLModel, table=True):
    """One identifier of a request and its outcome. `key` is its blind index, `hash` its suppression.

    `epoch` is that of the keys it destroyed: backups are safe some time after the key of that epoch is gone.
    `aside` is what destinations need to apply the erasure, under a subject key of its own. `found`: whether
    anybody had the identifier.
    """

    __tablename__ = "erasure"
    __table_args__ = (
        Index("erasure_request", "request_id", "nr", "space_id", "bucket"),
        Index("erasure_list", "space_id", "bucket", "erasure_id"),
        Index("erasure_open", "key", "space_id", "bucket", postgresql_where=text("state < 2 OR state = 4")),
        Index("erasure_hash", "hash", "space_id", "bucket"),
        Index("erasure_unsafe", "internal_at", postgresql_where=text("backup_safe_at IS NULL AND epoch IS NOT NULL")),
        Index("erasure_aside", "received_at", postgresql_where=text("aside IS NOT NULL")),
    )
    erasure_id: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    request_id: UUID = column(Uuid)
    nr: int = column(Integer)
    kind: int = column(SmallInteger)
    regulation: int = column(SmallInteger)
    state: int = column(SmallInteger, default="0")
    type: int = column(SmallInteger)
    key: bytes = column(LargeBinary)
    hash: bytes = column(LargeBinary)
    commitment: bytes = column(LargeBinary)
    received_at: int = column(BigInteger)
    due_at: int | None = column(BigInteger, null=True)
    extended_at: int | None = column(BigInteger, null=True)
    internal_at: int | None = column(BigInteger, null=True)
    closed_at: int | None = column(BigInteger, null=True)
    epoch: int | None = column(Integer, null=True)
    backup_safe_at: int | None = column(BigInteger, null=True)
    duplicate_of: UUID | None = column(Uuid, null=True)
    ledger_seq: int | None = column(BigInteger, null=True)
    counts: bytes | None = column(LargeBinary, null=True)
    aside: bytes | None = column(LargeBinary, null=True)
    found: bool | None = column(Boolean, null=True)


class ErasureNoticeTable(SQLModel, table=True):
    """The answer of a destination to an erasure that it has to apply."""

    __tablename__ = "erasure_notice"
    # What a destination has not acknowledged: found by every acknowledgement.
    __table_args__ = (Index("erasure_notice_waiting", "destination", postgresql_where=text("state NOT IN (3, 4, 5)")),)
    erasure_id: UUID = primary(Uuid)
    destination: int = primary(Integer)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    state: int = column(SmallInteger, default="0")
    at: int = column(BigInteger)
    ack: bytes | None = column(LargeBinary, null=True)


class SuppressionTable(SQLModel, table=True):
    """Keyed hashes of identifiers that were suppressed or erased.

    `whole` means for good: every call with the identifier is skipped; else calls with an event time up to `until`
    (microseconds), the time of the erasure.
    """

    __tablename__ = "suppression"
    key: bytes = primary()
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    created_at: datetime = column(DateTime(timezone=True), default="now()")
    whole: bool = column(Boolean, default="true")
    until: int | None = column(BigInteger, null=True)


class HoldTable(SQLModel, table=True):
    """A litigation hold: no profile with one of its identifiers is erased while it lasts."""

    __tablename__ = "hold"
    hold_id: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    created_at: int = column(BigInteger)
    actor: str = column(Text)
    reason: bytes = column(LargeBinary)


class HeldKeyTable(SQLModel, table=True):
    """An identifier under a hold, by its blind index."""

    __tablename__ = "held_key"
    key: bytes = primary()
    hold_id: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)


class ExportTable(SQLModel, table=True):
    """An access export: downloadable once, until `until`, under a key of its own.

    `profiles` are the ids it holds, 16 bytes each, so that an erasure finds it; `ticket` is the hash of the
    secret that downloads it. Of the `named` identifiers of its request nobody had `unknown`. It lacks
    `on_hold` people, whom a hold hid from every reader.
    """

    __tablename__ = "export"
    __table_args__ = (Index("export_list", "space_id", "bucket", "export_id"),)
    export_id: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    created_at: int = column(BigInteger)
    until: int = column(BigInteger)
    state: int = column(SmallInteger, default="0")
    job_id: UUID = column(Uuid)
    actor: str = column(Text)
    profiles: bytes = column(LargeBinary, default="''")
    ticket: bytes | None = column(LargeBinary, null=True)
    parts: int = column(Integer, default="0")
    named: int = column(Integer, default="0")
    unknown: int = column(Integer, default="0")
    on_hold: int = column(Integer, default="0")


class ExportPartTable(SQLModel, table=True):
    """A sealed part of an access export."""

    __tablename__ = "export_part"
    export_id: UUID = primary(Uuid)
    nr: int = primary(Integer)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    payload: bytes = column(LargeBinary)
