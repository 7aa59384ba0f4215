"""The README is true: each of its commands is run, and what it shows is what comes back."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.commands import tour
from app.settings import PREFIX, Settings
from tests.conftest import ONEFOLD, READY, ROOT, Running, launch

README = (ROOT / "README.md").read_text()
# A shell block, with the JSON block that follows it at once, if one does.
SHOWN = re.findall(r"```sh\n(.*?)```\n(?:```json\n(.*?)```)?", README, re.DOTALL)
COMMANDS = [(line, answer) for block, answer in SHOWN for line in block.strip().splitlines()]
CURLS = [(line, answer) for line, answer in COMMANDS if line.startswith("curl ")]
MAKES = [line for line, _ in COMMANDS if line.startswith("make ")]
SERVES = [line for line, _ in COMMANDS if line.startswith(".venv/bin/onefold serve ")]
KEYS = [line for line, _ in COMMANDS if line.startswith(".venv/bin/onefold keys ")]
HERE = "http://127.0.0.1:8000"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_ID = re.compile(r"(prf|spc)_[0-9a-f]{32}")
_KEY = re.compile(r"of_[0-9a-z]+(_[0-9a-z]+)+")


def told(text: str) -> Any:
    """An answer with its times and keys masked, and its ids numbered in the order of their coming."""
    seen: dict[str, str] = {}
    text = _ID.sub(lambda found: seen.setdefault(found.group(), f"{found.group(1)}_{len(seen)}"), text)
    return json.loads(_KEY.sub("KEY", _TIME.sub("TIME", text)))


def test_all_blocks_are_known() -> None:
    """There is no command in the README that no test here runs."""
    assert len(CURLS) + len(MAKES) + len(SERVES) + len(KEYS) == len(COMMANDS)
    assert (len(CURLS), len(MAKES), len(SERVES), len(KEYS)) == (len(tour.STEPS) + 20, 4, 1, 2)


def test_calls(server: Callable[..., Running], tmp_path: Path) -> None:
    """The calls, run in their order by a shell in a fresh space, answer what the README shows."""
    running = server()
    keys = tour.create_space(running.url, running.admin_token, "demo")["keys"]
    names = {name.upper(): key for name, key in keys.items()} | {"ONEFOLD_ADMIN_TOKEN": running.admin_token}
    for line, answer in CURLS:
        command = line.replace(HERE, running.url)
        assert command != line
        done = subprocess.run(
            ["bash", "-c", command.replace("curl -s", "curl -s --noproxy '*' -w '\\n%{http_code}'", 1)],
            env={**os.environ, **names}, cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        body, status = done.stdout.rsplit("\n", 1)
        assert (line, status[0]) == (line, "2")
        if answer:
            assert told(body) == told(answer)
    assert told(body)["keys"] == dict.fromkeys(keys, "KEY")
    assert "<svg" in (tmp_path / "graph.svg").read_text()


def test_tour_is_that_of_the_readme() -> None:
    """The tour that `make run` plays makes the same calls, in the same order and with the same words."""
    from_readme = [shlex.split(line) for line, _ in CURLS[: len(tour.STEPS)]]
    from_tour = [shlex.split(tour.command(step, HERE)) for step in tour.STEPS]
    spoken = " ".join(README.split())

    assert from_readme == from_tour
    assert [step.says for step in tour.STEPS if step.says not in spoken] == []


@pytest.mark.parametrize(
    "line", [*MAKES, "make soak", "make bench", "make help", "make format", "make lock", "make clean"]
)
def test_make(line: str) -> None:
    """The Makefile has each target that is spoken of."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "-n", *shlex.split(line)[1:]]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_serve(tmp_path: Path, processes: list[Running]) -> None:
    """The line that starts a server starts one, on the data directory that it names."""
    words = shlex.split(SERVES[0])[1:]
    given = dict(zip(words[1::2], words[2::2], strict=True)) | {"--port": "0", "--data-dir": str(tmp_path / "data")}
    command = [*ONEFOLD, words[0], *(word for pair in given.items() for word in pair)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    said = process.stdout.readline()
    url = said.removeprefix(READY).strip()
    running = Running(url, "", process, tmp_path / "data")
    processes.append(running)

    assert said.startswith(READY)
    assert httpx.get(url + "/readyz").status_code == 200
    assert (tmp_path / "data" / "postgres").is_dir()
    assert running.stop() == 0


def test_keys(tmp_path: Path, processes: list[Running]) -> None:
    """The lines that replace keys do: the index key beside a running server, the root key once it has stopped."""
    folder = tmp_path / "data"
    running = launch([*ONEFOLD, "serve"], folder, {})
    processes.append(running)
    public_id = tour.create_space(running.url, running.admin_token, "demo")["space_id"]
    for line in KEYS:
        words = [str(folder) if word == "onefold-data" else word for word in shlex.split(line)[1:]]
        if "rotate-root" in words:
            assert running.stop() == 0
        done = subprocess.run([*ONEFOLD, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        expected = "keys are wrapped anew" if "rotate-root" in words else f"{public_id}: everything is under version 2"
        assert expected in done.stdout


def test_settings() -> None:
    """The table of variables lists what can be set, all of it, with the defaults that hold."""
    rows = re.findall(r"^\| (`ONEFOLD_[^|]+) \| ([^|]*) \|", README, re.MULTILINE)
    listed: dict[str, str] = {}
    for names, default in rows:
        values = re.findall(r"`([^`]+)`", default)
        found = re.findall(r"`(\w+)`", names)
        listed |= dict(zip(found, values if len(values) == len(found) else [default] * len(found), strict=True))
    plain = {PREFIX + each.name.upper(): str(each.default) for each in fields(Settings) if each.default is not None}

    assert set(listed) == {PREFIX + each.name.upper() for each in fields(Settings)}
    assert {name: listed[name] for name in plain} == plain


def test_links() -> None:
    """What the README links to within the project is there."""
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]

    assert [link for link in links if not (ROOT / link).exists()] == []


def test_held_by() -> None:
    """What is said to hold a decision is there."""
    paths = re.findall(r"`((?:tests|benchmarks|identity|app)/[\w/.]+)`", README)

    assert [path for path in paths if not (ROOT / path).exists()] == []
