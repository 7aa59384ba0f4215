"""An export by the command and by a job, and every line of its documentation."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app.commands import export, tour
from app.settings import Settings
from identity.values.errors import DestinationNotFound, Misconfigured, SpaceNotFound
from tests.app.conftest import Shop
from tests.conftest import Running
from tests.support.destinations.warehouse_export import DOCUMENT, PLANS, VIEWS
from tests.support.processes.command_line import onefold_in

COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL) for line in block.splitlines()]
SOLD = {
    "type": "identify",
    "userId": "ann",
    "traits": {"plan": "pro", "email": "ann@example.org"},
    "context": {"consent": {"categoryPreferences": {"Product": True}}},
}


def onefold(running: Running, database: str, words: list[str], folder: Path) -> tuple[int, str, str]:
    """Runs a command beside a server; its status, output and errors."""
    own = {"ONEFOLD_DATA_DIR": str(running.data_dir), "ONEFOLD_DATABASE_URL": database}
    return onefold_in(folder, *words, **own)


def test_the_documented_commands_and_queries_work(
    server: Callable[..., Running], database: str, tmp_path: Path
) -> None:
    """By the command line and by a job."""
    running = server(ONEFOLD_EXPORT_DIR=str(tmp_path / "served"))
    made = tour.create_space(running.url, running.admin_token, "demo")
    keys = {name.upper(): key for name, key in made.keys.items()}
    with httpx.Client(base_url=running.url, auth=(made.keys["import"], ""), timeout=60) as client:
        undecided = {"type": "identify", "userId": "eve", "traits": {"plan": "team"}}
        assert client.post("/v1/batch", json={"batch": [SOLD, undecided]}).status_code == 200
    printed = []
    for line in COMMANDS:
        if line.startswith(".venv/bin/onefold "):
            status, out, error = onefold(running, database, line.split()[1:], tmp_path)
            assert (status, error) == (0, "")
            printed.append(out)
            continue
        command = line.replace("http://127.0.0.1:8000", running.url).replace("curl -s", "curl -sf --noproxy '*'")
        done = subprocess.run(
            ["bash", "-c", command], env={**os.environ, **keys}, capture_output=True, text=True, check=True
        )
        printed.append(done.stdout)
    assert printed[2].startswith("warehouse: run 1 of the export is written (1 id_graph_updates, 2 external")
    assert printed[2].endswith("The space has 2 profiles; warehouse may see 1: 1 did not grant Product.\n")
    with httpx.Client(base_url=running.url, auth=(made.keys["admin"], ""), timeout=60) as client:
        job = client.get(f"/v1/jobs/{httpx.Response(200, text=printed[3]).json()['job_id']}?wait=30").json()
        again = client.post("/v1/destinations/warehouse/export?fresh=true").json()
        again = client.get(f"/v1/jobs/{again['job_id']}?wait=30").json()
        assert client.post("/v1/destinations/nobody/export").json()["code"] == "destination_not_found"
    assert (job["state"], job["done"], job["total"], job["result"]["run"]) == ("done", 2, 2, 1)
    kept_out = [{"reason": "purpose_not_granted", "profiles": 1, "purpose": "Product"}]
    assert job["result"]["audience"] == {"profiles": 2, "looked_at": 2, "visible": 1, "kept_out": kept_out}
    assert (again["state"], again["result"]["run"], again["result"]["snapshot"]) == ("done", 2, True)
    served = tmp_path / "served" / again["result"]["directory"]
    assert again["result"]["directory"] == f"{made.space_id}/{again['result']['destination_id']}"
    for folder in (tmp_path / "exports", served):
        import duckdb

        with duckdb.connect() as connection:
            connection.execute(VIEWS.replace("exports/", f"{folder}/"))
            assert connection.execute(PLANS).fetchall() == [("ann@example.org", "pro")]


def test_the_command_refuses_an_unclear_space_or_an_unknown_name(
    live: Running, live_database: str, shop: Shop, other_shop: Shop, tmp_path: Path
) -> None:
    """Nothing is written."""
    settings, out = Settings(data_dir=live.data_dir), tmp_path / "out"
    assert shop.space_id != other_shop.space_id
    for space_id, refused in ((None, Misconfigured), ("spc_x", SpaceNotFound), (shop.space_id, DestinationNotFound)):
        with pytest.raises(refused):
            export.run(live_database, settings, space_id, "nobody", out, None, fresh=False)
    assert not out.exists()


def test_a_manifest_elsewhere_continues_without_the_files(
    live: Running, live_database: str, shop: Shop, tmp_path: Path
) -> None:
    """A run continues from the manifest although the files were moved away."""
    settings, out, elsewhere = Settings(data_dir=live.data_dir), tmp_path / "out", tmp_path / "place" / "cursor.json"
    shop.ask("PUT", "/v1/purposes", json={"purposes": [{"id": "Product", "class": "analytics"}]})
    shop.ask("PUT", "/v1/destinations/warehouse", json={"purposes": ["Product"], "traits": ["*"]})
    for nr in (1, 2):
        shop.send({**SOLD, "traits": {"plan": nr}})
        export.run(live_database, settings, shop.space_id, "warehouse", out, elsewhere, fresh=False)
        assert sorted(path.name for path in (out / "user_traits").iterdir()) == [f"part-0000{nr}-0001.parquet"]
        for path in out.rglob("*.parquet"):
            path.unlink()
    assert not (out / "manifest.json").exists()


def test_a_server_without_an_export_directory_refuses(shop: Shop) -> None:
    """It creates none."""
    shop.ask("PUT", "/v1/destinations/warehouse", json={})
    answer = shop.ask("POST", "/v1/destinations/warehouse/export")
    assert (answer.status_code, answer.json()["code"]) == (409, "export_not_configured")


@pytest.mark.parametrize("name", ["..", "%2e%2e%2fetc", "a/b"])
def test_a_name_in_a_request_is_never_a_path(shop: Shop, name: str) -> None:
    """A name that looks like a path is unknown."""
    assert shop.ask("POST", f"/v1/destinations/{name}/export").status_code in (400, 404, 405, 409)
