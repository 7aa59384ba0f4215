"""Whether it lives, whether it can serve, and what it measures."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from app.server.process import Onefold
from app.server.readiness import Readiness
from app.settings import Settings
from identity.operations.ingest.queue import IngestQueue
from identity.store.embedded.data_directory import SUPERUSER
from identity.store.embedded.server import EmbeddedPostgres
from identity.store.keys import key_store
from tests.app.conftest import Deployment, Shop
from tests.conftest import Running, administer
from tests.support.processes.writer_processes import Lab


def test_a_serving_process_is_live_and_ready(client: httpx.Client) -> None:
    """Anybody may ask."""
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}


async def test_many_ask_at_once(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask whether it is ready, without a key, the database is asked once."""
    asked = []

    async def reading(connection: Any) -> Any:
        asked.append(connection)
        return await read(connection)

    async def main() -> None:
        onefold = Onefold(Settings())
        onefold.spaces = await Lab(database, tmp_path).open()
        onefold.ingest_queue = IngestQueue(onefold.spaces.database)
        onefold.ingest_queue.start()
        onefold.readiness = Readiness(onefold.spaces, onefold.ingest_queue)
        try:
            await asyncio.gather(*(onefold.check() for _ in range(50)))
            await onefold.check()
        finally:
            await onefold.ingest_queue.close()
            await onefold.spaces.database.close()

    read = key_store.read
    with monkeypatch.context() as patch:
        patch.setattr("app.server.readiness.GOOD_SECONDS", 600.0)
        patch.setattr(key_store, "read", reading)
        # The start itself reads once, to see that the keys belong to the database.
        await main()
    assert len(asked) == 1 + 1


def test_without_its_database_a_process_is_live_and_not_ready(
    server: Callable[..., Running], database: str, postgres: EmbeddedPostgres
) -> None:
    """It accepts no call, and its answers say when to come back."""
    running = server()
    name = str(conninfo_to_dict(database)["dbname"])
    refuse = sql.SQL("alter database {} allow_connections {}")
    with httpx.Client(base_url=running.url, timeout=60) as client:
        made = client.post(
            "/v1/spaces", json={"name": "s"}, headers={"Authorization": f"Bearer {running.admin_token}"}
        ).json()
        administer(postgres, refuse.format(sql.Identifier(name), sql.SQL("false")))
        with psycopg.connect(postgres.url(SUPERUSER, SUPERUSER), autocommit=True) as connection:
            connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])

        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        answer = client.post("/v1/track", json={"event": "E", "userId": "u1", "writeKey": made["keys"]["write"]})
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert int(answer.headers["retry-after"]) >= 1

        administer(postgres, refuse.format(sql.Identifier(name), sql.SQL("true")))
        while client.get("/readyz").status_code != 200:
            pass
        answer = client.post("/v1/track", json={"event": "E", "userId": "u1", "writeKey": made["keys"]["write"]})
        assert answer.status_code == 200


@pytest.mark.parametrize("mount_point", [False, True])
def test_without_its_keys_a_process_is_not_ready(server: Callable[..., Running], mount_point: bool) -> None:  # noqa: FBT001 (a parameter)
    """Without its key store it is not ready, also where an empty directory is left in its place."""
    running = server()
    keys = running.data_dir / "keys"
    keys.rename(running.data_dir / "elsewhere")
    if mount_point:
        keys.mkdir(mode=0o700)

    answer = httpx.get(running.url + "/readyz", timeout=60)

    assert (answer.status_code, answer.json()["code"]) == (503, "key_unavailable")


def test_metrics_count_outcomes_and_reasons_without_a_name(shop: Shop, operator: dict[str, str]) -> None:
    """The metrics count calls by outcome and demotions by reason, without a name in them."""
    shop.ask("PUT", "/v1/rules", json={"limits": {"secret_type": {"max": 1}}})
    ids = [
        {"id": f"v{number}", "type": "secret_type", "collection": "users", "encoding": "none"} for number in range(3)
    ]
    shop.send({"type": "track", "event": "E", "userId": "secret_person", "context": {"externalIds": ids}})
    shop.ask("GET", "/v1/profiles/user_id:secret_person")

    text = shop.client.get("/metrics", headers=operator).text

    assert 'onefold_calls_total{status="accepted"}' in text
    assert 'onefold_demotions_total{reason="limit"}' in text
    assert "onefold_queue_calls 0.0" in text
    assert 'onefold_request_seconds_count{method="GET",route="/v1/profiles/{ref}",status="200"}' in text
    assert 'route="/v1/batch"' in text
    assert 'onefold_requests{clock="overdue",kind="erasure"}' in text
    assert "secret_" not in text
    # Codes of other tests may have the word, such as missing_user_id.
    assert '"user_id' not in text


def test_any_worker_answers_with_the_metrics_of_all(deployment: Deployment) -> None:
    """Each of two workers counts its own answers; every scrape shows the sum, and both processes."""
    operator = {"Authorization": f"Bearer {deployment.running.admin_token}"}

    def scraped() -> tuple[float, int]:
        with httpx.Client(base_url=deployment.running.url, timeout=60) as client:
            text = client.get("/metrics", headers=operator).text
        counted = re.search(r'onefold_request_seconds_count\{.*route="/healthz".*\} (\S+)', text)
        return float(counted[1]) if counted else 0.0, len(
            re.findall(r"^onefold_process_resident_bytes\{pid=", text, re.MULTILINE)
        )

    before, _ = scraped()
    for _ in range(40):
        # A connection of its own: the system gives it to either worker.
        assert httpx.get(deployment.running.url + "/healthz", timeout=60).status_code == 200
    seen = [scraped() for _ in range(8)]

    assert {count for count, _ in seen} == {before + 40}
    assert {processes for _, processes in seen} == {2}


def test_metrics_show_process_pool_queue_lease_lag_and_age(shop: Shop, operator: dict[str, str]) -> None:
    """After a call a writer holds a lease, and nothing waits."""
    shop.send({"type": "track", "userId": "u1", "event": "e"})
    text = shop.client.get("/metrics", headers=operator).text
    shown = dict(re.findall(r"^onefold_(\w+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE))

    assert float(shown["process_cpu_seconds"]) > 0
    assert float(shown["process_resident_bytes"]) > 10_000_000
    assert float(shown["process_open_files"]) > 5
    assert float(shown['pool_connections{state="idle"}']) + float(shown['pool_connections{state="used"}']) >= 1
    assert (shown["queue_calls"], shown["queue_oldest_seconds"], shown["queue_writers"]) == ("0.0", "0.0", "2.0")
    assert float(shown["writer_lease_seconds"]) > 0
    assert {"event_loop_lag_seconds", "destinations_lag_seconds", "jobs_open", "jobs_oldest_seconds"} <= set(shown)
