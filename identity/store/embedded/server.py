"""Starts, adopts, recovers and stops the embedded Postgres; one process at a time owns the server.

The holder of the lock on the data directory owns the postmaster and alone stops the postmaster; every other process
attaches. A postmaster outlives the death of its owner and is adopted by the next one. The server listens on a unix
socket in a private folder only, and shuts down through a checkpoint.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from identity.store.embedded import postmaster
from identity.store.embedded.data_directory import PORT, SUPERUSER, Cluster, configure, ensure, locate
from identity.store.embedded.postmaster import private_folder
from identity.values.database_roles import APP_ROLE
from identity.values.errors import DatabaseUnavailable, Misconfigured

DATABASE = "onefold"
OWNER_ROLE = "onefold"

_LOCK = "owner.lock"
_RECOVERY = 900.0  # seconds; replaying 4 GB of WAL takes a minute or two
_CHECKPOINT = 300.0
_DYING = 30.0  # the last process of a killed postmaster is gone long before
_PAUSE = 0.05
_ATTEMPTS = 5


class EmbeddedPostgres:
    """The Postgres of one data directory. Not thread-safe; synchronous, for before the event loop."""

    def __init__(self, data_dir: Path) -> None:
        self.owner = False
        self._root = data_dir.expanduser().resolve()
        self._lock: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None

    def start(self) -> str:
        """Own the data directory and have Postgres running on it; returns the owner's URL.

        Raises Misconfigured when another process owns it or it cannot be used, DatabaseUnavailable
        when Postgres does not come up (the message names its log file).
        """
        self.claim()
        try:
            self._run()
            self._furnish()
        except BaseException:
            self.stop()
            raise
        return self.url()

    def claim(self) -> None:
        """Own the data directory until `stop`. Misconfigured when another process owns it or it cannot be used."""
        if not self._claim():
            pid = (self._root / _LOCK).read_text()
            raise Misconfigured(
                f"Another Onefold process ({pid}) runs on the data directory {self._root}; "
                "stop it, or choose another with --data-dir."
            )

    def attach(self) -> str:
        """Use the Postgres that another process owns; returns the owner's URL.

        Waits while it is coming up. Raises DatabaseUnavailable when nobody runs it.
        """
        deadline = time.monotonic() + _RECOVERY
        while time.monotonic() < deadline:
            if self._postmaster() and (folder := postmaster.sockets(self._root / "postgres")):
                self._sockets = folder
                if self._answers(DATABASE):
                    return self.url()
            elif not self._held():
                break
            time.sleep(_PAUSE)
        raise DatabaseUnavailable(f"No Onefold runs on the data directory {self._root}; start it first.")

    def join(self) -> str:
        """Start it, or attach to it where another process owns it; returns the owner's URL."""
        if self.owner or self._claim():
            return self.start()
        return self.attach()

    def revive(self) -> bool:
        """Start a postmaster that died again, at the same address; returns whether it had died."""
        if not self.owner or self._postmaster():
            return False
        self._run()
        return True

    def stop(self) -> None:
        """End sessions, write a checkpoint, stop; only the owner does anything. Safe to repeat."""
        if self._lock is None:
            return
        for order, patience in (
            (signal.SIGINT, _CHECKPOINT),
            (signal.SIGQUIT, _DYING),
            (signal.SIGKILL, _DYING),
        ):
            if not (process := self._postmaster()):
                break
            process.send_signal(order)
            self._wait_gone(patience)
        if self._sockets:
            shutil.rmtree(self._sockets, ignore_errors=True)
        os.close(self._lock)
        self._lock, self.owner = None, False

    def url(self, database: str = DATABASE, user: str = OWNER_ROLE) -> str:
        """The address of a database of this server, for a role of it."""
        return f"postgresql://{user}@/{database}?host={quote(str(self._sockets), safe='')}&port={PORT}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _claim(self) -> bool:
        if self._lock is not None:
            return True
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._root / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as refused:
            raise Misconfigured(f"The data directory {self._root} cannot be written to.") from refused
        for _ in range(_ATTEMPTS):  # an attaching process tries the lock for a moment
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(_PAUSE)
        else:
            os.close(lock)
            return False
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        self._lock, self.owner = lock, True
        return True

    def _held(self) -> bool:
        try:
            lock = os.open(self._root / _LOCK, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _run(self) -> None:
        """Adopt the postmaster that is there, or start one; returns once it takes connections."""
        cluster = locate(self._root)
        ensure(cluster)
        orphan = postmaster.find(cluster.data)
        self._sockets = (postmaster.sockets(cluster.data) if orphan else None) or private_folder(cluster)
        settings = configure(cluster, self._sockets)
        if orphan:
            orphan.send_signal(signal.SIGHUP)
        else:
            self._spawn(cluster, settings)
        begun = time.monotonic()
        while not self._answers(SUPERUSER):
            waited = time.monotonic() - begun
            if not self._postmaster():
                # Either the orphan was on its way out, or the last processes of a killed
                # postmaster still hold its memory; anything else will not get better.
                still_held = "still in use" in cluster.output.read_text(errors="replace")
                if waited > _DYING or (self._child and not still_held):
                    raise DatabaseUnavailable(
                        f"The embedded Postgres does not start; see {cluster.output} and {cluster.logs}"
                    )
                self._spawn(cluster, settings)
            if waited > _RECOVERY:
                raise DatabaseUnavailable(f"The embedded Postgres does not answer; see {cluster.logs}")
            time.sleep(_PAUSE)

    def _spawn(self, cluster: Cluster, settings: Path) -> None:
        postmaster.forget(cluster.data)
        self._sockets = private_folder(cluster)
        with cluster.output.open("wb") as output:
            # The data directory is named twice, so that `ps` shows which cluster this is.
            self._child = cluster.launch(
                "postgres", "-D", str(cluster.data), "-c", f"config_file={settings}", output=output
            )

    def _postmaster(self) -> psutil.Process | None:
        if self._child and self._child.poll() is None:
            return psutil.Process(self._child.pid)
        return postmaster.find(self._root / "postgres")

    def _wait_gone(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while self._postmaster() and time.monotonic() < deadline:
            time.sleep(_PAUSE)

    def _answers(self, database: str) -> bool:
        try:
            psycopg.connect(self.url(database, SUPERUSER), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _furnish(self) -> None:
        """Make the two roles and the database, unless they are there."""
        with psycopg.connect(self.url(SUPERUSER, SUPERUSER), autocommit=True) as connection:
            rights = {OWNER_ROLE: sql.SQL("login createrole"), APP_ROLE: sql.SQL("login")}
            roles = {name for (name,) in connection.execute("select rolname from pg_roles")}
            for role, may in rights.items():
                if role not in roles:
                    connection.execute(sql.SQL("create role {} {}").format(sql.Identifier(role), may))
            # The owner may become the service's role, and never acts with its rights unasked.
            granted = sql.SQL("grant {} to {} with inherit false, set true")
            connection.execute(granted.format(sql.Identifier(APP_ROLE), sql.Identifier(OWNER_ROLE)))
            if not connection.execute("select from pg_database where datname = %s", [DATABASE]).rowcount:
                names = {"base": sql.Identifier(DATABASE), "owner": sql.Identifier(OWNER_ROLE)}
                connection.execute(sql.SQL("create database {base} owner {owner}").format(**names))
