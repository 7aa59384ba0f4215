"""One server for all tests over HTTP that a process runs; each test has a space of its own in it.

The fixtures are those of every folder: a folder that had its own would start a server of its own.
"""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from psycopg import sql

from app.settings import Settings
from identity.store.embedded.server import OWNER_ROLE, EmbeddedPostgres
from identity.values.enums import SpaceMark
from identity.values.ids import private
from identity.vault.epoch_key_store import KeyStore
from identity.vault.keyring import Keyring
from identity.vault.root_keys import file_root
from tests.conftest import ONEFOLD, Running, administer, launch
from tests.support.http.api_contract import api_contract
from tests.support.processes.forked_worker import workers_of
from tests.support.webhooks.tls_server import HOST, OK, authority
from tests.support.webhooks.webhook_receiver import Receiver, receiving

_numbers = count()
PURPOSES = {"purposes": [{"id": "Marketing", "class": "ads"}]}
# What a hosts file would say on a machine of one's own.
HOSTS = f"""
import socket
asked = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: asked("127.0.0.1" if host == "{HOST}" else host, *rest, **more)
"""
Suppress = Callable[["Shop", str, str], None]


@dataclass
class Shop:
    """A space of a running server, with a client and its keys."""

    client: httpx.Client
    space_id: str
    name: str
    keys: dict[str, str]

    def ask(self, method: str, path: str, key: str = "admin", **given: Any) -> httpx.Response:
        """A request with one of the keys; the path goes out as it is written."""
        headers = {"Authorization": f"Bearer {self.keys[key]}", **given.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **given)

    def send(self, *calls: dict[str, Any], key: str = "import") -> list[dict[str, Any]]:
        """Calls as one batch; returns their outcomes."""
        prefer = {"Prefer": "return=representation"}
        answer = self.ask("POST", "/v1/batch", key, json={"batch": calls}, headers=prefer)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["outcomes"])


@pytest.fixture(scope="session")
def live_database(postgres: EmbeddedPostgres, template: str) -> str:
    """The owner's URL of the database under the shared server."""
    # A folder that borrows these fixtures has a server of its own.
    name = f"live_{secrets.token_hex(4)}"
    create = sql.SQL("create database {} owner {} template {}")
    administer(postgres, create.format(*(sql.Identifier(each) for each in (name, OWNER_ROLE, template))))
    return postgres.url(name)


@pytest.fixture(scope="session")
def live(live_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The shared server."""
    folder = tmp_path_factory.mktemp("live") / "data"
    # Limits have servers of their own; here they would only hide what a test or a fuzzer is after.
    unlimited = {f"ONEFOLD_{name}": "0" for name in ("COLLECT_RATE", "READ_RATE", "MISS_RATE", "UNKNOWN_KEY_KIB")}
    running = launch([*ONEFOLD, "serve"], folder, {"ONEFOLD_DATABASE_URL": live_database, **unlimited})
    yield running
    running.process.terminate()
    running.process.wait(30)
    assert running.process.stdout
    running.process.stdout.close()


@pytest.fixture(scope="session")
def client(live: Running) -> Iterator[httpx.Client]:
    """A client of the shared server; an answer that is not documented fails the test that receives it."""
    with httpx.Client(base_url=live.url, timeout=60, event_hooks={"response": [api_contract().hook]}) as client:
        yield client


@pytest.fixture
def operator(live: Running) -> dict[str, str]:
    """The header of the operator."""
    return {"Authorization": f"Bearer {live.admin_token}"}


@pytest.fixture
def shop(client: httpx.Client, operator: dict[str, str]) -> Shop:
    """A fresh space."""
    return new_shop(client, operator)


@pytest.fixture
def other_shop(client: httpx.Client, operator: dict[str, str]) -> Shop:
    """A second fresh space, foreign to the first."""
    return new_shop(client, operator)


@pytest.fixture
def rows(live_database: str) -> Iterator[psycopg.Connection[Any]]:
    """The database under the shared server, as its owner."""
    with psycopg.connect(live_database, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def common_shop(client: httpx.Client, live: Running) -> Shop:
    """A space for the tests of a module that read, are refused, or do not mind what other tests left in it."""
    return new_shop(client, {"Authorization": f"Bearer {live.admin_token}"})


@pytest.fixture(scope="module")
def other_common_shop(client: httpx.Client, live: Running) -> Shop:
    """A second such space, foreign to the first."""
    return new_shop(client, {"Authorization": f"Bearer {live.admin_token}"})


AUDIT = """(
    SELECT l.space_id, e ->> 'actor' AS actor, e ->> 'action' AS action, e ->> 'subject' AS subject
    FROM ledger l, LATERAL (SELECT convert_from(l.entry, 'UTF8')::jsonb) AS j (e)
)"""
"""The entries of the ledger as a table."""


@pytest.fixture
def suppress(live: Running, rows: psycopg.Connection[Any]) -> Suppress:
    """Puts an identifier into the suppression list of a space."""
    settings = Settings(data_dir=live.data_dir)
    root = file_root(settings.root_key_file, create=False)
    keyring = Keyring(root, KeyStore.open(settings.key_folder, root))

    def suppress(shop: Shop, type_: str, value: str) -> None:
        public_id = private("spc", shop.space_id)
        assert public_id is not None
        key = keyring.space(public_id).suppression(type_, value)
        rows.execute(
            """
            INSERT INTO suppression (key, space_id, bucket)
            SELECT %s, id, bucket_base FROM space WHERE public_id = %s
            """,
            [key, public_id.hex()],
        )
        rows.execute(
            "UPDATE space_gate SET marks = %s WHERE space_id = (SELECT id FROM space WHERE public_id = %s)",
            [SpaceMark.SUPPRESSED, public_id.hex()],
        )

    return suppress


def new_shop(client: httpx.Client, operator: dict[str, str]) -> Shop:
    """A fresh space, whose name is its own."""
    name = f"shop {os.getpid()}-{next(_numbers)}"
    answer = client.post("/v1/spaces", json={"name": name}, headers=operator)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    return Shop(client, made["space_id"], name, made["keys"])


def log_of(running: Running) -> Path:
    """The log of a server."""
    return running.data_dir.with_name(running.data_dir.name + ".log")


@dataclass
class Deployment:
    """A server of two worker processes, that may call the receiver."""

    url: str
    running: Running
    receiver: Receiver

    def rows(self, question: str, *given: Any) -> list[Any]:
        """Rows as the owner of the database sees them."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(question.encode(), given)
            return cursor.fetchall() if cursor.description else []

    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        return workers_of(psutil.Process(self.running.process.pid))


@pytest.fixture(scope="session")
def deployment(
    postgres: EmbeddedPostgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """The deployment of all tests here; each has a space of its own in it."""
    name = f"push_{secrets.token_hex(4)}"
    create = sql.SQL("create database {} owner {} template {}")
    administer(postgres, create.format(*(sql.Identifier(each) for each in (name, OWNER_ROLE, template))))
    folder = tmp_path_factory.mktemp("push")
    (folder / "authority.pem").write_bytes(authority().pem())
    (folder / "hosts").mkdir()
    (folder / "hosts" / "sitecustomize.py").write_text(HOSTS)
    with receiving() as receiver:
        environment = {
            "ONEFOLD_DATABASE_URL": postgres.url(name),
            "ONEFOLD_WORKERS": "2",
            "ONEFOLD_CALLBACK_NETWORKS": "127.0.0.1/32",
            "ONEFOLD_CALLBACK_PORTS": str(receiver.server.port),
            "ONEFOLD_CALLBACK_CA": str(folder / "authority.pem"),
            "PYTHONPATH": str(folder / "hosts"),
        }
        running = launch([*ONEFOLD, "serve"], folder / "data", environment)
        yield Deployment(postgres.url(name), running, receiver)
        running.process.terminate()
        running.process.wait(30)
        assert running.process.stdout
        running.process.stdout.close()


@pytest.fixture
def calling(deployment: Deployment) -> Iterator[Shop]:
    """A space with a purpose, and a receiver without any message yet."""
    running, receiver = deployment.running, deployment.receiver
    receiver.answer, receiver.secrets, receiver.forged, receiver.before = OK, [], 0, lambda _: None
    receiver.raw = lambda *_: None
    for kept in (receiver.ids, receiver.messages, receiver.held, receiver.statuses):
        kept.clear()
    with httpx.Client(base_url=running.url, timeout=60, event_hooks={"response": [api_contract().hook]}) as client:
        made = new_shop(client, {"Authorization": f"Bearer {running.admin_token}"})
        assert made.ask("PUT", "/v1/purposes", json=PURPOSES).status_code == 200
        yield made
        for each in made.ask("GET", "/v1/destinations").json()["destinations"]:
            made.ask("DELETE", f"/v1/destinations/{each['name']}")


def until(so: Callable[[], object]) -> None:
    """Wait for something to be so; the limit only ends a wait that is in vain, on the slowest machine too."""
    end = time.monotonic() + 240
    while not so():
        assert time.monotonic() < end
        time.sleep(0.05)
