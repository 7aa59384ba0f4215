"""Privacy work: the ledger, what was asked for, what was erased, who was told, and what is held.

No row says who: blind indexes, keyed hashes and ids of what is gone, and sealed bytes.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, Index, Integer, LargeBinary, SmallInteger, Text, Uuid, text
from sqlmodel import Field, SQLModel

from identity.store.tables.columns import HOT, column, primary


class LedgerTable(SQLModel, table=True):
    """Who did what, append-only and chained: `hash` = SHA-256(01, the hash before, `entry`)."""

    __tablename__ = "ledger"
    space_id: int = primary(Integer)
    seq: int = primary(BigInteger)
    bucket: int = primary(Integer)
    at: int = column(BigInteger)
    entry: bytes = column(LargeBinary)
    hash: bytes = column(LargeBinary)


class LedgerHeadTable(SQLModel, table=True):
    """The end of a space's ledger; its row lock, held to commit, keeps the chain one chain.

    `begun`: it has a journal outside the database, and must never be without it again.
    """

    __tablename__ = "ledger_head"
    __table_args__ = (HOT,)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    seq: int = column(BigInteger, default="0")
    hash: bytes = column(LargeBinary, default="''")
    begun: bool = column(Boolean, default="false")


class PrivacyRequestTable(SQLModel, table=True):
    """A request as it came in: by which door, of which kind, under which law. Times in microseconds.

    `idempotency` and `body` are keyed hashes of the client's key and of what it asked for with it. From
    `call_at` on somebody has to be called once it is done.
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
    """One identifier of a request and what became of it. `key` is its blind index, `hash` its suppression.

    `epoch` is that of the keys it destroyed: once that epoch's key is gone, backups are on their way
    to be safe. `aside` is what destinations have to be told, under a subject key of its own.
    """

    __tablename__ = "erasure"
    __table_args__ = (
        Index("erasure_request", "request_id", "nr", "space_id", "bucket"),
        Index("erasure_list", "space_id", "bucket", "erasure_id"),
        Index("erasure_open", "key", "space_id", "bucket", postgresql_where=text("state < 2 OR state = 4")),
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


class ErasureNoticeTable(SQLModel, table=True):
    """What a destination has said of an erasure that it had to be told of."""

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


class DestinationTable(SQLModel, table=True):
    """Somebody that traits are disclosed to; what it may see is sealed under the space's key."""

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
    """How far a destination is in the feed: what it said it applied, and what it was sent. Times in microseconds.

    `dead_at`: it refused for so long that no more is sent until somebody looks. Up to `watched` there is
    nothing that it has to acknowledge; `behind_at` is of the oldest thing after that it has to.
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
    """A signed message of a destination that was taken, by a keyed hash of its id: none counts twice."""

    __tablename__ = "callback"
    key: UUID = primary(Uuid)
    destination: int = primary(Integer)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    at: int = column(BigInteger)


class DisclosureTable(SQLModel, table=True):
    """Which destination was told of an origin: `fields` is a keyed hash of the set of fields.

    `until`: the moment at which the consent ends that it rested on.
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


class HoldTable(SQLModel, table=True):
    """A litigation hold: nobody who bears one of its identifiers is erased while it stands."""

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
    """What is held about a person, gathered once: readable once, until `until`, under a key of its own.

    `profiles` are the ids it holds, 16 bytes each, so that an erasure finds it; `ticket` is the hash of
    the secret that fetches it.
    """

    __tablename__ = "export"
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


class ExportPartTable(SQLModel, table=True):
    """A piece of an export, sealed."""

    __tablename__ = "export_part"
    export_id: UUID = primary(Uuid)
    nr: int = primary(Integer)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    payload: bytes = column(LargeBinary)
