"""A database for all examples of a module."""

from collections.abc import Iterator

import pytest

from identity.store.embedded.server import EmbeddedPostgres
from tests.conftest import fresh_database


@pytest.fixture(scope="module")
def url(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    """A database for all examples of this module; each has a space of its own."""
    with fresh_database(postgres, template) as made:
        yield made
