"""A server with its Postgres that tests kill in part or whole, start again, and compare with its rows."""

import random
import secrets
import subprocess
import time
from pathlib import Path

import httpx
import psutil
import psycopg

from app.commands import tour
from identity.store.embedded import postmaster
from identity.store.embedded.data_directory import locate
from identity.store.embedded.server import EmbeddedPostgres
from identity.values.ids import private
from identity.vault.epoch_key_store import KeyStore
from identity.vault.keyring import Keyring
from identity.vault.root_keys import file_root
from tests.conftest import ONEFOLD, Running, launch
from tests.support.integrity.replay import differences
from tests.support.integrity.stored_rows import Stored
from tests.support.processes.forked_worker import workers_of


class Victim:
    """One data directory and whatever runs on it."""

    def __init__(self, data_dir: Path, workers: int) -> None:
        self.data_dir = data_dir.resolve()
        self.workers = workers
        self._token = secrets.token_hex(16)
        self.running = self._launch()

    def _launch(self) -> Running:
        environment = {"ONEFOLD_WORKERS": str(self.workers), "ONEFOLD_COLLECT_RATE": "0"}
        return launch([*ONEFOLD, "serve"], self.data_dir, environment, token=self._token)

    def space(self) -> tuple[str, str]:
        """A new space: its public id and its import key."""
        made = tour.create_space(self.running.url, self._token, "crash")
        return made.space_id, made.keys["import"]

    def again(self) -> str:
        """Start the server where it is gone; returns its address."""
        if self.running.process.poll() is not None:
            self._reap()
            self.running = self._launch()
        return self.running.url

    def stop(self) -> int:
        """Ask it to stop; returns its exit status."""
        return self.running.stop()

    def close(self) -> None:
        """Leave nothing running, whatever a failed test left."""
        if self.running.process.poll() is None:
            self.running.stop()
        self._reap()
        if self._postmaster():
            with EmbeddedPostgres(self.data_dir):
                pass

    def _reap(self) -> None:
        if self.running.process.stdout:
            self.running.process.stdout.close()

    # What can be killed. Each returns once the order is given.

    def kill_server(self) -> None:
        """The server with its workers; Postgres goes on without an owner."""
        for each in self.servers():
            _kill(each)
        self.running.process.wait()

    def kill_parent(self) -> None:
        """Only the process that holds the port and watches the rest."""
        self.running.kill()

    def kill_worker(self) -> None:
        """One worker process (with one worker, it is the server)."""
        workers = self.servers()[1:]
        if not workers:
            self.kill_server()
        else:
            _kill(random.choice(workers))

    def kill_postmaster(self) -> None:
        """The first process of Postgres; the others notice and go."""
        _kill(self._postmaster())

    def kill_backend(self) -> None:
        """One process that serves a connection: Postgres recovers by itself."""
        main = self._postmaster()
        children = main.children() if main else []
        _kill(random.choice(children) if children else None)

    def kill_postgres(self) -> None:
        """Every process of Postgres at once."""
        main = self._postmaster()
        for each in [main, *(main.children() if main else [])]:
            _kill(each)

    def kill_everything(self) -> None:
        """Ends all processes at once, as a power cut does."""
        main = self._postmaster()
        postgres = [main, *(main.children() if main else [])]
        for each in [*self.servers(), *postgres]:
            _kill(each)
        self.running.process.wait()

    def servers(self) -> list[psutil.Process]:
        """The server's own processes, the parent first."""
        if self.running.process.poll() is not None:
            return []
        parent = psutil.Process(self.running.process.pid)
        return [parent, *workers_of(parent)]

    def _postmaster(self) -> psutil.Process | None:
        return postmaster.find(self.data_dir / "postgres")

    # What is looked into.

    def stored(self, space: str) -> tuple[list[str], list[str]]:
        """The messageIds that a space holds, and how its rows differ from the replay of its calls."""
        postgres = EmbeddedPostgres(self.data_dir)
        url = postgres.attach()
        root = file_root(self.data_dir / "root-key", create=False)
        keyring = Keyring(root, KeyStore.open(self.data_dir / "keys", root))
        id_ = private("spc", space)
        assert id_
        number = _number(url, id_)
        log = Stored(url, keyring, number).log
        return [each.kept_call.message_id for each in log], differences(url, keyring, number)

    def state(self) -> str:
        """The state of the stopped cluster, from pg_controldata."""
        cluster = locate(self.data_dir)
        output = subprocess.run(
            [str(cluster.programs / "bin" / "pg_controldata"), "-D", str(cluster.data)],
            env={"LC_ALL": "C"}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        lines = dict(line.split(":", 1) for line in output.stdout.splitlines())
        return lines["Database cluster state"].strip()

    def wait_ready(self) -> None:
        """Returns once a call to the server is answered by its database again."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            try:
                if httpx.get(self.running.url + "/readyz", timeout=60).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError("the server did not recover")


def _kill(process: psutil.Process | None) -> None:
    try:
        if process:
            process.kill()
    except psutil.NoSuchProcess:
        pass


def _number(url: str, id_: bytes) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT id FROM space WHERE public_id = %s", [id_.hex()]).fetchone()
    assert found
    return int(found[0])
