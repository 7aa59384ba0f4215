"""Attacks 53 to 58, 63 and 64: wrong, missing and old keys, keys in files and logs, and a clock set back.

One deployment goes through them all, since each needs a server of its own and starting one takes seconds.
"""

import asyncio
import base64
import secrets
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg

from app.settings import Settings
from identity.operations.keys.roll_epoch_keys import roll
from identity.operations.spaces.open_spaces import open_spaces
from identity.values.ids import SpaceNumber
from identity.vault.epoch_key_store import KeyStore
from identity.vault.keyring import Keyring
from identity.vault.root_keys import file_root
from tests.app.conftest import Shop, log_of, new_shop
from tests.conftest import Running, launch
from tests.support.processes.command_line import onefold

Start = Callable[..., Running]


class Deployment:
    """A database and a data directory, the server that runs on them, and a space in it."""

    def __init__(self, start: Start, database: str) -> None:
        self.start = start
        self.database = database
        self.running = start(ONEFOLD_LOG_LEVEL="debug")
        self.folder = self.running.data_dir
        self.keys = self.folder / "keys"
        self.client = httpx.Client(base_url=self.running.url, timeout=60)
        self.shop = new_shop(self.client, {"Authorization": f"Bearer {self.running.admin_token}"})

    def moved_to(self, running: Running) -> Shop:
        """The same space, on a server that was started anew."""
        self.running = running
        self.client.close()
        self.shop.client = self.client = httpx.Client(base_url=running.url, timeout=60)
        return self.shop

    def rows(self, query: str) -> list[Any]:
        """What the database answers its owner."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def minted(self) -> tuple[list[Any], list[Any]]:
        """Every wrapped key in the database."""
        return (
            self.rows("SELECT space_id, slot, epoch, wrapped FROM slot_key ORDER BY 1, 2"),
            self.rows("SELECT key_id, wrapped FROM subject_key ORDER BY 1"),
        )

    async def roll(self) -> None:
        """A roll of its epoch key, as the command makes one."""
        settings = Settings(data_dir=self.folder)
        spaces = await open_spaces(
            self.database, root_file=settings.root_key_file, root_value=None, key_store=settings.key_folder
        )
        await roll(spaces, await spaces.get(SpaceNumber(1)))
        await spaces.database.close()

    def files(self) -> dict[Path, bytes]:
        """Every file of the key store, and the root key."""
        found = [*self.keys.rglob("*"), self.folder / "root-key"]
        return {path: path.read_bytes() for path in found if path.is_file()}


def keys_in_what_is_written(on: Deployment) -> None:
    """63: however much is logged and whatever goes wrong, no line holds a key, a secret or a token."""
    on.shop.send({"type": "identify", "userId": "eve"})
    ((slot, epoch, wrapped, key_id, subject), *_) = on.rows(
        "SELECT s.slot, w.epoch, w.wrapped, s.key_id, s.wrapped FROM subject_key s"
        " JOIN slot_key w ON w.space_id = s.space_id AND w.slot = s.slot"
    )
    on.rows("UPDATE profile_identifier SET value = value || '\\x00'")
    assert on.shop.ask("GET", "/v1/profiles/user_id:eve").status_code == 503
    on.rows("UPDATE profile_identifier SET value = substr(value, 1, length(value) - 1)")
    settings = Settings(data_dir=on.folder)
    root = file_root(settings.root_key_file, create=False)
    space = Keyring(root, KeyStore.open(settings.key_folder, root)).space(
        bytes.fromhex(on.shop.space_id.removeprefix("spc_"))
    )
    held = space.slot(slot, epoch, bytes(wrapped)).unwrap(key_id.bytes, bytes(subject))
    raw = [base64.b64decode(settings.root_key_file.read_text()), held._key]
    forms = [form for key in raw for form in (key, key.hex().encode(), base64.b64encode(key)[:-2], repr(key).encode())]
    forms += [secret.encode() for secret in (*on.shop.keys.values(), on.running.admin_token)]
    written = log_of(on.running).read_bytes()
    assert b"503" in written
    assert [form for form in forms if form in written] == []


def a_key_store_that_went_away(on: Deployment) -> None:
    """55 to 57: what needs it is 503 and is sent again, nothing is minted meanwhile; who was erased then is gone."""
    shop, elsewhere = on.shop, on.folder / "elsewhere"
    shop.send({"type": "identify", "userId": "carl"})
    before = on.minted()
    on.keys.rename(elsewhere)
    operator = {"Authorization": f"Bearer {on.running.admin_token}"}
    assert shop.client.get("/readyz").status_code == 503
    assert shop.client.post("/v1/spaces", json={"name": "x"}, headers=operator).status_code == 503
    assert shop.ask("GET", "/v1/profiles/user_id:ann").status_code == 200
    wanted: dict[str, Any] = {"json": {"identifiers": ["user_id:carl"]}, "headers": {"Idempotency-Key": "case-1"}}
    assert shop.ask("POST", "/v1/erasures", "privacy", **wanted).status_code == 503
    assert [set(now) - set(then) for now, then in zip(on.minted(), before, strict=True)] == [set(), set()]
    assert not on.keys.exists()
    elsewhere.rename(on.keys)
    done = shop.ask("POST", "/v1/erasures", "privacy", **wanted)
    assert (done.status_code, done.json()["erasures"][0]["internal"]) == (202, "finished")
    assert shop.ask("GET", "/v1/profiles/user_id:carl").status_code == 404


def a_root_that_is_none(on: Deployment) -> None:
    """53, 54: with another root key, or none, it does not start, says so without quoting it, and writes nothing."""
    kept = on.files(), on.minted()
    for wrong in (base64.b64encode(secrets.token_bytes(32)).decode(), "changeme"):
        own = {"ONEFOLD_DATABASE_URL": on.database, "ONEFOLD_DATA_DIR": str(on.folder), "ONEFOLD_PORT": "0"}
        status, out, error = onefold("serve", **own, ONEFOLD_ROOT_KEY=wrong)
        assert (status, out) in ((1, ""), (3, "")), error
        assert wrong not in error
        assert (on.files(), on.minted()) == kept


def test_attacks_on_keys(server: Start, database: str, processes: list[Running]) -> None:
    """A deployment that is attacked by way of its keys opens nothing, mints nothing wrong, and is whole afterwards."""
    on = Deployment(server, database)
    shop, old, new = on.shop, on.folder / "old", on.folder / "new"
    shop.send({"type": "identify", "userId": "ann", "traits": {"plan": "pro"}})
    keys_in_what_is_written(on)
    a_key_store_that_went_away(on)
    made = shop.ask("POST", "/v1/keys", json={"name": "k", "scopes": ["profiles:read"]}).json()
    shop.keys["revoked"] = made["secret"]
    shop.ask("DELETE", f"/v1/keys/{made['key_id']}")
    exported = shop.ask("POST", "/v1/exports", "privacy", json={"identifiers": ["user_id:ann"]}).json()
    shop.ask("GET", f"/v1/exports/{exported['export_id']}?wait=30", "privacy")
    assert shop.ask("GET", exported["download_url"], "privacy").status_code == 200
    shutil.copytree(on.keys, old)
    shop.send({"type": "identify", "userId": "bob"})
    shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["user_id:bob"], "suppress": False})
    before = shop.ask("GET", "/v1/profiles/user_id:ann").json()
    assert on.running.stop() == 0
    asyncio.run(on.roll())
    a_root_that_is_none(on)

    # 58: a key store from before the roll opens nothing and mints nothing.
    on.keys.rename(new)
    old.rename(on.keys)
    minted_before = on.minted()
    on.moved_to(server())
    assert shop.ask("GET", "/v1/profiles/user_id:ann").status_code == 503
    assert shop.ask("POST", "/v1/identify", "import", json={"userId": "dan"}).status_code == 503
    assert on.minted() == minted_before
    assert on.running.stop() == 0

    # 64: with the newest all is there, also where the clock goes back by a year.
    on.keys.rename(old)
    new.rename(on.keys)
    command = [sys.executable, "-m", "tests.end_to_end.attacks.clock_set_back", "serve"]
    late = launch(command, on.folder, {"ONEFOLD_DATABASE_URL": database}, token=on.running.admin_token)
    processes.append(late)
    on.moved_to(late)
    assert shop.ask("GET", "/v1/profiles/user_id:ann").json() == before
    assert shop.ask("GET", "/v1/profiles/user_id:ann", "revoked").status_code == 401
    assert shop.ask("GET", exported["download_url"], "privacy").status_code == 404
    (outcome,) = shop.send({"type": "identify", "userId": "ann", "traits": {"plan": "team"}})
    assert outcome["status"] == "accepted"
    after = shop.ask("GET", "/v1/profiles/user_id:ann").json()
    assert (after["version"], after["updated_at"]) > (before["version"], before["updated_at"])
    # By its own clock it happened before bob was erased.
    assert shop.send({"type": "identify", "userId": "bob"})[0]["status"] == "suppressed"
    on.client.close()
