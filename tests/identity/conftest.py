"""A space with two people for all tests that only read."""

import secrets

import pytest
from psycopg import sql

from identity.store.embedded.server import OWNER_ROLE, EmbeddedPostgres
from tests.conftest import administer
from tests.support.database.known_people import settle
from tests.support.processes.writer_processes import Lab


@pytest.fixture(scope="session")
def people(postgres: EmbeddedPostgres, template: str, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The database of the two people; `visiting` opens their space. No test changes anything in it."""
    name = f"people_{secrets.token_hex(4)}"
    create = sql.SQL("create database {} owner {} template {}")
    administer(postgres, create.format(*(sql.Identifier(each) for each in (name, OWNER_ROLE, template))))
    lab = Lab(postgres.url(name), tmp_path_factory.mktemp("people"))
    settle(lab)
    return lab
