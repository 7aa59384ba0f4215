"""Feeds of servers of their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.app.conftest import Shop, new_shop
from tests.conftest import Running

Shops = Callable[[Running], Shop]


@pytest.fixture
def shops() -> Iterator[Shops]:
    """Makes a space in a running server."""
    with ExitStack() as open_:

        def make(running: Running) -> Shop:
            client = open_.enter_context(httpx.Client(base_url=running.url, timeout=60))
            return new_shop(client, {"Authorization": f"Bearer {running.admin_token}"})

        yield make
