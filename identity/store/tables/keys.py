"""Key tables: the key store, slot and subject keys, and keys renamed by a rotation."""

from uuid import UUID

from sqlalchemy import Boolean, Integer, LargeBinary, SmallInteger, Text, Uuid
from sqlmodel import SQLModel

from identity.store.tables.columns import column, primary


class KeyStoreTable(SQLModel, table=True):
    """The ids of the key store and the root key of this database; one row."""

    __tablename__ = "key_store"
    id: int = primary(SmallInteger)
    store_id: str = column(Text)
    root_id: str = column(Text)


class SlotKeyTable(SQLModel, table=True):
    """A key that wraps subject keys, wrapped by the epoch key of `epoch`.

    `touched`: a subject key under it was destroyed, so the next roll replaces it.
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


class RenamedKeyTable(SQLModel, table=True):
    """A key under an older index key, and the key under the newest, once it is known.

    A row without a new key after a rotation is a hash of an unknown value; while it is used, the older index
    key is kept.
    """

    __tablename__ = "renamed_key"
    old: bytes = primary()
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    new: bytes | None = column(LargeBinary, null=True)
