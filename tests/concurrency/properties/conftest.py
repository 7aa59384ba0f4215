"""A database for all examples of a module."""

import secrets
from collections.abc import Iterator

import pytest
from psycopg import sql

from identity.store.embedded.server import OWNER_ROLE, EmbeddedPostgres
from tests.conftest import administer


@pytest.fixture(scope="module")
def url(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    """A database for all examples of this module; each has a space of its own."""
    name = sql.Identifier(f"test_{secrets.token_hex(4)}")
    administer(
        postgres,
        sql.SQL("create database {} owner {} template {}").format(name, *map(sql.Identifier, (OWNER_ROLE, template))),
    )
    yield postgres.url(name.as_string().strip('"'))
    administer(postgres, sql.SQL("drop database {} with (force)").format(name))
