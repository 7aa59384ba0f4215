"""`onefold verify --privacy`: what it scans, what it finds, and when a scan is void."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import IO, LiteralString

import httpx
import msgspec
import psutil
import psycopg
import pytest

from app.commands import tour
from app.commands.leak_scan import command, scratch_server
from app.commands.leak_scan.people import plant_person
from app.commands.leak_scan.planted_values import PlantedValues
from app.commands.leak_scan.planter import Planter
from app.settings import Settings
from identity.store.embedded.data_directory import SUPERUSER
from identity.store.embedded.server import EmbeddedPostgres
from identity.store.integrity.leak_scan import CONTROL
from tests.conftest import ONEFOLD, ROOT, Running, launch
from tests.support.processes.command_line import onefold
from tests.support.processes.forked_program import CAN_FORK, ForkedProgram

EVERYWHERE = ("rows", "statistics", "dump", "server", "heap files", "write-ahead log", "other files of Postgres",
              "key store", "data directory")  # fmt: skip
SCRATCH_SERVER = "tests.support.processes.scratch_program:main"


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings on a fresh database; what the command puts into the environment is taken out again."""
    before = dict(os.environ)
    yield Settings(data_dir=tmp_path / "data", database_url=database)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def one_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan plants one person into a fork of the server; a report depends on neither."""

    def plant(planter: Planter) -> list[str]:
        person = plant_person(planter)
        return [f"user_id:{person.user}", f"email:{person.email}"]

    monkeypatch.setattr(command, "plant_everything", plant)
    if CAN_FORK:
        monkeypatch.setattr(scratch_server, "subprocess", SimpleNamespace(**vars(subprocess) | {"Popen": fork}))


def fork(command: list[str], *, stderr: IO[bytes], **_: object) -> ForkedProgram:
    """The scratch server, forked."""
    return ForkedProgram(command[3:], os.environ, ROOT, entry=SCRATCH_SERVER, errors=stderr)


def url_of(settings: Settings) -> str:
    """The database that is set."""
    assert settings.database_url
    return settings.database_url


def test_a_data_directory_is_scanned_beside_a_running_server(migrated_data: Path, processes: list[Running]) -> None:
    """Every target is read, only the control is found, and the scan removes what it created."""
    running = launch([*ONEFOLD, "serve"], migrated_data)
    processes.append(running)
    made = tour.create_space(running.url, running.admin_token, "scanned")

    status, out, error = onefold("verify", "--privacy", "--data-dir", str(running.data_dir))

    assert (status, error) == (0, ""), out
    scanned = {line.split(":")[0].removeprefix("Scanned ") for line in out.splitlines() if line.startswith("Scanned ")}
    assert {*EVERYWHERE, *(f"{target} after erasing" for target in EVERYWHERE)} - scanned == set()
    assert "No planted value is stored in clear; the control was found." in out
    assert "Not planted" not in out
    operator = {"Authorization": f"Bearer {running.admin_token}"}
    listed = httpx.get(running.url + "/v1/spaces", headers=operator, timeout=60).json()["spaces"]
    assert [space["space_id"] for space in listed] == [made.space_id]
    postgres = EmbeddedPostgres(running.data_dir)
    with psycopg.connect(postgres.attach()) as connection:
        assert connection.execute("SELECT count(*) FROM space").fetchone() == (1,)
        assert connection.execute("SELECT to_regclass(%s)", [CONTROL]).fetchone() == (None,)
        query = "SELECT l.entry FROM ledger l JOIN space s ON s.id = l.space_id ORDER BY l.seq DESC LIMIT 1"
        (entry,) = connection.execute(query).fetchone() or (b"",)
    recorded = msgspec.json.decode(entry)
    assert (recorded["action"], recorded["hits"], recorded["positive_control"]) == ("scan", 0, "found")
    assert set(EVERYWHERE) <= set(recorded["targets"])


@pytest.mark.usefixtures("one_person")
def test_a_value_in_clear_is_reported_by_kind_and_never_quoted(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report names target, form and kind; the status is 1."""
    values = PlantedValues()
    value = values.new("trait value")
    with psycopg.connect(url_of(settings), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (value bytea)")
        connection.execute("INSERT INTO kept VALUES (%s)", [f"around {value} it".encode()])
    status = command.run(settings, url_of(settings), values)

    out = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("│")[1:4]] for line in out.splitlines() if "│" in line]
    assert (status, ["rows", "text", "trait value"] in rows) == (1, True)
    assert (value in out, "around" in out) == (False, False)
    assert {kind for _, _, kind in rows} == {"trait value"}


@pytest.mark.usefixtures("one_person")
def test_what_may_not_be_read_is_listed_with_a_reason(
    settings: Settings, postgres: EmbeddedPostgres, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no find, and the status stays 0."""
    base = url_of(settings)
    name = base.partition("@/")[2].partition("?")[0]
    with psycopg.connect(postgres.url(name, SUPERUSER), autocommit=True) as connection:
        connection.execute("CREATE TABLE hidden (value text)")
    assert command.run(settings, base) == 0

    out = capsys.readouterr().out.splitlines()
    assert "Not scanned: rows: public.hidden (insufficient privilege)." in out
    assert "Not scanned: heap files and write-ahead log (insufficient privilege)." in out
    hidden = "pg_stats of tables under row security (row security hides it from this role; a superuser sees it)"
    assert f"Not scanned: statistics: {hidden}." in out


@pytest.mark.usefixtures("one_person")
def test_a_scan_that_does_not_find_its_control_is_void(
    settings: Settings, postgres: EmbeddedPostgres, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then finding nothing proves nothing: the status is 2."""
    base = url_of(settings)
    name = base.partition("@/")[2].partition("?")[0]
    swallow = f"""
        CREATE FUNCTION swallow() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
            IF to_regclass('{CONTROL}') IS NOT NULL THEN
                CREATE RULE swallow AS ON INSERT TO {CONTROL} DO INSTEAD NOTHING;
            END IF;
        END $$;
        CREATE EVENT TRIGGER swallow ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION swallow();
    """
    with psycopg.connect(postgres.url(name, SUPERUSER), autocommit=True) as connection:
        connection.execute(swallow.encode())
    assert command.run(settings, base) == 2

    out = capsys.readouterr().out
    assert "missing in rows" in out
    assert "the scan is void" in out
    assert "No planted value" not in out


def test_a_scan_that_is_stopped_half_way_leaves_nothing_behind(database: str, tmp_path: Path) -> None:
    """Its space, its server and its table go with it; no second scan runs beside it."""
    own = {"ONEFOLD_DATABASE_URL": database, "ONEFOLD_DATA_DIR": str(tmp_path)}
    with Path(os.devnull).open("wb") as nowhere:
        scan = start_scan({**os.environ, **own}, nowhere)
    with psycopg.connect(database, autocommit=True) as connection, scan:

        def count(what: LiteralString) -> int:
            (found,) = connection.execute(f"SELECT count(*) FROM {what}").fetchone() or (0,)
            return int(found)

        while not count("space"):
            assert scan.poll() is None
            time.sleep(0.01)
        children = psutil.Process(scan.pid).children()
        scan.send_signal(signal.SIGSTOP)
        beside = onefold("verify", "--privacy", **own)
        scan.send_signal(signal.SIGCONT)
        scan.terminate()

        assert scan.wait() != 0
        assert beside[0::2] == (1, "onefold: Another scan of this database runs.\n")
        assert (len(children), [each for each in children if each.is_running()]) == (1, [])
        assert (count("space WHERE deleted_at IS NULL"), count("pg_class WHERE relname LIKE '%scan%control'")) == (
            0,
            0,
        )


def start_scan(environment: dict[str, str], nowhere: IO[bytes]) -> "subprocess.Popen[bytes] | ForkedProgram":
    """Start `onefold verify --privacy`, without its output."""
    if CAN_FORK:
        return ForkedProgram(["verify", "--privacy"], environment, ROOT, output=nowhere, errors=nowhere)
    command = [*ONEFOLD, "verify", "--privacy"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=nowhere, stderr=nowhere
    )


def test_a_scan_refuses_the_name_of_a_space(database: str) -> None:
    """It scans the whole database."""
    status, out, error = onefold("verify", "--privacy", "spc_" + "0" * 32, ONEFOLD_DATABASE_URL=database)

    assert (status, out) == (1, "")
    assert error == "onefold: A scan reads the whole database; leave out the space ids with --privacy.\n"
