"""The embedded Postgres: one owner, and whatever a crash leaves is adopted or recovered."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from identity.store.embedded import postmaster
from identity.store.embedded.data_directory import SUPERUSER
from identity.store.embedded.server import EmbeddedPostgres
from identity.values.database_roles import APP_ROLE
from identity.values.errors import DatabaseUnavailable, Misconfigured
from tests.conftest import ROOT
from tests.support.database import prepared_cluster

OWNER = """
import sys, time
from pathlib import Path
from identity.store.embedded.server import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]))
print(postgres.start(), flush=True)
time.sleep(600)
"""


def value(url: str, query: str) -> object:
    """The one value that a query yields."""
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row
    return row[0]


def serving(data_dir: Path) -> int:
    """The process id of the postmaster of a data directory, 0 if there is none."""
    found = postmaster.find(data_dir.resolve() / "postgres")
    return found.pid if found else 0


@pytest.fixture
def empty_dir(tmp_path: Path) -> Iterator[Path]:
    """A data directory whose postmaster, if any, is gone when the test ends."""
    folder = tmp_path / "data"
    yield folder
    if serving(folder):
        left = EmbeddedPostgres(folder)
        left.start()
        left.stop()


@pytest.fixture
def data_dir(prepared: Path, empty_dir: Path) -> Path:
    """The same with a cluster in it."""
    return prepared_cluster.copy(prepared, empty_dir)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of the server for tests that leave it as it is."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def running(served: Path) -> Iterator[EmbeddedPostgres]:
    """A fresh server with the settings of production, for tests that leave it as it is."""
    with EmbeddedPostgres(served) as made:
        yield made


@pytest.fixture
def killed_owner(data_dir: Path) -> str:
    """The URL that an owner had before it was killed; its postmaster lives on."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data_dir)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        url = owner.stdout.readline().strip()
        owner.kill()
    return url


def test_fresh(running: EmbeddedPostgres) -> None:
    """A fresh data directory gets a database that belongs to a role without special rights."""
    url = running.url()

    assert (value(url, "select current_user::text"), value(url, "select current_database()::text")) == (
        "onefold",
        "onefold",
    )
    assert value(url, "select rolsuper or rolreplication or rolbypassrls from pg_roles where rolname = user") is False


def test_app_role(running: EmbeddedPostgres) -> None:
    """The service's role can connect, and the owner can become it."""
    assert value(running.url(user=APP_ROLE), "select current_user::text") == APP_ROLE
    with psycopg.connect(running.url()) as connection:
        connection.execute("set role onefold_app")


def test_second_start(data_dir: Path) -> None:
    """A second start finds the data of the first, at the same address."""
    with EmbeddedPostgres(data_dir) as first:
        before = first.url()
        with psycopg.connect(before) as connection:
            connection.execute("create table kept as select 7 as n")

    with EmbeddedPostgres(data_dir) as second:
        assert second.url() == before
        assert value(second.url(), "select n from kept") == 7


def test_stop_is_clean(data_dir: Path) -> None:
    """After a stop nothing is left running and the cluster was shut down through a checkpoint."""
    with EmbeddedPostgres(data_dir) as postgres:
        folder = Path(postgres.url().split("%2F")[-1].split("&")[0])
        programs = Path(psutil.Process(serving(data_dir)).exe()).parent
    state = subprocess.check_output([programs / "pg_controldata", data_dir / "postgres"], text=True)

    assert "shut down\n" in state
    assert serving(data_dir) == 0
    assert not (Path("/tmp") / folder.name).exists()


def test_adopts(data_dir: Path, killed_owner: str) -> None:
    """A postmaster that outlived its owner is adopted, not restarted, and then stopped as one's own."""
    orphan = serving(data_dir)
    with EmbeddedPostgres(data_dir) as postgres:
        assert (orphan != 0, serving(data_dir), postgres.url()) == (True, orphan, killed_owner)

    assert serving(data_dir) == 0


def test_recovers(data_dir: Path, killed_owner: str) -> None:
    """After a kill -9 of owner and postmaster under load, what was committed is there."""
    with psycopg.connect(killed_owner, autocommit=True) as connection:
        connection.execute("create table kept as select n from generate_series(1, 1000) n")
    os.kill(serving(data_dir), signal.SIGKILL)

    with EmbeddedPostgres(data_dir) as postgres:
        assert value(postgres.url(), "select count(*) from kept") == 1000


def test_revives(data_dir: Path) -> None:
    """A postmaster killed under its owner is started again at the same address, once."""
    with EmbeddedPostgres(data_dir) as postgres:
        os.kill(serving(data_dir), signal.SIGKILL)
        while not postgres.revive():
            time.sleep(0.01)

        assert postgres.revive() is False
        assert value(postgres.url(), "select 1") == 1


def test_reused_process_id(data_dir: Path) -> None:
    """A mark left by a postmaster whose process id is another program's now does not stop a start."""
    with EmbeddedPostgres(data_dir):
        mark = (data_dir / "postgres" / "postmaster.pid").read_text()
    _, rest = mark.split("\n", 1)
    (data_dir / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{rest}")

    with EmbeddedPostgres(data_dir) as postgres:
        assert value(postgres.url(), "select 1") == 1


def test_interrupted_making(empty_dir: Path) -> None:
    """What an interrupted first start left behind is thrown away."""
    (empty_dir / "postgres.new-1").mkdir(parents=True)
    (empty_dir / "postgres.new-1" / "half").write_text("written")

    with EmbeddedPostgres(empty_dir) as postgres:
        assert value(postgres.url(), "select 1") == 1
        assert not list(empty_dir.glob("postgres.new*"))


def test_second_owner(served: Path, running: EmbeddedPostgres) -> None:
    """A second owner is refused with the process that owns the server, and disturbs nothing."""
    with pytest.raises(Misconfigured, match=f"process .{os.getpid()}. runs on"):
        EmbeddedPostgres(served).start()

    assert value(running.url(), "select 1") == 1


def test_attach_never_stops(served: Path, running: EmbeddedPostgres) -> None:
    """A process that attached does not stop the server, whatever it calls."""
    guest = EmbeddedPostgres(served)
    url = guest.join()
    guest.stop()

    assert (url, guest.owner) == (running.url(), False)
    assert value(url, "select 1") == 1


def test_attach_to_nothing(empty_dir: Path) -> None:
    """Attaching where nobody runs a server is an error, not a start."""
    with pytest.raises(DatabaseUnavailable):
        EmbeddedPostgres(empty_dir).attach()

    assert serving(empty_dir) == 0


def test_deep_path(tmp_path: Path) -> None:
    """A data directory deeper than a socket address may be long works."""
    with EmbeddedPostgres(tmp_path / ("d" * 100) / ("e' " * 30)) as postgres:
        assert value(postgres.url(), "select 1") == 1


def test_private(running: EmbeddedPostgres) -> None:
    """The socket lies in a folder that nobody else may enter, and no network port is open."""
    folder = Path(str(value(running.url(SUPERUSER, SUPERUSER), "show unix_socket_directories")))

    assert folder.stat().st_mode & 0o777 == 0o700
    assert value(running.url(SUPERUSER, SUPERUSER), "show listen_addresses") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_other_user_is_refused(running: EmbeddedPostgres) -> None:
    """Another user of the machine is refused by the server even where it got hold of the socket."""
    folder = Path(str(value(running.url(SUPERUSER, SUPERUSER), "show unix_socket_directories")))
    startup = b"\0\3\0\0user\0onefold\0database\0onefold\0\0"
    with socket.socket(socket.AF_UNIX) as client:
        # The server learns from the kernel who connected: the effective user at that moment.
        os.seteuid(0)
        folder.chmod(0o711)
        (folder / ".s.PGSQL.5432").chmod(0o777)
        os.seteuid(65_534)
        try:
            client.connect(str(folder / ".s.PGSQL.5432"))
        finally:
            os.seteuid(0)
            folder.chmod(0o700)
            (folder / ".s.PGSQL.5432").chmod(0o700)
        client.sendall((len(startup) + 4).to_bytes(4, "big") + startup)
        answer = client.recv(1000)

    assert (answer[:1], b"28000" in answer) == (b"E", True)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("log_statement", "none"),
        ("log_min_error_statement", "panic"),
        ("log_error_verbosity", "terse"),
        ("log_parameter_max_length_on_error", "0"),
        ("wal_compression", "off"),
        ("server_encoding", "UTF8"),
    ],
)
def test_settings(running: EmbeddedPostgres, setting: str, expected: str) -> None:
    """Durability is never weakened, and no statement or parameter reaches the log."""
    assert value(running.url(), f"show {setting}") == expected


def test_log_holds_no_values(data_dir: Path) -> None:
    """A statement that fails on a value leaves neither in the log, and the failure does."""
    with (
        EmbeddedPostgres(data_dir) as postgres,
        psycopg.connect(postgres.url(), autocommit=True) as connection,
    ):
        connection.execute("create table t (planted_name text unique)")
        connection.execute("insert into t values ('planted@example.com')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into t values (%s)", ["planted@example.com"])
    text = "".join(each.read_text() for each in (data_dir / "postgres-log").iterdir())

    assert "duplicate key value" in text
    assert "planted@example.com" not in text
