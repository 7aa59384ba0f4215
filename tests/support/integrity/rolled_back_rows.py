"""Former rows that a database writer puts back, one kind after the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from tests.support.processes.writer_processes import Lab

WIDE: Final = {"purposes": [], "traits": ["plan", "email"], "without_consent": True}
NARROW: Final = {"purposes": [], "traits": ["plan"], "without_consent": True}
LAX: Final = {"purposes": [{"id": "Marketing", "class": "ads"}]}
STRICT: Final = {"purposes": [{"id": "Marketing", "class": "ads"}, {"id": "Sale", "class": "ads"}]}
LOOSE_RULES: Final = {"limits": {"crm": {"max": 9}}}
TIGHT_RULES: Final = {"limits": {"crm": {"max": 1}}}


@contextmanager
def former(lab: Lab, *tables: str) -> Iterator[None]:
    """Keeps the rows of tables, and puts them back at the end of the block as a database writer would."""
    with psycopg.connect(lab.url, autocommit=True) as connection:
        for table in tables:
            connection.execute(f"CREATE TABLE former_{table} AS SELECT * FROM {table}".encode())
        yield
        for table in tables:
            connection.execute(f"DELETE FROM {table}".encode())
            connection.execute(f"INSERT INTO {table} SELECT * FROM former_{table}".encode())
            connection.execute(f"DROP TABLE former_{table}".encode())
