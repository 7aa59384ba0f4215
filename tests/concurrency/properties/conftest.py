"""A database and a running queue for all examples of a module."""

from collections.abc import Iterator

import pytest

from identity.store.embedded.server import EmbeddedPostgres
from tests.conftest import fresh_database
from tests.support.processes.writer_processes import Examples, Lab


@pytest.fixture(scope="module")
def url(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    """A database for all examples of this module; each has a space of its own."""
    with fresh_database(postgres, template) as made:
        yield made


@pytest.fixture(scope="module")
def examples(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examples]:
    """A queue that runs for all examples of this module; each has a space of its own."""
    made = Examples(Lab(url, tmp_path_factory.mktemp("examples")))
    yield made
    made.close()
