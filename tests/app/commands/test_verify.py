"""`onefold verify`: its status, what it prints, and what it leaves as it was."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg

from app.commands import tour
from identity.store.embedded import postmaster
from tests.conftest import ONEFOLD, Running, launch
from tests.support.processes.command_line import onefold

PLANTED = "planted-7f3a"


def fill(running: Running) -> str:
    """A space with a person in it; returns its id."""
    made = tour.create_space(running.url, running.admin_token, "verified")
    calls = [
        {"type": "identify", "userId": PLANTED, "anonymousId": "a1", "traits": {"email": f"{PLANTED}@x.org"}},
        {"type": "track", "event": PLANTED, "anonymousId": "a2"},
        {"type": "identify", "userId": PLANTED, "anonymousId": "a2"},
    ]
    answer = httpx.post(
        running.url + "/v1/batch",
        json={"batch": calls},
        headers={"Authorization": f"Bearer {made.keys['import']}"},
        timeout=60,
    )
    assert answer.status_code == 200
    return str(made.space_id)


def test_verify_names_every_difference(server: Callable[..., Running], database: str) -> None:
    """Status 0 and one line a space while all is well; status 1 and every difference otherwise."""
    running = server()
    spaces = [fill(running), fill(running)]
    at = {"ONEFOLD_DATABASE_URL": database, "ONEFOLD_DATA_DIR": str(running.data_dir)}
    status, out, error = onefold("verify", **at)
    assert (status, error) == (0, "")
    assert [line.split(" (")[0] for line in out.splitlines()] == [f"{space}: nothing differs" for space in spaces]
    assert "2 profiles, 4 identifiers" in out.splitlines()[0]

    with psycopg.connect(database, autocommit=True) as connection:
        (damaged,) = connection.execute(
            "UPDATE profile SET version = version + 1 "
            "WHERE head = profile_id AND space_id = (SELECT max(id) FROM space) RETURNING canonical"
        ).fetchone() or ("",)
        (head,) = connection.execute("SELECT head FROM profile WHERE profile_id = %s", [damaged]).fetchone() or ("",)
    status, out, error = onefold("verify", **at)
    assert (status, error) == (1, "")
    assert f"version_untold: prf_{head.hex}" in out.splitlines()
    assert "The last feed entry has another profile version." in out
    assert f"{spaces[0]}: nothing differs" in out
    assert PLANTED not in out

    status, out, _ = onefold("verify", spaces[0], **at)
    assert (status, len(out.splitlines())) == (0, 1)
    status, out, error = onefold("verify", spaces[0], "spc_" + "0" * 32, **at)
    assert (status, out) == (1, "")
    assert error.startswith(f"onefold: There is no space spc_{'0' * 32}. The spaces are: ")
    assert all(space in error for space in spaces)


def test_verify_runs_beside_a_server(migrated_data: Path, processes: list[Running]) -> None:
    """It attaches to the embedded Postgres of the server, which keeps running."""
    running = launch([*ONEFOLD, "serve"], migrated_data)
    processes.append(running)
    space = fill(running)

    status, out, _ = onefold("verify", "--data-dir", str(running.data_dir))

    assert (status, out.split(" (")[0]) == (0, f"{space}: nothing differs")
    assert httpx.get(running.url + "/readyz", timeout=60).status_code == 200
    assert running.stop() == 0
    status, again, _ = onefold("verify", "--data-dir", str(running.data_dir))
    assert (status, again) == (0, out)
    assert postmaster.find(running.data_dir.resolve() / "postgres") is None


def test_a_missing_data_directory_is_an_error(tmp_path: Path) -> None:
    """It is not created."""
    missing = tmp_path / "none"
    status, out, error = onefold("verify", "--data-dir", str(missing))

    assert (status, out, error) == (
        1,
        "",
        f"onefold: There is no data directory {missing}. Name it with --data-dir, or set ONEFOLD_DATABASE_URL.\n",
    )
    assert not missing.exists()


def test_a_database_of_another_version_is_an_error_with_a_remedy(database: str) -> None:
    """The message names the command."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    status, _, error = onefold("verify", ONEFOLD_DATABASE_URL=database)

    assert (status, "run `onefold migrate`" in error) == (1, True)


def test_without_spaces_nothing_differs(database: str) -> None:
    """The status is 0."""
    status, out, _ = onefold("verify", ONEFOLD_DATABASE_URL=database)

    assert (status, out) == (0, "There is no space yet.\n")


def test_without_a_key_store_verify_says_that_it_checked_no_keys(server: Callable[..., Running], database: str) -> None:
    """The audit of the rows is made all the same, and its status is not that of a whole one. So without a root key."""
    running = server()
    fill(running)
    nowhere = str(running.data_dir / "nowhere")
    status, out, _ = onefold("verify", ONEFOLD_DATABASE_URL=database, ONEFOLD_KEY_STORE=nowhere)

    first, *rest = out.splitlines()
    assert (status, rest) == (2, [f"There is no key store in {nowhere}, so the keys were not checked."])
    assert "nothing differs in the rows, and the keys were not checked" in first

    held = {"ONEFOLD_DATABASE_URL": database, "ONEFOLD_DATA_DIR": str(running.data_dir)}
    assert onefold("verify", **held)[0] == 0
    status, out, _ = onefold("verify", **held, ONEFOLD_ROOT_KEY=b64encode(bytes(range(100, 132))).decode())
    assert (status, "sealed values and the journal were not checked" in out) == (2, True)
