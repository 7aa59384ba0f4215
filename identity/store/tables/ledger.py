"""The ledger of a space and its end."""

from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary
from sqlmodel import SQLModel

from identity.store.tables.columns import HOT, column, primary


class LedgerTable(SQLModel, table=True):
    """Actions and their actors, append-only and chained: `hash` = SHA-256(01, the hash before, `entry`)."""

    __tablename__ = "ledger"
    space_id: int = primary(Integer)
    seq: int = primary(BigInteger)
    bucket: int = primary(Integer)
    at: int = column(BigInteger)
    entry: bytes = column(LargeBinary)
    hash: bytes = column(LargeBinary)


class LedgerHeadTable(SQLModel, table=True):
    """The end of the ledger of a space; its row lock, held to the commit, keeps the chain without a fork.

    `begun`: there is a journal outside of the database, which must never be missing again.
    """

    __tablename__ = "ledger_head"
    __table_args__ = (HOT,)
    space_id: int = primary(Integer)
    bucket: int = primary(Integer)
    seq: int = column(BigInteger, default="0")
    hash: bytes = column(LargeBinary, default="''")
    begun: bool = column(Boolean, default="false")
