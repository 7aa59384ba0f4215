"""The documentation is true: every command in README.md and docs/ runs, and answers what its page shows.

The commands of a page run in their order, in a shell, in a fresh space; a page that runs `onefold` or uses the
operator token has a server of its own. The shell has the keys of the space by the names that `make run`
prints, and keeps variables from command to command.
"""

import json
import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from psycopg import sql

from app.commands import tour
from identity.store.embedded.data_directory import locate
from identity.store.embedded.server import OWNER_ROLE, EmbeddedPostgres
from tests.conftest import ONEFOLD, READY, ROOT, Running, administer, launch
from tests.support.pages import PAGES, SERVE, Command, Ids, blocks, calls, commands, is_call, name_of
from tests.support.processes.forked_program import CAN_FORK, start_from_shell
from tests.support.webhooks.tls_server import HOST, authority
from tests.support.webhooks.webhook_receiver import Receiver, receiving

ADDRESS = "http://127.0.0.1:8000"
CALLBACK = "https://hooks.example.org/onefold"
# What is no matter of a running server, with the test that runs it.
RUN_ELSEWHERE: dict[str, str] = {}
# Blocks in other languages, with the test that runs those of a page.
OTHER_LANGUAGES = {
    "docs/callbacks.md": "tests/end_to_end/test_callbacks_doc.py",
    "docs/identity-tokens.md": "tests/end_to_end/sdk/test_identity_tokens_page.py",
    "docs/warehouse.md": "tests/app/commands/test_export_ways.py",
    "docs/getting-started.md": "tests/end_to_end/sdk/test_getting_started.py",
}
# What a hosts file would say.
HOSTS = f"""
import socket
asked = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: asked("127.0.0.1" if host == "{HOST}" else host, *rest, **more)
"""
SHELL = """
curl() { command curl --noproxy '*' --fail-with-body "$@"; }
python() { "$PYTHON" "$@"; }
onefold() { ONEFOLD "$@"; }
set -a -o pipefail
if [ -f .variables ]; then . ./.variables; fi
"""
KEEP = "\nstatus=$?; declare -px > .variables; exit $status\n"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Takes what callbacks send."""
    with receiving() as receiver:
        yield receiver


def settings(folder: Path, receiver: Receiver) -> dict[str, str]:
    """The settings of a server that calls the receiver and writes exports."""
    (folder / "authority.pem").write_bytes(authority().pem())
    (folder / "hosts").mkdir()
    (folder / "hosts" / "sitecustomize.py").write_text(HOSTS)
    return {
        "ONEFOLD_CALLBACK_NETWORKS": "127.0.0.1/32",
        "ONEFOLD_CALLBACK_PORTS": str(receiver.server.port),
        "ONEFOLD_CALLBACK_CA": str(folder / "authority.pem"),
        "ONEFOLD_EXPORT_DIR": str(folder / "served-exports"),
        "PYTHONPATH": str(folder / "hosts"),
    }


@pytest.fixture(scope="module")
def shared(
    postgres: EmbeddedPostgres, template: str, tmp_path_factory: pytest.TempPathFactory, receiver: Receiver
) -> Iterator[Running]:
    """The server of the pages that use one space only."""
    name = f"docs_{secrets.token_hex(4)}"
    create = sql.SQL("create database {} owner {} template {}")
    administer(postgres, create.format(*(sql.Identifier(each) for each in (name, OWNER_ROLE, template))))
    folder = tmp_path_factory.mktemp("docs")
    running = launch(
        [*ONEFOLD, "serve"], folder / "data", {"ONEFOLD_DATABASE_URL": postgres.url(name), **settings(folder, receiver)}
    )
    yield running
    running.stop()
    assert running.process.stdout
    running.process.stdout.close()


class Reader:
    """Somebody who types the commands of a page, in a folder and a space of the page's own."""

    def __init__(self, running: Running, folder: Path, space: str, receiver: Receiver) -> None:
        self.running = running
        self._folder, self._receiver = folder, receiver
        self._ids = Ids()
        (folder / "docs").symlink_to(ROOT / "docs")
        (folder / "onefold-data").symlink_to(running.data_dir)
        start, inherited = start_from_shell() if CAN_FORK else (ONEFOLD, None)
        self._shell, self._inherited = SHELL.replace("ONEFOLD", shlex.join(start)), [inherited] if inherited else []
        keys = tour.create_space(running.url, running.admin_token, space).keys
        self._environment = {
            **os.environ,
            **{name.upper(): key for name, key in keys.items()},
            "PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT),
            "ONEFOLD_ADMIN_TOKEN": running.admin_token,
            "ONEFOLD_DATA_DIR": str(running.data_dir),
            # The database of these tests is of the version that comes along, and so are its programs.
            "PATH": f"{locate(running.data_dir).programs / 'bin'}:{os.environ['PATH']}",
        }

    def opens(self) -> None:
        """Begin a page: its examples of ids stand for ids of its own."""
        self._ids = Ids()

    def types(self, command: Command, **environment: str) -> None:
        """Run one command and compare what comes back with what the page shows."""
        text = self._ids.replaced(command.text).replace(ADDRESS, self.running.url)
        text = text.replace(CALLBACK, self._receiver.url).replace(".venv/bin/onefold", "onefold")
        done = subprocess.run(
            ["bash", "-c", self._shell + text + KEEP], env={**self._environment, **environment}, cwd=self._folder,
            pass_fds=self._inherited, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) == command.refused, f"{command.text}\n{done.stdout}\n{done.stderr}"
        if command.answer is not None:
            assert list(self._ids.differences(command.answer, json.loads(done.stdout))) == [], command.text
        assert self._ids.missing(command.lines, done.stdout) == [], f"{command.text}\n{done.stdout}"


def not_ignored(folder: Path) -> list[str]:
    """What the commands of a page made in the checkout of their reader, and git would add."""
    given = {"docs", "onefold-data", "data", "data.log", "hosts", "authority.pem", ".variables"}
    made = sorted(path.name + "/" * path.is_dir() for path in folder.iterdir() if path.name not in given)
    if not made or not (ROOT / ".git").exists():
        return []
    asked = subprocess.run(["git", "check-ignore", *made], cwd=ROOT, capture_output=True, text=True, check=False)
    return sorted(set(made) - set(asked.stdout.splitlines()))


def needs_a_server(page: Path) -> bool:
    """Whether a page does something to a server as a whole."""
    return any("onefold " in command.text or "ONEFOLD_ADMIN_TOKEN" in command.text for command in calls(page))


CALLING = [page for page in PAGES if calls(page)]


@pytest.mark.parametrize("page", [page for page in CALLING if not needs_a_server(page)], ids=name_of)
def test_the_calls_of_a_page_answer_what_it_shows(
    page: Path, shared: Running, tmp_path: Path, receiver: Receiver
) -> None:
    """Every call succeeds, in the order of its page, in a fresh space, and answers what the page shows."""
    reader = Reader(shared, tmp_path, name_of(page), receiver)
    for command in calls(page):
        reader.types(command)
    assert not_ignored(tmp_path) == []


ONE_SPACE = [page for page in CALLING if not needs_a_server(page)]


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(ONE_SPACE, id="from the first"),
        pytest.param(ONE_SPACE[::-1], id="from the last", marks=pytest.mark.soak),
    ],
)
def test_the_pages_answer_what_they_show_one_after_another_in_one_space(
    order: list[Path], shared: Running, tmp_path: Path, receiver: Receiver
) -> None:
    """A reader goes from page to page, in any order, with the keys of one space."""
    reader = Reader(shared, tmp_path, "reader", receiver)
    for page in order:
        reader.opens()
        for command in calls(page):
            reader.types(command)


@pytest.mark.parametrize("page", [page for page in CALLING if needs_a_server(page)], ids=name_of)
def test_the_calls_and_commands_of_a_page_answer_what_it_shows(
    page: Path, server: Callable[..., Running], database: str, tmp_path: Path, receiver: Receiver
) -> None:
    """Every call and every command of `onefold` does so on a server of the page's own."""
    given = settings(tmp_path, receiver)
    reader = Reader(server(**given), tmp_path, "demo", receiver)
    for command in calls(page):
        stopped = any(each in command.text for each in ("rotate-root", "onefold restore", "keys overlay"))
        if stopped:
            assert reader.running.stop() == 0
        reader.types(command, ONEFOLD_DATABASE_URL=database)
        if stopped:
            reader.running = server(**given)
    assert not_ignored(tmp_path) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_is_run_by_a_test(page: Path) -> None:
    """A page holds no command, and no code in another language, that no test runs."""
    unknown = [
        command.text
        for command in commands(page)
        if not (is_call(command) or SERVE.match(command.text) or command.text.startswith("make "))
        and command.text not in RUN_ELSEWHERE
    ]
    languages = {block.language for block in blocks(page)}
    elsewhere = OTHER_LANGUAGES.get(name_of(page))

    assert unknown == []
    assert languages & {"bash", "shell", "console", "zsh"} == set(), "name the language of a command sh"
    assert not languages & {"python", "js", "sql"} or elsewhere, "no test runs the code of this page"
    assert elsewhere is None or (ROOT / elsewhere).exists()


MAKES = sorted({command.text for page in PAGES for command in commands(page) if command.text.startswith("make ")})


@pytest.mark.parametrize("line", MAKES)
def test_every_make_target_exists(line: str) -> None:
    """The Makefile has each target that a page names, with the variables it is given."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["bash", "-c", line.replace("make ", "make -n ", 1)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


SERVES = sorted({command.text for page in PAGES for command in commands(page) if SERVE.match(command.text)})


@pytest.mark.parametrize("line", SERVES)
def test_a_line_that_starts_a_server_starts_one(line: str, tmp_path: Path, processes: list[Running]) -> None:
    """`onefold serve` as a page writes it serves from the data directory it names."""
    words = line.split()[1:]
    given = dict(zip(words[1::2], words[2::2], strict=True)) | {"--port": "0", "--data-dir": str(tmp_path / "data")}
    command = [*ONEFOLD, words[0], *(word for pair in given.items() for word in pair)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    first = process.stdout.readline()
    url = first.removeprefix(READY).strip()
    running = Running(url, "", process, tmp_path / "data")
    processes.append(running)

    assert first.startswith(READY)
    assert httpx.get(url + "/readyz", timeout=60).status_code == 200
    assert (tmp_path / "data" / "postgres").is_dir()
    assert running.stop() == 0
