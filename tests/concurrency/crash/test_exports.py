"""Exports under kill -9: another process completes the job, and a broken download leaves nothing behind."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from app.settings import Settings
from identity.operations.privacy.access_exports.request_export import destroy_expired_exports
from identity.operations.spaces.open_spaces import open_spaces
from tests.app.conftest import Shop, new_shop
from tests.conftest import Running

CALLS, LARGE = 300, 24_000
HELD = "UPDATE job SET until = 0"
"""A job of a killed process becomes free at once in this test; in production after half a minute."""
Start = Callable[..., Running]


@contextmanager
def shops(start: Start) -> Iterator[Callable[[], tuple[Shop, Running]]]:
    """Starts servers, and speaks with one space by each."""
    made: list[Shop] = []
    with ExitStack() as stack:

        def another() -> tuple[Shop, Running]:
            running = start(ONEFOLD_COLLECT_RATE="0")
            client = stack.enter_context(httpx.Client(base_url=running.url, timeout=60))
            if made:
                first = made[0]
                return Shop(client, first.space_id, first.name, first.keys), running
            made.append(new_shop(client, {"Authorization": f"Bearer {running.admin_token}"}))
            return made[0], running

        yield another


def test_killed_while_gathering_and_while_fetching(server: Start, database: str) -> None:
    """Two processes take over from one that died: each call is there once; the ticket of a broken download is spent."""
    with shops(server) as start, psycopg.connect(database, autocommit=True) as rows:

        def one(query: str) -> Any:
            return (rows.execute(query.encode()).fetchone() or (None,))[0]

        shop, first = start()
        filling = {"filling": "x" * LARGE}
        calls = [{"type": "track", "event": f"E{n}", "userId": "ann", "properties": filling} for n in range(CALLS)]
        for at in range(0, CALLS, 20):
            shop.send(*calls[at : at + 20])
        wanted: dict[str, Any] = {"json": {"identifiers": ["user_id:ann"]}, "headers": {"Idempotency-Key": "case-1"}}
        made = shop.ask("POST", "/v1/exports", "privacy", **wanted).json()
        while not one("SELECT parts FROM export"):
            time.sleep(0.001)
        first.kill()
        assert one("SELECT state FROM export") == 0, "it was gathered before it could be killed"

        (second, _), (third, dying) = start(), start()
        rows.execute(HELD)
        assert second.ask("POST", "/v1/exports", "privacy", **wanted).json()["download_url"] == made["download_url"]
        ready = third.ask("GET", f"/v1/exports/{made['export_id']}?wait=30", "privacy").json()
        assert (ready["state"], ready["done"]) == ("ready", CALLS)
        document = second.ask("GET", made["download_url"], "privacy").json()
        assert [call["body"] for call in document["profiles"][0]["calls"]] == calls
        assert one("SELECT count(*) FROM export_part") == 0

        other = third.ask("POST", "/v1/exports", "privacy", json={"identifiers": ["user_id:ann"]}).json()
        assert second.ask("GET", f"/v1/exports/{other['export_id']}?wait=30", "privacy").json()["state"] == "ready"
        headers = {"Authorization": f"Bearer {shop.keys['privacy']}"}
        with third.client.stream("GET", other["download_url"], headers=headers) as download:
            assert download.status_code == 200
            pieces = download.iter_raw()
            assert next(pieces)
            dying.kill()
            with pytest.raises(httpx.RemoteProtocolError):
                list(pieces)
        assert second.ask("GET", other["download_url"], "privacy").status_code == 404
        rows.execute("UPDATE export SET until = 1")
        asyncio.run(swept(database, first))
        assert [one(f"SELECT count(*) FROM {table}") for table in ("export", "export_part")] == [0, 0]
        assert one("SELECT count(*) FROM subject_key") == one("SELECT count(*) FROM profile")


async def swept(database: str, running: Running) -> int:
    """How many exports the standing work takes away."""
    settings = Settings(data_dir=running.data_dir)
    spaces = await open_spaces(
        database, root_file=settings.root_key_file, root_value=None, key_store=settings.key_folder
    )
    try:
        return await destroy_expired_exports(spaces)
    finally:
        await spaces.database.close()
