"""The data directory of a space whose keys a test rolls or rotates, and a database for many spaces of a module."""

from collections.abc import Iterator

import pytest

from identity.store.embedded.server import EmbeddedPostgres
from tests.conftest import fresh_database
from tests.support.keys.rolled_space import folder
from tests.support.processes.writer_processes import Lab

__all__ = ["folder"]


@pytest.fixture(scope="module")
def shared_lab(postgres: EmbeddedPostgres, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A database with its keys for all tests of a module that look at their own space alone."""
    with fresh_database(postgres, template) as url:
        yield Lab(url, tmp_path_factory.mktemp("shared"))
