"""The code that docs/getting-started.md shows for SDKs works, with the versions that the page names."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.app.conftest import Shop
from tests.conftest import ROOT
from tests.end_to_end.sdk.browser_page import Visit
from tests.end_to_end.sdk.conftest import HERE, PYTHON_SDKS, node, python_of

PAGE = (ROOT / "docs" / "getting-started.md").read_text()
ADDRESS = "http://127.0.0.1:8000"
(PYTHON,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
NODE, BROWSER = re.findall(r"```js\n(.*?)```", PAGE, re.DOTALL)


def address(shop: Shop) -> str:
    """The address of the running server."""
    return str(shop.client.base_url).rstrip("/")


def run(command: list[str], shop: Shop) -> None:
    """Runs a program that finds the write key where the page says."""
    subprocess.run(command, check=True, timeout=60, env={**os.environ, "WRITE": shop.keys["write"]})


def test_the_python_example_reaches_the_profile(shop: Shop, tmp_path: Path) -> None:
    """Both versions."""
    for lock in (lock for lock, module in PYTHON_SDKS.items() if module == "segment"):
        script = tmp_path / "example.py"
        script.write_text(PYTHON.replace(ADDRESS, address(shop)))
        run([str(python_of(lock)), str(script)], shop)

    assert shop.ask("GET", "/v1/profiles/user_id:ann").json()["traits"] == {"plan": "team"}
    assert shop.ask("GET", "/v1/profiles/user_id:ann").json()["event_count"] == 2


def test_the_node_example_reaches_the_profile(shop: Shop, node_modules: Path) -> None:
    """As a module, beside its packages."""
    script = node_modules / f"example-{shop.space_id}.mjs"
    script.write_text(NODE.replace(ADDRESS, address(shop)))
    try:
        run([str(node()[0]), str(script)], shop)
    finally:
        script.unlink()

    assert shop.ask("GET", "/v1/profiles/user_id:ann").json()["event_count"] == 1


def test_the_browser_example_reaches_the_profile(shop: Shop, visit: Callable[..., Visit]) -> None:
    """The package is that of the page; everything else is as it stands."""
    opened = visit()
    code = BROWSER.replace(ADDRESS, address(shop)).replace("the write key", shop.keys["write"])
    code = re.sub(r"import \{ (\w+) \} from '@segment/analytics-next'", r"const { \1 } = AnalyticsNext", code)
    opened.page.evaluate(f"async () => {{ {code}; await analytics.ready() }}")
    opened.page.wait_for_load_state("networkidle")

    found = shop.ask("GET", "/v1/profiles/user_id:ann").json()
    assert found["traits"] == {"email": "ann@example.org"}


def test_versions_are_those_that_are_run() -> None:
    """The table names what the lock files hold."""
    for lock in PYTHON_SDKS:
        name, _, version = lock.rpartition("-")
        assert re.search(rf"`{name}` \|[^|]*{re.escape(version)}", PAGE)
    wanted = json.loads((HERE / "node" / "package.json").read_text())["dependencies"]
    # The other packages are the references for strings of consent.
    for name, version in ((name, version) for name, version in wanted.items() if not name.startswith("@iab")):
        assert re.search(rf"`{name}` \|[^|]*{re.escape(version)}", PAGE)
