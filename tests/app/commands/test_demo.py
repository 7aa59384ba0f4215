"""`onefold demo`: it shows its keys and the tour, finds its space again, and stops as a server does."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import IO, NamedTuple

import httpx
import pytest

from app.commands import tour
from app.commands.demo import SPACE_FILE
from tests.conftest import ONEFOLD, ROOT
from tests.support.processes.command_line import onefold
from tests.support.processes.forked_program import CAN_FORK, ForkedProgram


class Shown(NamedTuple):
    """What a demo printed, and how it ended."""

    text: str
    status: int
    profile: dict[str, object]
    mode: int


class Starts(NamedTuple):
    """What three starts showed."""

    first: Shown
    tour: Shown
    third: Shown


def demonstrate(data: Path, *more: str) -> Shown:
    """Run the demo until its tour is over, read the tour's profile with a key it printed, press Ctrl-C."""
    lines: list[str] = []
    source, target = os.pipe()
    with os.fdopen(source) as shown:
        with os.fdopen(target, "wb") as output:
            process = start(["demo", "--port", "0", "--data-dir", str(data), *more], output)
        for line in shown:
            lines.append(line)
            if "export ADMIN=" in line:
                break
        text = "".join(lines)
        url = text.split("ready on ")[1].split()[0]
        key = text.split("export PROFILES=")[1].split()[0]
        answer = httpx.get(url + "/v1/profiles/user_id:ann", headers={"Authorization": f"Bearer {key}"}, timeout=60)
        process.send_signal(signal.SIGINT)
        rest = shown.read()
    return Shown(text + rest, process.wait(), answer.json(), (data / SPACE_FILE).stat().st_mode & 0o777)


def start(arguments: list[str], output: IO[bytes]) -> "subprocess.Popen[bytes] | ForkedProgram":
    """Start `onefold` with one place for its output and its errors."""
    environment = {**os.environ, "COLUMNS": "80"}
    if CAN_FORK:
        return ForkedProgram(arguments, environment, ROOT, output=output, errors=output)
    command = [*ONEFOLD, *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Starts:
    """Three starts on one data directory: the first, one that plays the tour again, and an ordinary one."""
    data = tmp_path_factory.mktemp("demo") / "data"
    return Starts(demonstrate(data), demonstrate(data, "--tour"), demonstrate(data))


def answers(text: str) -> list[dict[str, object]]:
    """The JSON that is shown after each command of the tour."""
    parts = text.split("\n$ curl ")[1:]
    return [json.JSONDecoder().raw_decode(part[part.index("\n") + 1 :])[0] for part in parts]


def test_the_demo_plays_the_tour_and_finds_its_space_again(shown: Starts) -> None:
    """The second start uses the same space and counts nothing twice."""
    first, second = shown.first, shown.tour
    tracked, identified, read, batched, explained = answers(first.text)

    assert (tracked, identified) == ({"success": True}, {"success": True})
    assert [read["traits"], read["event_count"]] == [{"email": "ann@example.org", "plan": "pro"}, 2]
    assert [(each["status"], len(each["merged"])) for each in batched["outcomes"]] == [  # type: ignore[attr-defined]
        ("accepted", 0),
        ("accepted", 1),
    ]
    path = explained["shortest"]
    assert [link["calls"][0]["message_id"] for link in path] == ["tour-2", "tour-4"]  # type: ignore[attr-defined]
    assert [each["status"] for each in answers(second.text)[3]["outcomes"]] == ["duplicate"] * 2  # type: ignore[attr-defined]
    assert all(each.export in second.text for each in exports(first.text))
    assert second.profile == first.profile
    assert first.profile["event_count"] == 4
    assert (first.status, second.status, first.mode) == (0, 0, 0o600)
    assert "Traceback" not in first.text + second.text


def test_the_lines_to_paste_come_last_and_the_tour_is_played_once(shown: Starts) -> None:
    """The lines are on the screen when the tour ends; a later start has them, its own address, and no tour."""
    again = shown.third.text
    address = again.split("ready on ")[1].split()[0]
    assert answers(again) == []
    assert "onefold demo --tour plays it again" in again
    assert f"write {address} in place of http://127.0.0.1:8000" in again
    lines = again.splitlines()
    last = lines[lines.index("The keys of the space; paste these lines into another shell:") + 2 :]

    assert [line.split("=")[0] for line in last if line] == [
        f"  export {name}" for name in ("WRITE", "IMPORT", "PROFILES", "PRIVACY", "ADMIN")
    ]


class Export(NamedTuple):
    """A line that hands a key over."""

    export: str


def exports(text: str) -> list[Export]:
    """The lines to paste."""
    found = [Export(line.strip()) for line in text.splitlines() if line.strip().startswith("export ")]
    assert {each.export.split()[1].split("=")[0] for each in found} >= {step.key.upper() for step in tour.STEPS}
    return found


def test_a_taken_port_names_the_command_that_takes_another(tmp_path: Path) -> None:
    """In one line, before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, error = onefold("demo", "--port", str(port), "--data-dir", str(tmp_path / "data"))

    assert status == 1
    assert error.startswith(f"onefold: Port {port} is in use by another program; stop it, or take another port: ")
    assert "make run PORT=" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "data" / "postgres").exists()
