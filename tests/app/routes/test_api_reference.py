"""The API reference is a page of the process itself: no asset and no request goes to another host."""

import gzip
import hashlib
import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from app.http import openapi
from tests.conftest import Running

FOLDER = Path(openapi.__file__).with_name("api_reference")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def test_the_page_names_only_addresses_of_this_server(client: httpx.Client) -> None:
    """Every address in the page is relative (the icon is empty), and each asset is served."""
    page = client.get("/docs")
    addresses = re.findall(r"""(?:src|href)="([^"]+)\"""", page.text)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert sorted(addresses) == [
        "data:,", "docs/start.js", "docs/swagger-ui-bundle.js", "docs/swagger-ui.css", "openapi.json"
    ]  # fmt: skip
    for address in addresses[1:]:
        answer = client.get(f"/{address}")
        assert (answer.status_code, answer.headers["x-content-type-options"]) == (200, "nosniff")
    assert "//" not in re.sub("<!doctype html>", "", page.text)
    assert "http" not in client.get("/docs/start.js").text


def test_the_policy_of_the_page_names_no_other_host(client: httpx.Client) -> None:
    """The browser loads scripts, styles and data from this server only."""
    policy = client.get("/docs").headers["content-security-policy"]
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))

    assert allowed["default-src"] == "'none'"
    assert allowed["script-src"] == allowed["connect-src"] == "'self'"
    assert {word for words in allowed.values() for word in words.split()} == {
        "'none'", "'self'", "'unsafe-inline'", "data:"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["VENDORED.md", "index.html", "swagger-ui.css.gz", "..%2Fopenapi.py", "nothing.js"])
def test_only_the_assets_of_the_page_are_served(client: httpx.Client, name: str) -> None:
    """No other file of the package, whatever the path."""
    assert client.get(f"/docs/{name}").status_code == 422


def test_vendored_files_are_those_that_were_published() -> None:
    """Each has the checksum that the page on vendored files lists, and the licence lies beside them."""
    listed = dict(re.findall(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", (FOLDER / "VENDORED.md").read_text()))
    own = {"VENDORED.md", "index.html", "start.js"}

    assert {path.name.removesuffix(".gz") for path in FOLDER.iterdir()} - own == set(listed)
    assert {"LICENSE", "NOTICE"} <= set(listed)
    for name, checksum in listed.items():
        packed = FOLDER / f"{name}.gz"
        content = gzip.decompress(packed.read_bytes()) if packed.exists() else (FOLDER / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == checksum, name


def test_a_browser_shows_every_operation_and_asks_no_other_host(live: Running) -> None:
    """In Chromium: the groups of routes appear, nothing is refused or logged, all requests go to this server."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        if os.environ.get("CI") and shutil.which("apt-get") and os.getuid() == 0:
            pytest.fail("there is no Chromium")
        pytest.skip("there is no Chromium: apt-get install chromium")
    hosts: set[str] = set()
    complaints: list[str] = []
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        page = browser.new_page()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{live.url}/docs")
        page.wait_for_selector("#operations-tag-Profiles", timeout=120_000)
        page.click("#operations-tag-Profiles")
        page.wait_for_selector("[data-path='/v1/profiles/lookup']", timeout=120_000)
        browser.close()

    assert hosts - {""} == {urlsplit(live.url).netloc}
    assert complaints == []
