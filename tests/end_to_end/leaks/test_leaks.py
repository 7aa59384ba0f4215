"""Nothing that a caller sent lies in clear in the data directory, in a log or in a refusal.

Every byte is searched while the server runs, and again after it stopped; what was planted in
plain on purpose has to be found by the same search, or the finding of nothing would mean nothing.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from psycopg import sql

from app.commands import tour
from identity.planning.integrity.leak_patterns import Hit, Needles
from identity.store.embedded import postmaster
from identity.store.embedded.data_directory import SUPERUSER
from identity.store.embedded.server import EmbeddedPostgres
from identity.store.integrity.data_files import below, pieces
from tests.conftest import ONEFOLD, Running, launch
from tests.support.leak_plant import Plant

CONTROLS = {"control in a table": "zControlInATable00000001", "control in a log": "zControlInALogFile000001",
            "control in the output": "zControlInTheOutput00001"}  # fmt: skip


class Found(NamedTuple):
    """What the search found, where and in how many bytes."""

    running: list[Hit]
    stopped: list[Hit]
    live: list[Hit]
    refused: list[Hit]
    size: int
    status: int
    planted: int
    refusals: int


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """Plants, searches, stops, searches again; once for all tests of this module."""
    folder = tmp_path_factory.mktemp("leaks")
    data, temporary = folder / "data", folder / "tmp"
    temporary.mkdir(mode=0o711)
    running = launch(
        [*ONEFOLD, "serve"], data, {"ONEFOLD_WORKERS": "2", "TMPDIR": str(temporary), "ONEFOLD_LOG_LEVEL": "debug"}
    )
    try:
        yield _plant_and_search(running, folder)
    finally:
        if running.process.poll() is None:
            running.stop()
        assert running.process.stdout
        running.process.stdout.close()


def _plant_and_search(running: Running, folder: Path) -> Found:
    keys = tour.create_space(running.url, running.admin_token, "leaks")["keys"]
    plant = Plant(running.url, keys, running.admin_token)
    one, other = plant.person(), plant.person()
    plant.merges(one, other)
    plant.losses(other)
    plant.race()
    plant.rules(one)
    plant.undoing(other)
    plant.lookups(one)
    plant.refused()
    _kill_postgres_under(plant, running)
    plant.close()
    postgres = EmbeddedPostgres(running.data_dir)
    postgres.attach()
    search = Needles({**plant.values, **CONTROLS}, plant.hashed)
    _control(postgres, running)
    live = search.within(_live(postgres), "the live server")
    here, size = _tree(search, folder)
    status = running.stop()
    after, _ = _tree(search, folder)
    refused = [hit for what, code, told in plant.refusals for hit in search.within(told, f"{what} {code}")]
    return Found(here, after, live, refused, size, status, plant.accepted, len(plant.refusals))


def _tree(search: Needles, folder: Path) -> tuple[list[Hit], int]:
    """What is found in the files of a folder and in their names, and how large they are."""
    hits, size = [], 0
    for path in below(folder):
        hits += search.within(os.fsencode(path), f"the name of {path}")
        hits += search.through(pieces(path), str(path))
        size += path.stat().st_size if path.exists() else 0
    return hits, size


def _kill_postgres_under(plant: Plant, running: Running) -> None:
    """Calls whose database dies: errors on every way, a recovery, and pages in the WAL again."""
    main = postmaster.find(running.data_dir.resolve() / "postgres")
    assert main
    main.kill()
    for _ in range(3):
        who = {"userId": plant.new("user while Postgres is away"), "traits": {"name": plant.new("name then")}}
        plant.ask("write", "POST", "/v1/identify", who)
        plant.ask("profiles", "GET", f"/v1/profiles/user_id:{plant.new('read while Postgres is away')}")
    last = plant.new("user after the recovery")
    deadline = time.monotonic() + 60
    while plant.ask("write", "POST", "/v1/identify", {"userId": last, "messageId": last}).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _control(postgres: EmbeddedPostgres, running: Running) -> None:
    """Plants in plain: a row, a line of Postgres's log, a line of the server's output."""
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE control (value text)")
        connection.execute("INSERT INTO control SELECT %s FROM generate_series(1, 9)", [CONTROLS["control in a table"]])
    with psycopg.connect(postgres.url(user=SUPERUSER), autocommit=True) as connection:
        raise_ = sql.SQL("DO $$ BEGIN RAISE WARNING {}; END $$")
        connection.execute(raise_.format(sql.Literal(CONTROLS["control in a log"])))
        connection.execute("ANALYZE")
        connection.execute("CHECKPOINT")
    with running.data_dir.with_name("data.log").open("a") as log:
        log.write(CONTROLS["control in the output"] + "\n")


def _live(postgres: EmbeddedPostgres) -> bytes:
    """What the server tells about statistics and about statements."""
    with psycopg.connect(postgres.url(user=SUPERUSER)) as connection:
        views = ("pg_stats", "pg_statistic", "pg_stat_activity", "pg_prepared_statements", "pg_stat_user_tables")
        return b"".join(
            str(row).encode() for view in views for row in connection.execute(f"SELECT t::text FROM {view} t".encode())
        )


def leaks(hits: list[Hit]) -> list[Hit]:
    """What was not planted in plain on purpose."""
    return [hit for hit in hits if hit.name not in CONTROLS]


def test_control(found: Found) -> None:
    """What was written in plain on purpose is found: in a table, its WAL, and both logs."""
    places = {(hit.name, Path(hit.place).parts[-2]) for hit in found.running}
    row = {place for name, place in places if name == "control in a table"}

    assert {name for name, _ in places} == set(CONTROLS)
    assert (("control in a log", "postgres-log") in places, "pg_wal" in row, len(row) > 1) == (True, True, True)
    assert {hit.name for hit in found.live} == {"control in a table"}


def test_much_was_planted(found: Found) -> None:
    """The calls were taken and the refusals came, over a directory of some size."""
    assert (found.planted > 100, found.refusals > 150, found.size > 30_000_000, found.status) == (True, True, True, 0)


@pytest.mark.parametrize("when", ["running", "stopped"])
def test_nothing_on_disk(found: Found, when: str) -> None:
    """No planted value lies in any file of the data directory, the logs or the temporary files."""
    assert leaks(getattr(found, when)) == []


def test_nothing_in_the_live_server(found: Found) -> None:
    """No planted value stands in a statistic or in the text of a statement."""
    assert leaks(found.live) == []


def test_nothing_in_refusals(found: Found) -> None:
    """No refusal repeats anything of the request."""
    assert found.refused == []
