"""The documentation is true: every command in README.md and docs/ runs, and answers what its page shows.

The commands of a page run in their order, in a shell, in a fresh space on a server of its own. The shell
has the keys of the space by the names that `make run` prints, and keeps variables from command to command.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.commands import tour
from app.settings import Settings, variable
from tests.conftest import ONEFOLD, READY, ROOT, Running
from tests.support.pages import PAGES, Command, Ids, blocks, commands
from tests.support.tls_server import HOST, authority
from tests.support.webhook_receiver import Receiver, receiving

ADDRESS = "http://127.0.0.1:8000"
CALLBACK = "https://hooks.example.org/onefold"
RUN_HERE = re.compile(r'(export )?(\w+="?\$\()?(curl|onefold|\.venv/bin/onefold|python|pg_dump|cp|mkdir|sed) ')
SERVE = re.compile(r"(\.venv/bin/)?onefold serve\b")
# What is no matter of a running server, with the test that runs it.
RUN_ELSEWHERE: dict[str, str] = {}
# Blocks in other languages, with the test that runs those of a page.
OTHER_LANGUAGES = {
    "docs/callbacks.md": "tests/end_to_end/test_callbacks_doc.py",
    "docs/warehouse.md": "tests/app/commands/test_export_ways.py",
    "docs/getting-started.md": "tests/sdk/test_readme.py",
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
onefold() { "$PYTHON" -c 'from app.cli import main; main()' "$@"; }
set -a -o pipefail
if [ -f .variables ]; then . ./.variables; fi
"""
KEEP = "\nstatus=$?; declare -px > .variables; exit $status\n"
WITH_COMMANDS = [page for page in PAGES if commands(page)]


def name_of(page: Path) -> str:
    """The path of a page within the project."""
    return str(page.relative_to(ROOT))


def is_call(command: Command) -> bool:
    """Whether a command is run beside a server, in the order of its page."""
    return bool(RUN_HERE.match(command.text)) and not SERVE.match(command.text)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Takes what callbacks send."""
    with receiving() as receiver:
        yield receiver


class Reader:
    """Somebody who types the commands of a page."""

    def __init__(self, start: Callable[[], Running], folder: Path, receiver: Receiver) -> None:
        self._start, self._folder, self._receiver = start, folder, receiver
        self._running = start()
        self._ids = Ids()
        (folder / "docs").symlink_to(ROOT / "docs")
        (folder / "onefold-data").symlink_to(self._running.data_dir)
        keys = tour.create_space(self._running.url, self._running.admin_token, "demo")["keys"]
        self._environment = {
            **os.environ,
            **{name.upper(): key for name, key in keys.items()},
            "PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT),
            "ONEFOLD_ADMIN_TOKEN": self._running.admin_token,
            "ONEFOLD_DATA_DIR": str(self._running.data_dir),
        }

    def types(self, command: Command, database: str) -> None:
        """Run one command and compare its answer."""
        stopped = "rotate-root" in command.text
        if stopped:
            assert self._running.stop() == 0
        text = self._ids.replaced(command.text).replace(ADDRESS, self._running.url)
        text = text.replace(CALLBACK, self._receiver.url).replace(".venv/bin/onefold", "onefold")
        done = subprocess.run(
            ["bash", "-c", SHELL + text + KEEP],
            env={**self._environment, "ONEFOLD_DATABASE_URL": database}, cwd=self._folder,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) == command.refused, f"{command.text}\n{done.stdout}\n{done.stderr}"
        if command.answer is not None:
            assert list(self._ids.differences(command.answer, json.loads(done.stdout))) == [], command.text
        assert self._ids.missing(command.lines, done.stdout) == [], f"{command.text}\n{done.stdout}"
        if stopped:
            self._running = self._start()


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_the_commands_of_a_page_answer_what_it_shows(
    page: Path, server: Callable[..., Running], database: str, tmp_path: Path, receiver: Receiver
) -> None:
    """Every command that calls a server succeeds, in the order of the page, and answers what the page shows."""
    typed = [command for command in commands(page) if is_call(command)]
    if not typed:
        pytest.skip("no command of this page calls a server")
    (tmp_path / "authority.pem").write_bytes(authority().pem())
    (tmp_path / "hosts").mkdir()
    (tmp_path / "hosts" / "sitecustomize.py").write_text(HOSTS)
    settings = {
        "ONEFOLD_CALLBACK_NETWORKS": "127.0.0.1/32",
        "ONEFOLD_CALLBACK_PORTS": str(receiver.server.port),
        "ONEFOLD_CALLBACK_CA": str(tmp_path / "authority.pem"),
        "ONEFOLD_EXPORT_DIR": str(tmp_path / "served-exports"),
        "PYTHONPATH": str(tmp_path / "hosts"),
    }
    reader = Reader(lambda: server(**settings), tmp_path, receiver)
    for command in typed:
        reader.types(command, database)


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
    assert httpx.get(url + "/readyz").status_code == 200
    assert (tmp_path / "data" / "postgres").is_dir()
    assert running.stop() == 0


def test_the_tour_makes_the_calls_of_the_readme() -> None:
    """`make run` plays the same calls, in the same order and with the same sentences."""
    calls = [shlex.split(command.text) for command in commands(ROOT / "README.md") if is_call(command)]
    sentences = " ".join((ROOT / "README.md").read_text().split())

    assert calls == [shlex.split(tour.command(step, ADDRESS)) for step in tour.STEPS]
    assert [step.says for step in tour.STEPS if step.says not in sentences] == []


def test_every_setting_is_documented_with_its_default() -> None:
    """The table in docs/operating.md lists what can be set, all of it, with the defaults that hold."""
    rows = re.findall(r"^\| (`ONEFOLD_[^|]+) \| ([^|]*) \|", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE)
    listed: dict[str, str] = {}
    for names, default in rows:
        values = re.findall(r"`([^`]+)`", default)
        found = re.findall(r"`(\w+)`", names)
        listed |= dict(zip(found, values if len(values) == len(found) else [default] * len(found), strict=True))
    defaults = {variable(name): each.default for name, each in Settings.model_fields.items()}
    plain = {name: str(default) for name, default in defaults.items() if default not in (None, ())}

    assert set(listed) == set(defaults)
    assert {name: listed[name] for name in plain} == plain


DOCUMENTS = [*PAGES, *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"))]


@pytest.mark.skip("the modules are being moved")
@pytest.mark.parametrize("page", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    """What a page links to within the project is there, down to the heading; so is each path that it names."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    broken = []
    for link in links:
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (heading and heading not in headings(target)):
            broken.append(link)
    paths = re.findall(r"`((?:tests|benchmarks|identity|app|migrations|docker)/[\w/.]+)`", text)

    assert broken == []
    assert [path for path in paths if not (ROOT / path).exists()] == []


def headings(page: Path) -> set[str]:
    """The names by which a link reaches the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.skip("the pages are being written")
def test_the_index_lists_every_page() -> None:
    """docs/README.md links to each page of documentation."""
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {str(page.relative_to(ROOT / "docs")) for page in PAGES[1:]} - {"README.md"}

    assert {page for page in pages if f"]({page})" not in index} == set()


@pytest.mark.skip("the modules are being moved")
def test_the_picture_of_a_call_names_modules_that_exist() -> None:
    """Each module in docs/call-path.svg is there; identity/ is left out of its name."""
    named = re.findall(
        r">((?:app|identity|operations|planning|store)/[\w/]+)", (ROOT / "docs" / "call-path.svg").read_text()
    )
    paths = [ROOT / (name if name.startswith(("app/", "identity/")) else f"identity/{name}") for name in named]

    assert len(paths) > 10
    assert [path for path in paths if not (path.exists() or path.with_suffix(".py").exists())] == []
