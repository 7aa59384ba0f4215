"""A page of another origin with the browser SDK, opened in a real browser."""

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest

from tests.app.conftest import Shop

if TYPE_CHECKING:
    # A process that runs no browser test does not load it.
    from playwright.sync_api import Browser, Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
HERE = Path(__file__).parent


# Only as long as this module: while the driver is there, it keeps an event loop running.
@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """The browser of the machine; where `.ci/run` could have installed one, its lack is a failure."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        if os.environ.get("CI") and shutil.which("apt-get") and os.getuid() == 0:
            pytest.fail("there is no Chromium")
        pytest.skip("there is no Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pages(node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site of its own, with the SDK as npm has it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(HERE / "page.html", folder / "index.html")
    shutil.copy(node_modules / "node_modules/@segment/analytics-next/dist/umd/index.js", folder / "analytics.js")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            """Logs nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


class Visit:
    """A page that was opened, and every request and complaint it made."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.asked: list[tuple[str, str]] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append((request.method, request.url)))
        page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def paths(self, url: str) -> list[str]:
        """The paths requested from this host, in order."""
        return [urlsplit(asked).path for _, asked in self.asked if asked.startswith(url)]


@pytest.fixture
def visit(browser: "Browser", pages: str, shop: Shop) -> Iterator[Callable[..., Visit]]:
    """Opens the page in a browser without history; afterwards nothing else was asked and nothing went wrong."""
    contexts = []
    visits: list[Visit] = []
    onefold = str(shop.client.base_url).rstrip("/")

    def open_(**more: str) -> Visit:
        contexts.append(browser.new_context())
        visit = Visit(contexts[-1].new_page())
        visits.append(visit)
        visit.page.goto(f"{pages}/?{urlencode({'key': shop.keys['write'], 'cdn': onefold, **more})}")
        return visit

    yield open_
    for context in contexts:
        context.close()
    for each in visits:
        hosts = {"{0.scheme}://{0.netloc}".format(urlsplit(url)) for _, url in each.asked}
        assert hosts <= {pages, onefold}
        assert each.complaints == []
