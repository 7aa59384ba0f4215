"""Fixtures of the tests of commands: warehouses beside the shared server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.app.conftest import Shop
from tests.conftest import Running
from tests.support.destinations.export_people import PURPOSES
from tests.support.destinations.warehouse_export import Warehouse


@pytest.fixture
def warehouse(live: Running, live_database: str, shop: Shop, tmp_path: Path) -> Iterator[Callable[..., Warehouse]]:
    """Warehouses of a space with purposes."""
    shop.ask("PUT", "/v1/purposes", json=PURPOSES)
    made: list[Warehouse] = []

    def make(name: str = "warehouse") -> Warehouse:
        made.append(Warehouse(live, live_database, shop, tmp_path / name, name))
        return made[-1]

    yield make
    for each in made:
        each.close()
