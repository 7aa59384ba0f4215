"""`onefold demo`: it shows its keys and the tour, finds its space again, and stops as a server does."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

import httpx

from app.commands import tour
from app.commands.demo import SPACE_FILE
from tests.conftest import ONEFOLD, ROOT


class Shown(NamedTuple):
    """What a demo printed, and how it ended."""

    text: str
    status: int
    profile: dict[str, object]
    mode: int


def demonstrate(data: Path) -> Shown:
    """Run the demo until its tour is over, read the tour's profile with a key it printed, press Ctrl-C."""
    lines: list[str] = []
    with subprocess.Popen(
        [*ONEFOLD, "demo", "--port", "0", "--data-dir", str(data)],
        cwd=ROOT, env={**os.environ, "COLUMNS": "80"}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        for line in process.stdout:
            lines.append(line)
            if "export ADMIN=" in line:
                break
        text = "".join(lines)
        url = text.split("ready on ")[1].split()[0]
        key = text.split("export PROFILES=")[1].split()[0]
        answer = httpx.get(url + "/v1/profiles/user_id:ann", headers={"Authorization": f"Bearer {key}"})
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate()
    return Shown(text + rest, process.returncode, answer.json(), (data / SPACE_FILE).stat().st_mode & 0o777)


def answers(text: str) -> list[dict[str, object]]:
    """The JSON that is shown after each command of the tour."""
    parts = text.split("\n$ curl ")[1:]
    return [json.JSONDecoder().raw_decode(part[part.index("\n") + 1 :])[0] for part in parts]


def test_the_demo_plays_the_tour_and_finds_its_space_again(tmp_path: Path) -> None:
    """The second start uses the same space and counts nothing twice."""
    first, second = demonstrate(tmp_path / "data"), demonstrate(tmp_path / "data")
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


def test_the_lines_to_paste_come_last(tmp_path: Path) -> None:
    """They are on the screen when the tour ends."""
    shown = demonstrate(tmp_path / "data").text.splitlines()
    last = shown[shown.index("The keys of the space; paste these lines into another shell:") + 2 :]

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
