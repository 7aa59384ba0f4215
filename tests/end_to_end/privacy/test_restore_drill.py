"""A restore drill: backup, erasures and new data, restore; the erased stay erased and the rest is read."""

import json
import os
import shutil
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from app.commands import tour
from identity.operations.backup import backup_folder, restore_backup
from identity.store.backup import dump
from identity.store.backup.client_tools import ClientTools
from identity.store.embedded.data_directory import VERSION, locate
from tests.conftest import ONEFOLD, Running, launch
from tests.support.processes.command_line import onefold

ADDRESS = "shared@example.org"


class Drill:
    """A server on a database, a space with its keys, and the environment of the operator's commands."""

    def __init__(self, running: Running, **environment: str) -> None:
        self.running = running
        self.programs = locate(running.data_dir).programs / "bin"
        self.environment = {
            **environment, "ONEFOLD_DATA_DIR": str(running.data_dir), "PATH": f"{self.programs}:{os.environ['PATH']}",
        }  # fmt: skip
        self.space = tour.create_space(running.url, running.admin_token, "drill")

    def command(self, *words: str, **environment: str) -> tuple[int, str, str]:
        """Run a command of the operator."""
        return onefold(*words, **{**self.environment, **environment})

    def done(self, *words: str) -> str:
        """Run a command that succeeds; its output."""
        status, out, error = self.command(*words)
        assert (status, error) == (0, ""), out + error
        return out

    def ask(self, method: str, path: str, key: str, **given: Any) -> httpx.Response:
        """A request with a key of the space."""
        headers = {"Authorization": f"Bearer {self.space.keys[key]}"}
        return httpx.request(method, self.running.url + path, headers=headers, timeout=60, **given)

    def identify(self, *names: str) -> None:
        """People with a plan, each in a group of their own."""
        items: list[dict[str, Any]] = [{"type": "identify", "userId": name, "traits": {"plan": name}} for name in names]
        items += [{"type": "group", "userId": name, "groupId": f"of-{name}", "traits": {"n": 1}} for name in names]
        assert self.ask("POST", "/v1/batch", "import", json={"batch": items}).status_code == 200

    def erase(self, name: str) -> None:
        """Erase one person."""
        answer = self.ask("POST", "/v1/erasures", "privacy", json={"identifiers": [f"user_id:{name}"]})
        assert answer.status_code in {200, 202}, answer.text

    def share_address(self, name: str) -> None:
        """Give a person an e-mail address."""
        call = {"userId": name, "traits": {"email": ADDRESS}}
        assert self.ask("POST", "/v1/identify", "import", json=call).status_code == 200

    def block_address(self) -> None:
        """Remove the address from its profile, for good."""
        answer = self.ask("DELETE", f"/v1/identifiers/email:{ADDRESS}?block=true", "admin")
        assert answer.json()["found"] is True

    def statuses(self, *names: str) -> list[int]:
        """How a read of each person is answered."""
        return [self.ask("GET", f"/v1/profiles/user_id:{name}", "profiles").status_code for name in names]


@pytest.mark.timeout(600)
def test_a_restored_backup_keeps_the_erased_erased(
    migrated_data: Path, tmp_path: Path, processes: list[Running]
) -> None:
    """Embedded: a restore over the database, and one on a machine that has nothing but the backup."""
    running = launch([*ONEFOLD, "serve"], migrated_data)
    processes.append(running)
    drill = Drill(running)
    drill.identify("ann", "bea")
    drill.share_address("ann")
    backup = tmp_path / "backups" / "monday"
    out = drill.done("backup", str(backup))
    assert "does not hold the root key" in out
    assert "1 spaces" in out
    manifest = json.loads((backup / "manifest.json").read_text())
    assert {"database.dump", "keys/store"} <= set(manifest["files"])
    assert {path.stat().st_mode & 0o777 for path in [backup, *backup.rglob("*")]} <= {0o700, 0o600}
    assert [path.name for path in backup.parent.iterdir()] == ["monday"]

    drill.erase("bea")
    drill.identify("carl")
    drill.block_address()
    assert "epoch 2 is in force" in drill.done("keys", "roll")
    status, _, error = drill.command("restore", str(backup), "--replace")
    assert (status, "Another Onefold process" in error) == (1, True)
    status, _, error = drill.command("reset", "--confirm")
    assert (status, "Another Onefold process" in error) == (1, True)
    assert running.stop() == 0

    status, _, error = drill.command("restore", str(backup))
    assert (status, "Add --replace" in error) == (1, True)
    out = drill.done("restore", str(backup), "--replace")
    assert "stayed, and erasures after the backup hold" in out
    assert "is restored; 1 profiles" in out
    assert "nothing differs (1 profiles" in drill.done("verify")
    drill.running = again = launch([*ONEFOLD, "serve"], migrated_data, token=running.admin_token)
    processes.append(again)
    assert httpx.get(again.url + "/readyz", timeout=60).status_code == 200
    assert drill.statuses("ann", "bea", "carl") == [200, 404, 404]
    assert drill.ask("GET", f"/v1/profiles/email:{ADDRESS}", "profiles").status_code == 404
    assert again.stop() == 0
    assert drill.done("psql", "-At", "-c", "SELECT count(*), current_user FROM profile") == "1|onefold\n"

    elsewhere = {"ONEFOLD_DATA_DIR": str(tmp_path / "other")}
    status, _, error = drill.command("restore", str(backup), **elsewhere)
    assert (status, "There is no root key" in error, (tmp_path / "other").exists()) == (1, True, False)
    (tmp_path / "other").mkdir(mode=0o700)
    (tmp_path / "other" / "root-key").write_bytes((tmp_path / "data" / "root-key").read_bytes())
    (tmp_path / "other" / "root-key").chmod(0o600)
    status, out, _ = drill.command("restore", str(backup), **elsewhere)
    assert (status, "an erasure after that backup has to be made again" in out) == (0, True)
    assert drill.command("verify", **elsewhere)[0] == 0

    status, out, error = drill.command("reset", **elsewhere)
    assert (status, "no backup of this database can be read" in out, "--confirm" in error) == (1, True, True)
    assert drill.command("reset", "--confirm", **elsewhere)[0] == 0
    assert not (tmp_path / "other").exists()


def test_a_database_without_its_keys_is_not_ready_and_the_reason_names_the_command(
    server: Callable[..., Running], database: str, tmp_path: Path
) -> None:
    """A dump that is restored with the tools of Postgres alone: `keys overlay` makes it whole.

    A space without a dump of its keys needs none, and a space that was deleted since is named and then deleted again.
    """
    drill = Drill(server(), ONEFOLD_DATABASE_URL=database)
    tools = ClientTools(drill.programs, int(VERSION))
    drill.identify("ann", "bea")
    young, gone = (tour.create_space(drill.running.url, drill.running.admin_token, name) for name in ("young", "gone"))
    for space in (young, gone):
        call = {"userId": "u", "event": "E"}
        assert (
            httpx.post(
                f"{drill.running.url}/v1/track", auth=(space.keys["import"], ""), json=call, timeout=60
            ).status_code
            == 200
        )
    backup = tmp_path / "backup"
    drill.done("backup", str(backup), "--with-root-key")
    assert (backup / "root-key").read_bytes() == (drill.running.data_dir / "root-key").read_bytes()
    drill.erase("bea")
    drill.identify("carl")
    operator = {"Authorization": f"Bearer {drill.running.admin_token}"}
    path = f"{drill.running.url}/v1/spaces/{gone.space_id}?confirm=gone"
    assert httpx.delete(path, headers=operator, timeout=60).status_code == 204
    drill.done("keys", "roll", drill.space.space_id)
    status, _, error = drill.command("keys", "overlay")
    assert (status, "The key store is in use. Stop every server" in error) == (1, True)
    assert drill.running.stop() == 0
    dump.restore(database, tools, backup / "database.dump", lambda _: None)

    drill.running = server()
    answer = httpx.get(drill.running.url + "/readyz", timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (503, "keys_outdated")
    assert "onefold keys overlay" in answer.json()["detail"]
    answer = drill.ask("GET", "/v1/profiles/user_id:ann", "profiles")
    assert (answer.status_code, answer.json()["code"]) == (503, "keys_outdated")
    status, out, _ = drill.command("verify")
    assert (status, "epoch_missing: epoch 1" in out) == (1, True)
    assert drill.running.stop() == 0

    status, out, error = drill.command("keys", "overlay")
    assert (status, "keys of epoch 2 are in place" in out) == (1, True)
    assert f"{young.space_id}: the keys are of epoch 1 already; nothing to do" in out
    assert error.startswith(f"onefold: {gone.space_id} (gone): The key store holds neither keys nor journal")
    assert f"`onefold keys overlay --deleted {gone.space_id}`" in error
    status, _, again = drill.command("keys", "overlay", "--deleted")
    assert (status, again) == (1, error)
    assert f"{gone.space_id}: was deleted after the backup, and is deleted again" in drill.done(
        "keys", "overlay", "--deleted", gone.space_id
    )
    drill.running = server()
    assert httpx.get(drill.running.url + "/readyz", timeout=60).status_code == 200
    assert drill.statuses("ann", "bea", "carl") == [200, 404, 404]
    assert drill.command("verify")[0] == 0


def test_a_restore_that_did_not_end_is_served_by_nothing_and_is_repeated(
    server: Callable[..., Running], database: str, tmp_path: Path
) -> None:
    """Servers and commands refuse the rows until a second attempt, which pauses the destinations as the first would."""
    drill = Drill(server(), ONEFOLD_DATABASE_URL=database)
    drill.identify("ann")
    everybody = {"purposes": [], "without_consent": True}
    assert drill.ask("PUT", "/v1/destinations/mail", "admin", json=everybody).status_code in {200, 201}
    backup = tmp_path / "backup"
    drill.done("backup", str(backup))
    assert drill.running.stop() == 0
    restore_backup.restore_database(
        database,
        backup,
        backup_folder.read_manifest(backup),
        drill.running.data_dir / "keys",
        ClientTools(drill.programs, int(VERSION)),
        lambda *_: None,
        keys_placed=True,
    )

    for words in (("serve", "--port", "0"), ("verify",), ("keys", "overlay"), ("backup", str(tmp_path / "next"))):
        status, _, error = drill.command(*words)
        assert (status, "The last restore of this database did not end" in error) == (1, True), words

    assert "has to be made again" in drill.done("restore", str(backup)), "the first attempt put the keys in place"
    drill.running = server()
    assert httpx.get(drill.running.url + "/readyz", timeout=60).status_code == 200
    assert drill.ask("GET", "/v1/destinations/mail", "admin").json()["paused"] is True
    drill.done("verify")


def test_a_restore_with_keys_that_do_not_fit_writes_nothing(
    server: Callable[..., Running], database: str, tmp_path: Path
) -> None:
    """A wrong root key, a damaged key store, and keys that would be passed over are named before the first write."""
    drill = Drill(server(), ONEFOLD_DATABASE_URL=database)
    backup, other = tmp_path / "backup", tmp_path / "other"
    drill.done("backup", str(backup))
    assert drill.running.stop() == 0
    status, _, error = drill.command("restore", str(backup), "--replace", "--keys-from", str(backup))
    assert (status, "Leave --keys-from out" in error) == (1, True)

    other.mkdir(mode=0o700)
    (other / "root-key").write_text(b64encode(bytes(range(100, 132))).decode())
    (other / "root-key").chmod(0o600)
    status, _, error = drill.command("restore", str(backup), "--replace", ONEFOLD_DATA_DIR=str(other))
    assert (status, "The root key is not the one this key store was made with" in error) == (1, True)
    assert [path.name for path in other.iterdir()] == ["root-key"]

    (drill.running.data_dir / "keys" / "store").write_bytes(b"{")
    status, _, error = drill.command("restore", str(backup), "--replace")
    assert (status, "file is damaged" in error) == (1, True)
    for workers in ("1", "2"):
        status, _, error = drill.command("serve", "--port", "0", "--workers", workers)
        assert (status, "file is damaged" in error, len(error.splitlines())) == (1, True, 1), error
    shutil.copy(backup / "keys" / "store", drill.running.data_dir / "keys" / "store")
    drill.done("verify")


def test_a_damaged_or_half_made_backup_is_never_restored(
    server: Callable[..., Running], database: str, tmp_path: Path
) -> None:
    """Each file that is missing, altered or too much is named, and the database stays as it is."""
    drill = Drill(server(), ONEFOLD_DATABASE_URL=database)
    backup = tmp_path / "backup"
    drill.done("backup", str(backup))
    assert drill.running.stop() == 0
    status, _, error = drill.command("backup", str(backup))
    assert (status, "exists and is not empty" in error) == (1, True)

    target = backup / "database.dump"
    whole = target.read_bytes()
    for harm in (whole[:-1], whole[:50] + b"x" + whole[51:]):
        target.write_bytes(harm)
        status, _, error = drill.command("restore", str(backup), "--replace")
        assert (status, "database.dump is not as its manifest" in error) == (1, True)
    target.write_bytes(whole)
    (backup / "keys" / "more").write_bytes(b"")
    assert "keys/more" in drill.command("restore", str(backup), "--replace")[2]
    (backup / "manifest.json").unlink()
    assert "not a whole backup" in drill.command("restore", str(backup), "--replace")[2]
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM space").fetchone() == (1,)


def test_a_damaged_space_is_named_and_the_others_are_backed_up_on_request(
    server: Callable[..., Running], database: str, tmp_path: Path
) -> None:
    """Nothing is left out in silence: no backup without the word of the operator, and one that names the space."""
    drill = Drill(server(), ONEFOLD_DATABASE_URL=database)
    drill.identify("ann")
    other = tour.create_space(drill.running.url, drill.running.admin_token, "other")
    backup = tmp_path / "backup"
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE slot_key SET wrapped = sha256(wrapped) WHERE space_id = 1")
    for words in ((), ("--damaged", other.space_id)):
        status, _, error = drill.command("backup", str(backup), *words)
        assert (status, backup.exists(), f"--damaged {drill.space.space_id}:" in error) == (1, False, True)
        assert f"not every key of {drill.space.space_id} (drill) opens" in error
    out = drill.done("backup", str(backup), "--damaged", drill.space.space_id)
    assert f"{drill.space.space_id}: is in it as the space is" in out
    assert json.loads((backup / "manifest.json").read_text())["damaged"] == [drill.space.space_id]
    assert drill.running.stop() == 0
    assert f"{other.space_id}: is restored" in drill.command("restore", str(backup), "--replace")[1]
