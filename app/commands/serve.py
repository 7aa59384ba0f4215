"""`onefold serve`: starts Postgres, updates the schema, opens the port and supervises the workers.

The port is bound before anything else starts and Postgres stops after the last worker, so an
acknowledged call is on disk and a failed start leaves nothing behind. A dead worker or a dead
Postgres is started again.
"""

import errno
import logging
import multiprocessing
import os
import resource
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from uvicorn import Config, Server

import app.server.garbage  # noqa: F401 (sets how often garbage is collected)
from app.server import logs
from app.server.address_connections import AddressConnections
from app.server.database_transport import require_protected
from app.server.key_layout import warn_of_shared_folder
from app.server.memory_protection import protect_memory
from app.server.workers import Workers
from app.settings import Settings, forget_libpq, share_metrics
from identity.store.postgres.login_role import can_become_owner
from identity.values.database_roles import APP_ROLE
from identity.values.errors import Misconfigured, OnefoldError
from identity.values.extras import extra

if TYPE_CHECKING:
    from identity.store.embedded.server import EmbeddedPostgres

APPLICATION = "app.main:application"
# Named, so that only what serves loads it: a supervisor of workers stays small and starts at once.
PROTOCOL = "app.http.protocol:GuardedProtocol"
BACKLOG = 2048
KEEP_ALIVE = 65  # seconds; longer than the minute of most load balancers, so that they close first
GRACE = 20  # seconds for requests in progress
STARTUP = 30  # seconds until a worker has to answer its supervisor; on a loaded machine its imports take most of them
_WATCH = 0.5
_OTHER_FILES = 96  # open files of a worker beside its connections

_console = Console(highlight=False, soft_wrap=True)


def run(
    settings: Settings,
    *,
    application: str = APPLICATION,
    migrate: Callable[[str], None] | None = None,
    ready: Callable[[str], None] | None = None,
    command: str = "onefold serve --port {}",
) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is called with the address once the port accepts calls.

    `command` is how the caller chooses another port, for the message that this one is taken.

    Misconfigured or DatabaseUnavailable where the server cannot start; exit status 1 where the application printed why.
    """
    protect_memory()
    logs.configure(settings.log_level)
    _allow_files(settings.connections)
    with ExitStack() as stack, _stopping():
        listener = stack.enter_context(_listener(settings.host, settings.port, command))
        settings = settings.model_copy(update={"port": listener.getsockname()[1]}).with_admin_token()
        require_protected(settings)
        if settings.database_url:
            owner = url = settings.database_url
        else:
            owner, url = stack.enter_context(_embedded(settings))
        (migrate or _migrate)(owner)
        as_owner = settings.database_url is not None and can_become_owner(url)
        shared = tempfile.TemporaryDirectory(prefix="onefold-metrics-") if settings.workers > 1 else None
        share_metrics(stack.enter_context(shared) if shared else None)
        settings.model_copy(update={"database_url": url}).publish()
        config = _Config(
            application,
            factory=True,
            loop="uvloop",
            http=PROTOCOL,
            limit_concurrency=settings.connections,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            log_level=settings.log_level,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
            timeout_worker_healthcheck=STARTUP,
            workers=settings.workers,
        )
        config.addresses = AddressConnections(settings.address_connections, settings.proxies)
        address = f"http://{_bracketed(settings.host)}:{settings.port}"
        with _port_refused(settings.host, settings.port, command):
            # Two servers that start at once may both have bound the port; only one can listen.
            listener.listen(BACKLOG)

        def started() -> None:
            # Before the last lines, which a user may copy.
            warn_of_shared_folder(settings)
            if as_owner:
                logs.get(__name__).warning("database.owner_login")
            (ready or _announce)(address)

        serve = _one if settings.workers == 1 else _several
        serve(config, listener, started)


class _Config(Config):
    """uvicorn calls `configure_logging` in each worker process, before it loads the application.

    `addresses` bounds the connections of one address; each worker has a copy of its own.
    """

    addresses: AddressConnections

    def configure_logging(self) -> None:
        logs.configure(str(self.log_level))
        if parent := multiprocessing.parent_process():
            threading.Thread(target=_leave_after, args=(parent,), name="parent-watch", daemon=True).start()


class _Server(Server):
    def __init__(self, config: Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:
            raise SystemExit(1) from None
        self._announce()


def _leave_after(parent: Any) -> None:
    """Stop this worker when its supervisor dies; otherwise the worker would hold the port for ever."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _one(config: Config, listener: socket.socket, announce: Callable[[], None]) -> None:
    _Server(config, announce).run([listener])


def _several(config: Config, listener: socket.socket, announce: Callable[[], None]) -> None:
    workers = Workers(config, [listener], announce)
    # A worker that does not start has printed why.
    logging.getLogger("uvicorn.error").addFilter(lambda record: "failed to start" not in str(record.msg))
    workers.run()
    if workers.refused:
        raise SystemExit(1)


def _allow_files(connections: int) -> None:
    """Raise the limit of open files, as every connection is one. Misconfigured where the system forbids it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (OSError, ValueError) as refused:
        raise Misconfigured(
            f"ONEFOLD_CONNECTIONS needs {needed} open files and this system allows {hard} (ulimit -Hn); "
            "raise that limit, or set ONEFOLD_CONNECTIONS lower."
        ) from refused


@contextmanager
def _stopping() -> Iterator[None]:
    """Make SIGTERM end this block as Ctrl-C does, ignore SIGHUP, and let no signal interrupt the end."""
    handlers: dict[signal.Signals, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.default_int_handler,
        signal.SIGHUP: signal.SIG_IGN,
    }
    before = {each: signal.signal(each, handler) for each, handler in handlers.items()}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        # What is left to do (stopping Postgres) happens after this block, undisturbed.
        for each in before:
            signal.signal(each, signal.SIG_IGN)


@contextmanager
def _listener(host: str, port: int, command: str) -> Iterator[socket.socket]:
    """Bind the port without listening: until all is ready, a client is refused and does not wait."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as unknown:
        raise Misconfigured(
            "ONEFOLD_HOST (--host) is not an address of this machine; use 127.0.0.1, 0.0.0.0 or one of its addresses."
        ) from unknown
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with _port_refused(host, port, command):
            listener.bind(address)
        yield listener


@contextmanager
def _port_refused(host: str, port: int, command: str) -> Iterator[None]:
    """Misconfigured, with a command that takes another port, where the system refuses this one."""
    try:
        yield
    except OSError as refused:
        other = command.format(_free_port(host, max(port, 1024)))
        reason = {
            errno.EADDRINUSE: f"is in use by another program; stop it, or take another port: {other}",
            errno.EACCES: f"may not be used by this user; take one above 1023: {other}",
        }.get(refused.errno or 0, "cannot be opened on this host; check --host")
        raise Misconfigured(f"Port {port} {reason}") from refused


def _free_port(host: str, taken: int) -> int:
    """A port that is free now, a hundred or some hundreds above one that is taken."""
    for port in range(taken + 100, min(taken + 2_000, 65_536), 100):
        try:
            with socket.create_server((host, port)):
                return port
        except OSError:
            continue
    return taken + 100 if taken < 65_436 else taken - 100  # noqa: PLR2004 (the greatest port, less a hundred)


@contextmanager
def _embedded(settings: Settings) -> Iterator[tuple[str, str]]:
    """Run the embedded Postgres, and restart it if it dies while this process owns it.

    Yields the address for its owner, and the one for servers, whose role cannot become the owner.
    """
    with extra("embedded", ", or set ONEFOLD_DATABASE_URL"):
        from identity.store.embedded.server import EmbeddedPostgres

    forget_libpq()
    postgres = EmbeddedPostgres(settings.data_dir)
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(postgres, over), name="postgres-watch", daemon=True)
    try:
        owner = postgres.join()
        if postgres.owner:
            watch.start()
        yield owner, postgres.url(user=APP_ROLE)
    finally:
        over.set()
        if watch.ident:
            watch.join()
        postgres.stop()


def _watch(postgres: "EmbeddedPostgres", over: threading.Event) -> None:
    log = logs.get(__name__)
    while not over.wait(_WATCH):
        try:
            if postgres.revive():
                log.error("postgres.revived")
        except OnefoldError as trouble:
            log.error("postgres.down", exc_info=trouble)  # noqa: TRY400 the log keeps only class and place


def _migrate(url: str) -> None:
    from identity.store.postgres.schema import migrate_finished

    migrate_finished(url)


def _announce(address: str) -> None:
    _console.print(f"Onefold is ready on {address}")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
