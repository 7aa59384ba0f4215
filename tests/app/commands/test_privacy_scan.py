"""`onefold verify --privacy`: what it scans, what it finds, and when it counts for nothing."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

import httpx
import msgspec
import psutil
import psycopg
import pytest

from app.commands import privacy_scan, tour
from app.commands.leak_values import Caller, Canaries
from app.settings import Settings
from identity.store.embedded.data_directory import SUPERUSER
from identity.store.embedded.server import EmbeddedPostgres
from identity.store.integrity.leak_scan import CONTROL
from tests.app.conftest import Shop
from tests.app.test_cli import onefold
from tests.conftest import ONEFOLD, ROOT, Running, launch

EVERYWHERE = ("rows", "statistics", "dump", "server", "heap files", "write-ahead log", "other files of Postgres",
              "key store", "data directory")  # fmt: skip


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings on a fresh database; what the command puts into the environment is taken out again."""
    before = dict(os.environ)
    yield Settings(data_dir=tmp_path / "data", database_url=database)
    os.environ.clear()
    os.environ.update(before)


def url_of(settings: Settings) -> str:
    """The database that is set."""
    assert settings.database_url
    return settings.database_url


def test_on_a_data_directory(tmp_path: Path, processes: list[Running]) -> None:
    """Beside a running server: every target is read, the control is found, and nothing else; all is cleared away."""
    running = launch([*ONEFOLD, "serve"], tmp_path / "data")
    processes.append(running)
    made = tour.create_space(running.url, running.admin_token, "scanned")

    status, out, error = onefold("verify", "--privacy", "--data-dir", str(running.data_dir))

    assert (status, error) == (0, ""), out
    said = {line.split(":")[0].removeprefix("Scanned ") for line in out.splitlines() if line.startswith("Scanned ")}
    assert {*EVERYWHERE, *(f"{target} after erasing" for target in EVERYWHERE)} - said == set()
    assert "Nothing is left in clear; the control was found." in out
    assert "Not planted" not in out
    operator = {"Authorization": f"Bearer {running.admin_token}"}
    listed = httpx.get(running.url + "/v1/spaces", headers=operator).json()["spaces"]
    assert [space["space_id"] for space in listed] == [made["space_id"]]
    postgres = EmbeddedPostgres(running.data_dir)
    with psycopg.connect(postgres.attach()) as connection:
        assert connection.execute("SELECT count(*) FROM space").fetchone() == (1,)
        assert connection.execute("SELECT to_regclass(%s)", [CONTROL]).fetchone() == (None,)
        query = "SELECT l.entry FROM ledger l JOIN space s ON s.id = l.space_id ORDER BY l.seq DESC LIMIT 1"
        (entry,) = connection.execute(query).fetchone() or (b"",)
    told = msgspec.json.decode(entry)
    assert (told["action"], told["hits"], told["positive_control"]) == ("scan", 0, "found")
    assert set(EVERYWHERE) <= set(told["targets"])


def test_every_kind_is_sent() -> None:
    """There is no value that no request carries."""
    canaries, sent = Canaries(), [""]

    def ask(*request: Any) -> tuple[int, bytes]:
        sent[0] += repr(request)
        return 200, b"exp_" + b"0" * 32 + b"ers_" + b"0" * 32

    canaries.plant(ask)
    canaries.erase()
    assert {kind for kind, value in canaries.values.items() if value not in sent[0]} == set()


def test_a_destination_is_told(shop: Shop, live: Running, rows: psycopg.Connection[Any]) -> None:
    """What is scanned holds what destinations are told: a disclosure, a place in the feed, an erasure to tell."""
    canaries = Canaries()
    canaries.plant(Caller(live.url, shop.keys))
    id_ = shop.space_id.removeprefix("spc_")

    def count(table: LiteralString) -> int:
        of = f"{table} t JOIN space s ON s.id = t.space_id WHERE s.public_id = %s"
        (found,) = rows.execute(f"SELECT count(*) FROM {of}", [id_]).fetchone() or (0,)
        return int(found)

    assert [table for table in ("purposes", "destination", "disclosure") if not count(table)] == []
    assert count("(SELECT * FROM delivery WHERE acked IS NOT NULL)") == 1
    assert canaries.erase() == 0
    assert count("erasure_notice") > 0
    assert [
        kind for kind in canaries.values if any(canaries.values[kind].encode() in each for each in canaries.refusals)
    ] == []


def test_leak(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """A value that lies in clear is told by its kind and form, never itself; the status is 1."""
    canaries = Canaries()
    value = canaries.values["trait value"]
    with psycopg.connect(url_of(settings), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (value bytea)")
        connection.execute("INSERT INTO kept VALUES (%s)", [f"around {value} it".encode()])
    status = privacy_scan.run(settings, url_of(settings), canaries)

    out = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("│")[1:4]] for line in out.splitlines() if "│" in line]
    assert (status, ["rows", "text", "trait value"] in rows) == (1, True)
    assert (value in out, "around" in out) == (False, False)
    assert {kind for _, _, kind in rows} == {"trait value"}


def test_unread(settings: Settings, postgres: EmbeddedPostgres, capsys: pytest.CaptureFixture[str]) -> None:
    """What this role may not read is listed with a reason, and is no find."""
    base = url_of(settings)
    name = base.partition("@/")[2].partition("?")[0]
    with psycopg.connect(postgres.url(name, SUPERUSER), autocommit=True) as connection:
        connection.execute("CREATE TABLE hidden (value text)")
    assert privacy_scan.run(settings, base) == 0

    out = capsys.readouterr().out.splitlines()
    assert "Not scanned: rows: public.hidden (insufficient privilege)." in out
    assert "Not scanned: heap files and write-ahead log (insufficient privilege)." in out


def test_void(settings: Settings, postgres: EmbeddedPostgres, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the control cannot be found, finding nothing means nothing: the status is 2."""
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
    assert privacy_scan.run(settings, base) == 2

    out = capsys.readouterr().out
    assert "missing in rows" in out
    assert "the scan is void" in out
    assert "Nothing is left" not in out


def test_interrupted(database: str, tmp_path: Path) -> None:
    """One that is stopped half-way takes its space, its server and its table with it; no second one runs beside it."""
    own = {"ONEFOLD_DATABASE_URL": database, "ONEFOLD_DATA_DIR": str(tmp_path)}
    command = subprocess.Popen(
        [*ONEFOLD, "verify", "--privacy"], cwd=ROOT, env={**os.environ, **own}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with psycopg.connect(database, autocommit=True) as connection, command:

        def count(what: LiteralString) -> int:
            (found,) = connection.execute(f"SELECT count(*) FROM {what}").fetchone() or (0,)
            return int(found)

        while not count("space"):
            assert command.poll() is None
            time.sleep(0.01)
        children = psutil.Process(command.pid).children()
        command.send_signal(signal.SIGSTOP)
        beside = onefold("verify", "--privacy", **own)
        command.send_signal(signal.SIGCONT)
        command.terminate()

        assert command.wait() != 0
        assert beside[0::2] == (1, "onefold: Another scan of this database runs.\n")
        assert (len(children), [each for each in children if each.is_running()]) == (1, [])
        assert (count("space WHERE deleted_at IS NULL"), count("pg_class WHERE relname LIKE '%scan%control'")) == (
            0,
            0,
        )


def test_no_space_is_named(database: str) -> None:
    """A scan is of the whole database."""
    status, out, error = onefold("verify", "--privacy", "spc_" + "0" * 32, ONEFOLD_DATABASE_URL=database)

    assert (status, out) == (1, "")
    assert error == "onefold: A scan looks at the whole database; name no space with --privacy.\n"
