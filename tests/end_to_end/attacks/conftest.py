"""A second server on the database of the shared one, with short timeouts."""

from collections.abc import Iterator

import pytest

from tests.app.conftest import Shop
from tests.conftest import Running, launch
from tests.support.processes.forked_program import command_of


@pytest.fixture(scope="session")
def hasty(live: Running, live_database: str) -> Iterator[Running]:
    """A second server on the database and the keys of the shared one, whose waits are short."""
    command = [*command_of("tests.end_to_end.attacks.short_timeouts:main"), "serve"]
    environment = {"ONEFOLD_DATABASE_URL": live_database}
    running = launch(command, live.data_dir, environment, token=live.admin_token)
    yield running
    running.process.terminate()
    running.process.wait(30)
    assert running.process.stdout
    running.process.stdout.close()


@pytest.fixture
def goes_on(shop: Shop) -> Iterator[None]:
    """Afterwards an ordinary call is taken."""
    yield
    assert shop.send({"type": "track", "event": "E", "userId": "after"})[0]["status"] == "accepted"
