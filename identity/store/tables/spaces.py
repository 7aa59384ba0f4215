"""Spaces, their API keys, rules, jobs and identifier types, and the rows that order writers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Index, Integer, LargeBinary, SmallInteger, Text, Uuid, text
from sqlmodel import Field, SQLModel

from identity.store.tables.columns import column, primary


class SpaceTable(SQLModel, table=True):
    """A tenant. `public_id` stands in the API and in associated data, `id` in every row.

    `rules_defaults` is the generation of defaults that its rules began with.
    """

    __tablename__ = "space"
    id: int | None = Field(default=None, primary_key=True)
    public_id: UUID = Field(sa_type=Uuid, unique=True)
    name: str = column(Text)
    bucket_base: int = column(Integer)
    spread: int = column(Integer, default="1")
    created_at: datetime = column(DateTime(timezone=True), default="now()")
    deleted_at: datetime | None = column(DateTime(timezone=True), null=True)
    rules_defaults: int = column(SmallInteger, default="0")


class ApiKeyTable(SQLModel, table=True):
    """A key of a space. The secret has 256 random bits, so its plain SHA-256 is safe to keep.

    `mac` vouches for the row (`identity.vault.vouching.api_keys`); a revoked key has none.
    """

    __tablename__ = "api_key"
    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(sa_type=Text, unique=True)
    space_id: int = Field(sa_type=Integer, index=True)
    name: str = column(Text)
    scopes: list[str] = column(ARRAY(Text))
    secret_hash: bytes = column(LargeBinary)
    created_at: datetime = column(DateTime(timezone=True), default="now()")
    revoked_at: datetime | None = column(DateTime(timezone=True), null=True)
    mac: bytes | None = column(LargeBinary, null=True)


class RulesTable(SQLModel, table=True):
    """Each version of the rules of a space, sealed: patterns and type names may name people.

    `stamp` is its position in the order of calls; later calls were planned under it.
    """

    __tablename__ = "rules"
    space_id: int = primary(Integer)
    version: int = primary(Integer)
    document: bytes = column(LargeBinary)
    created_at: datetime = column(DateTime(timezone=True), default="now()")
    stamp: int = column(BigInteger, default="0")
    actor: str = column(Text, default="''")


class PurposesTable(SQLModel, table=True):
    """Each version of the purposes of a space, sealed; the greatest version is in force."""

    __tablename__ = "purposes"
    space_id: int = primary(Integer)
    version: int = primary(Integer)
    document: bytes = column(LargeBinary)
    created_at: datetime = column(DateTime(timezone=True), default="now()")
    actor: str = column(Text, default="''")


class IdentityKeysTable(SQLModel, table=True):
    """Each version of the keys of identity tokens of a space, sealed; the greatest version is in force."""

    __tablename__ = "identity_keys"
    space_id: int = primary(Integer)
    version: int = primary(Integer)
    document: bytes = column(LargeBinary)
    created_at: datetime = column(DateTime(timezone=True), default="now()")
    actor: str = column(Text, default="''")


class JobTable(SQLModel, table=True):
    """A background job, leased until `until` (microseconds); `payload` is sealed.

    `version` counts how often the payload was written: the parameters, then the result.
    """

    __tablename__ = "job"
    __table_args__ = (Index("job_open", "created_at", postgresql_where=text("state < 2")),)
    job_id: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    kind: int = column(SmallInteger)
    state: int = column(SmallInteger, default="0")
    done: int = column(BigInteger, default="0")
    total: int = column(BigInteger, default="0")
    until: int = column(BigInteger, default="0")
    created_at: datetime = column(DateTime(timezone=True), default="now()")
    version: int = column(Integer, default="0")
    error: str | None = column(Text, null=True)
    payload: bytes = column(LargeBinary)


class IdentifierTypeTable(SQLModel, table=True):
    """The number that stands for the name of a type in this space; at most 64 a space."""

    __tablename__ = "identifier_type"
    __table_args__ = (Index("identifier_type_name", "space_id", "name_key", unique=True),)
    space_id: int = primary(Integer)
    code: int = primary(SmallInteger)
    name_key: bytes = column(LargeBinary)
    name: bytes = column(LargeBinary)


class SpaceLockTable(SQLModel, table=True):
    """Locked shared by every ingest transaction, exclusively by changes of what ingest relies on.

    `marks` are `SpaceMark`s: tables with rows of the space, so that ingest skips empty ones. Keys are made under
    `index_version` of the index key, in force since the stamp `index_at`. Those of profiles and groups may be
    of `index_live` on, message ids of `index_messages` on, and mere hashes of `index_oldest` on.
    """

    __tablename__ = "space_gate"
    space_id: int = primary(Integer)
    stamp: int = column(BigInteger)
    rules_version: int = column(Integer, default="0")
    epoch: int = column(Integer, default="1")
    marks: int = column(SmallInteger, default="0")
    index_version: int = column(SmallInteger, default="1")
    index_live: int = column(SmallInteger, default="1")
    index_messages: int = column(SmallInteger, default="1")
    index_oldest: int = column(SmallInteger, default="1")
    index_at: int = column(BigInteger, default="0")


class WriterSlotTable(SQLModel, table=True):
    """A lease on the low byte of stamps. The holder gives no stamp past `until` (microseconds)."""

    __tablename__ = "writer_slot"
    slot: int = primary(SmallInteger)
    holder: UUID = column(Uuid)
    until: int = column(BigInteger)
