"""No value of a caller is in clear in the data directory, in a log or in an error response.

Every byte is searched while the server runs, and again after it stopped. Controls, values in clear on purpose,
have to be found by the same search, or finding nothing would prove nothing. Plant and search are those of
`onefold verify --privacy`.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from psycopg import sql

from app.commands import tour
from app.commands.leak_scan.plant import plant_everything
from app.commands.leak_scan.planted_values import PlantedValues
from app.commands.leak_scan.planter import Planter
from app.commands.leak_scan.search import Search
from app.commands.leak_scan.space_client import SpaceClient
from identity.planning.integrity.leak_patterns import Hit, LeakPatterns
from identity.store.embedded import postmaster
from identity.store.embedded.data_directory import SUPERUSER
from identity.store.embedded.server import EmbeddedPostgres
from identity.store.integrity.leak_scan import open_for_scan
from tests.conftest import ONEFOLD, Running, launch
from tests.support.database import prepared_cluster

CONTROLS = {"control in a table": "zControlInATable00000001", "control in a log": "zControlInALogFile000001",
            "control in the output": "zControlInTheOutput00001"}  # fmt: skip


class Found(NamedTuple):
    """What the search found, where and in how many bytes."""

    running: list[Hit]
    stopped: list[Hit]
    live: list[Hit]
    refused: list[Hit]
    not_scanned: dict[str, str]
    size: int
    status: int
    accepted: int
    refusals: int


@pytest.fixture(scope="module")
def found(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """Plants, searches, stops, searches again; once for all tests of this module."""
    folder = tmp_path_factory.mktemp("leaks")
    data, temporary = folder / "data", folder / "tmp"
    temporary.mkdir(mode=0o711)
    prepared_cluster.copy(prepared, data)
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
    keys = tour.create_space(running.url, running.admin_token, "leaks").keys
    values = PlantedValues()
    planter = Planter(values, SpaceClient(running.url, {**keys, "operator": running.admin_token}))
    plant_everything(planter)
    _kill_postgres_under(planter, running)
    postgres = EmbeddedPostgres(running.data_dir)
    postgres.attach()
    search = Search(LeakPatterns({**values.by_name, **CONTROLS}, values.hashed))
    _control(postgres, running)
    with open_for_scan(postgres.url(), running.data_dir) as database:
        search.statistics(database)
    search.files("running", folder)
    status = running.stop()
    search.files("stopped", folder)
    for refusal in planter.refusals:
        search.text("refusals", refusal.content)
    return Found(
        running=search.hits["running"],
        stopped=search.hits["stopped"],
        live=search.hits["statistics"],
        refused=search.hits["refusals"],
        not_scanned=search.not_scanned,
        size=search.sizes["running"],
        status=status,
        accepted=planter.accepted,
        refusals=len(planter.refusals),
    )


def _kill_postgres_under(planter: Planter, running: Running) -> None:
    """Plant calls whose database dies: errors on every path, a recovery, and pages in the log again."""
    main = postmaster.find(running.data_dir.resolve() / "postgres")
    assert main
    main.kill()
    for _ in range(3):
        who = {"userId": planter.new("user while Postgres is away"), "traits": {"name": planter.new("name then")}}
        planter.send("write", "POST", "/v1/identify", who)
        planter.send("profiles", "GET", f"/v1/profiles/user_id:{planter.new('read while Postgres is away')}")
    last = planter.new("user after the recovery")
    deadline = time.monotonic() + 60
    while planter.send("write", "POST", "/v1/identify", {"userId": last, "messageId": last}) != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _control(postgres: EmbeddedPostgres, running: Running) -> None:
    """Plant in clear: a row, a line of Postgres's log, a line of the server's output."""
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


def leaks(hits: list[Hit]) -> list[Hit]:
    """The hits that are no control."""
    return [hit for hit in hits if hit.name not in CONTROLS]


def test_the_controls_are_found(found: Found) -> None:
    """They are in a table, its write-ahead log, and both logs."""
    places = {(hit.name, Path(hit.place).parts[-2]) for hit in found.running}
    row = {place for name, place in places if name == "control in a table"}

    assert {name for name, _ in places} == set(CONTROLS)
    assert (("control in a log", "postgres-log") in places, "pg_wal" in row, len(row) > 1) == (True, True, True)
    assert {hit.name for hit in found.live} == {"control in a table"}


def test_the_search_covers_many_calls_and_much_data(found: Found) -> None:
    """The calls were taken and the refusals came, over a directory of some size."""
    assert (found.accepted > 100, found.refusals > 150, found.size > 30_000_000, found.status) == (True, True, True, 0)


@pytest.mark.parametrize("when", ["running", "stopped"])
def test_no_file_holds_a_planted_value(found: Found, when: str) -> None:
    """Data directory, logs and temporary files, by name and content."""
    assert leaks(getattr(found, when)) == []


def test_no_statistic_or_statement_holds_a_planted_value(found: Found) -> None:
    """Postgres shows both in views."""
    assert leaks(found.live) == []


def test_no_refusal_holds_a_planted_value(found: Found) -> None:
    """Neither its headers nor its body repeat the request."""
    assert found.refused == []


def test_nothing_was_left_out(found: Found) -> None:
    """Every file and every view could be read."""
    assert found.not_scanned == {}
