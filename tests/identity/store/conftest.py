"""A database for all tests of a module, as the properties have it."""

from tests.concurrency.properties.conftest import url

__all__ = ["url"]
