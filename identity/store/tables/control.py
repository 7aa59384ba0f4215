"""The control plane: spaces, their keys and rules, and what orders and guards writing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Boolean, DateTime, Index, Integer, LargeBinary, SmallInteger, Text, Uuid, text
from sqlmodel import Field, SQLModel

from identity.store.tables.columns import column, primary


class SpaceTable(SQLModel, table=True):
    """A tenant. `public_id` stands in the API and in associated data, `id` in every row."""

    __tablename__ = "space"
    id: int | None = Field(default=None, primary_key=True)
    public_id: UUID = Field(sa_type=Uuid, unique=True)
    name: str = column(Text)
    bucket_base: int = column(Integer)
    spread: int = column(Integer, default="1")
    created_at: datetime = column(DateTime(timezone=True), default="now()")
    deleted_at: datetime | None = column(DateTime(timezone=True), null=True)


class ApiKeyTable(SQLModel, table=True):
    """A key of a space. The secret has 256 random bits, so its plain SHA-256 is safe to keep."""

    __tablename__ = "api_key"
    id: int | None = Field(default=None, primary_key=True)
    public_id: str = Field(sa_type=Text, unique=True)
    space_id: int = Field(sa_type=Integer, index=True)
    name: str = column(Text)
    scopes: list[str] = column(ARRAY(Text))
    secret_hash: bytes = column(LargeBinary)
    created_at: datetime = column(DateTime(timezone=True), default="now()")
    revoked_at: datetime | None = column(DateTime(timezone=True), null=True)


class RulesTable(SQLModel, table=True):
    """Each version of a space's rules, sealed: patterns and type names may name people.

    `stamp` is its place in the order of calls; those after it were planned under it.
    """

    __tablename__ = "rules"
    space_id: int = primary(Integer)
    version: int = primary(Integer)
    document: bytes = column(LargeBinary)
    created_at: datetime = column(DateTime(timezone=True), default="now()")
    stamp: int = column(BigInteger, default="0")
    actor: str = column(Text, default="''")


class PurposesTable(SQLModel, table=True):
    """Each version of what a space's data may serve, sealed; the greatest version is in force."""

    __tablename__ = "purposes"
    space_id: int = primary(Integer)
    version: int = primary(Integer)
    document: bytes = column(LargeBinary)
    created_at: datetime = column(DateTime(timezone=True), default="now()")
    actor: str = column(Text, default="''")


class JobTable(SQLModel, table=True):
    """Long work on a space: who runs it holds it until `until` (microseconds); `payload` is sealed.

    `version` counts how often the payload was written: what was asked, and what came of it so far.
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
    """Held FOR SHARE by every ingest transaction, FOR UPDATE by whatever changes the ground.

    `marks` says which of suppression (1), blocked_key (2) and cut (4) have rows, so that ingest
    need not look into empty tables. Keys are made under `index_version` of the index key, in force since
    the stamp `index_at`; those of profiles and groups may still be of `index_live`, message ids of
    `index_messages`, and what only a hash is kept of goes back to `index_oldest`.
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


class RenamedKeyTable(SQLModel, table=True):
    """A key under an older index key, and its name under the newest, once that is known.

    What stays without a new name when a rotation ends is a hash of something that nothing tells any
    more; while one of these is in use, the older index key is kept.
    """

    __tablename__ = "renamed_key"
    old: bytes = primary()
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    new: bytes | None = column(LargeBinary, null=True)


class KeyStoreTable(SQLModel, table=True):
    """Names the key store and the root key that belong to this database; one row."""

    __tablename__ = "key_store"
    id: int = primary(SmallInteger)
    store_id: str = column(Text)
    root_id: str = column(Text)


class WriterSlotTable(SQLModel, table=True):
    """A lease on the low byte of stamps. No holder gives a stamp past `until` (microseconds)."""

    __tablename__ = "writer_slot"
    slot: int = primary(SmallInteger)
    holder: UUID = column(Uuid)
    until: int = column(BigInteger)


class SlotKeyTable(SQLModel, table=True):
    """A key that wraps subject keys; itself wrapped by the epoch key of `epoch`.

    `touched`: a subject key under it was destroyed, so the next roll makes a new one in its place.
    """

    __tablename__ = "slot_key"
    space_id: int = primary(Integer)
    slot: int = primary(SmallInteger)
    bucket: int = primary(Integer)
    epoch: int = column(Integer)
    wrapped: bytes = column(LargeBinary)
    touched: bool = column(Boolean, default="false")


class SubjectKeyTable(SQLModel, table=True):
    """The key of one origin (or group), wrapped by the key of its slot."""

    __tablename__ = "subject_key"
    profile_id: UUID = primary(Uuid)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    slot: int = column(SmallInteger)
    key_id: UUID = column(Uuid)
    wrapped: bytes = column(LargeBinary)
