"""Shared fixtures: one Postgres for the run, a migrated database per test, servers on demand.

Nothing here starts before a test asks for it, so pure tests stay pure.
"""

import gc
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

import httpx._transports.default
import psutil
import psycopg
import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg import sql

from identity.store.embedded import data_directory
from identity.store.embedded.data_directory import SUPERUSER
from identity.store.embedded.server import DATABASE, OWNER_ROLE, EmbeddedPostgres
from tests.support.database import prepared_cluster
from tests.support.processes.forked_program import CAN_FORK, ONEFOLD_ENTRY, ForkedProgram, command_of, entry_of

for _name in [name for name in os.environ if name.startswith(("ONEFOLD_", "PG"))]:
    del os.environ[_name]

hypothesis_settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis_settings.register_profile(
    "ci", deadline=None, max_examples=50, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.register_profile("coverage", deadline=None, max_examples=5, suppress_health_check=[*HealthCheck])
hypothesis_settings.register_profile(
    "soak", deadline=None, max_examples=2_000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

# By default a logged exception is drawn with the source and the values of every frame, in seconds.
structlog.configure(processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)])

# Every client of the tests would load the certificates of the system again, for a connection without TLS.
_transport = vars(httpx._transports.default)
_transport["create_ssl_context"] = cache(_transport["create_ssl_context"])

# The shared server, and spaces in it.
pytest_plugins = ["tests.support.http.shared_server"]

ROOT = Path(__file__).parents[1]
# Parallel runs hand files out in this order: the last to finish is then a short one.
LONGEST_FIRST = ("tests/concurrency/", "tests/end_to_end/", "tests/app/commands/", "tests/benchmarks/", "tests/app/")
TEMPLATE = "onefold_template"
# No claim about the Postgres that tests share is about a power cut. Copying a template by its files is cheap
# where nothing waits for the disk, and the cost of a drop grows with the buffers.
HASTY = "fsync = off\nfull_page_writes = off\nshared_buffers = 128MB\n"
COPY = sql.SQL("create database {} owner {} template {} strategy file_copy")
MEMORY = Path("/dev/shm")
ROOM = 8 << 30
PREFIX = "onefold-tests-"
ONEFOLD = command_of(ONEFOLD_ENTRY)
READY = "Onefold is ready on "
_numbers = count()


def _temporary() -> Path | None:
    """Memory, where the system has enough of it for the clusters of a run: they are copied hundreds of times."""
    if os.environ.get("TMPDIR") or not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    for left in MEMORY.glob(f"{PREFIX}*"):
        # A run that failed leaves its folder, to be looked at until the next run.
        if not psutil.pid_exists(int(left.name.removeprefix(PREFIX).partition("-")[0])):
            shutil.rmtree(left, ignore_errors=True)
    return MEMORY if min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) > ROOM else None


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give each run a folder of its own for temporary files.

    pytest's shared one is closed to others again whenever a run starts, under the feet of another
    run whose Postgres has to pass through it.
    """
    if config.option.basetemp is None:
        config.option.basetemp = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_temporary())) / "run"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the collector of garbage the modules and tests: they stay until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        # As often as the server collects: app/server/garbage.py.
        gc.set_threshold(50_000, 20, 100)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort folders by how long their tests take; the random order within each stays."""
    items.sort(key=lambda item: next((at for at, each in enumerate(LONGEST_FIRST) if item.nodeid.startswith(each)), 9))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Leave the folder behind only where there is something to look at."""
    folder = Path(session.config.option.basetemp)
    if folder.parent.name.startswith(PREFIX) and exitstatus in (0, 5):
        shutil.rmtree(folder.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop of the server, for every test that is a coroutine."""
    return "asyncio"


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose cluster has a database of the newest schema; no server runs on it."""
    base = tmp_path_factory.getbasetemp()
    return prepared_cluster.prepare((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "prepared")


@pytest.fixture
def migrated_data(prepared: Path, tmp_path: Path) -> Path:
    """A data directory of the test's own, whose cluster has a database of the newest schema."""
    return prepared_cluster.copy(prepared, tmp_path / "data")


@pytest.fixture(scope="session")
def postgres(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """The Postgres of the whole run."""
    running = EmbeddedPostgres(prepared_cluster.copy(prepared, tmp_path_factory.mktemp("postgres")))
    with pytest.MonkeyPatch.context() as settings:
        settings.setattr(data_directory, "_SETTINGS", data_directory._SETTINGS + HASTY)
        running.start()
    try:
        yield running
    finally:
        _administrator(running).close()
        running.stop()


def administer(postgres: EmbeddedPostgres, command: sql.Composed) -> None:
    """Run one statement as superuser, outside a transaction."""
    _administrator(postgres).execute(command)


@cache
def _administrator(postgres: EmbeddedPostgres) -> psycopg.Connection[object]:
    """The connection of all these statements: there is one before and one after each test with a database."""
    return psycopg.connect(postgres.url(SUPERUSER, SUPERUSER), autocommit=True)


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> str:
    """The name of a database with the newest schema, to be copied."""
    administer(postgres, COPY.format(*map(sql.Identifier, (TEMPLATE, OWNER_ROLE, DATABASE))))
    # The first connection to a database reads the catalog, and leaves a file with it that each copy has from then on.
    psycopg.connect(postgres.url(TEMPLATE)).close()
    return TEMPLATE


@contextmanager
def fresh_database(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    """A copy of the template, there until the end; yields the owner's URL."""
    name = f"test_{next(_numbers)}"
    administer(postgres, COPY.format(*map(sql.Identifier, (name, OWNER_ROLE, template))))
    yield postgres.url(name)
    administer(postgres, sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def database(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    """The owner's URL of a fresh, migrated database."""
    with fresh_database(postgres, template) as url:
        yield url


@dataclass
class Running:
    """A server in a process of its own."""

    url: str
    admin_token: str
    process: subprocess.Popen[str] | ForkedProgram
    data_dir: Path

    def stop(self, order: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; returns its exit status."""
        self.process.send_signal(order)
        return self.process.wait()

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        self.process.kill()
        self.process.wait()


def launch(
    command: list[str],
    data_dir: Path,
    environment: Mapping[str, str] | None = None,
    *,
    token: str | None = None,
) -> Running:
    """Run a server command on a free port, until it says that it is ready."""
    data_dir.mkdir(parents=True, exist_ok=True)
    token = token or secrets.token_hex(16)
    own = {"ONEFOLD_ADMIN_TOKEN": token, "ONEFOLD_PORT": "0", "ONEFOLD_DATA_DIR": str(data_dir)}
    whole = {**os.environ, **own, **(environment or {})}
    log = data_dir.with_name(data_dir.name + ".log")
    process: subprocess.Popen[str] | ForkedProgram
    with log.open("ab") as errors:
        if CAN_FORK and (entry := entry_of(command)):
            process = ForkedProgram(command[len(command_of(entry)) :], whole, ROOT, entry=entry, errors=errors)
        else:
            process = subprocess.Popen(
                command, cwd=ROOT, env=whole, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
            )
    assert process.stdout
    line = process.stdout.readline()
    if not line.startswith(READY):
        process.kill()
        pytest.fail(f"the server did not start (status {process.wait()}): {log.read_text()}")
    return Running(line.removeprefix(READY).strip(), token, process, data_dir)


@pytest.fixture
def processes() -> Iterator[list[Running]]:
    """Servers put in here are gone when the test ends."""
    started: list[Running] = []
    yield started
    for each in started:
        if each.process.poll() is None:
            each.process.terminate()
            try:
                each.process.wait(30)
            except subprocess.TimeoutExpired:
                each.kill()
        if each.process.stdout:
            each.process.stdout.close()


@pytest.fixture
def server(database: str, tmp_path: Path, processes: list[Running]) -> Callable[..., Running]:
    """Starts `onefold serve` on the test's database; several share its keys and operator token."""
    token = secrets.token_hex(16)

    def start(*, workers: int = 1, **environment: str) -> Running:
        own = {"ONEFOLD_DATABASE_URL": database, "ONEFOLD_WORKERS": str(workers), **environment}
        running = launch([*ONEFOLD, "serve"], tmp_path / "data", own, token=token)
        processes.append(running)
        return running

    return start
