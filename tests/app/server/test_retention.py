"""The work that a running server does by itself: what is kept for a time only goes when that is over."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import psycopg

from identity.values.calls import DAY
from identity.values.stamps import SLOT_BITS
from tests.app.conftest import new_shop
from tests.conftest import Running

# The partition of a day so many days ago, as the service makes them.
_PARTITION = """
DO $$ DECLARE day date := (now() AT TIME ZONE 'UTC')::date - {days}; low bigint; BEGIN
    low := (day - date '1970-01-01')::bigint * 86400000000 * 256;
    EXECUTE format('CREATE TABLE %I PARTITION OF event FOR VALUES FROM (%s) TO (%s)',
                   'event_' || to_char(day, 'YYYYMMDD'), low, low + 86400000000::bigint * 256);
END $$
"""
_OLDEST = b"SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'event'::regclass"
SECONDS = 60


def _one(rows: psycopg.Connection[Any], query: bytes) -> Any:
    found = rows.execute(query).fetchone()
    assert found is not None
    return found[0]


def _stamp(days: float) -> int:
    return int(time.time_ns() // 1000 - days * DAY) << SLOT_BITS


def _keep(rows: psycopg.Connection[Any], *days: float) -> None:
    """A message and a rejection of each age."""
    for each in days:
        stamp = _stamp(each)
        rows.execute("INSERT INTO message VALUES (gen_random_uuid(), 999, 1, %s)", [stamp])
        rows.execute("INSERT INTO rejection VALUES (999, %s, 1, 1, 'x')", [stamp])


def _kept(rows: psycopg.Connection[Any]) -> tuple[Any, Any]:
    return tuple(
        _one(rows, f"SELECT count(*) FROM {t} WHERE space_id = 999".encode()) for t in ("message", "rejection")
    )


def test_what_is_over_goes_by_itself(server: Callable[..., Running], database: str) -> None:
    """Partitions, message ids and rejections beyond their settings, and nothing before them."""
    with psycopg.connect(database, autocommit=True) as rows:
        rows.execute(_PARTITION.format(days=3).encode())
        third = _one(rows, _OLDEST)  # by name: midnight may pass
        for days in (5, 30):
            rows.execute(_PARTITION.format(days=days).encode())
        _keep(rows, 1.9, 2.1, 3.9, 4.1, 30)
        running = server(ONEFOLD_EVENT_RETENTION_DAYS="4", ONEFOLD_MESSAGE_RETENTION_DAYS="2")
        deadline = time.monotonic() + SECONDS
        while (_one(rows, _OLDEST), _kept(rows)) != (third, (1, 3)):
            assert time.monotonic() < deadline, (_one(rows, _OLDEST), _kept(rows))
            time.sleep(0.1)

        with httpx.Client(base_url=running.url, timeout=60) as client:
            shop = new_shop(client, {"Authorization": f"Bearer {running.admin_token}"})
            assert shop.send({"type": "track", "event": "E", "userId": "u1"})[0]["status"] == "accepted"
