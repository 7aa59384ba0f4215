"""Starts the servers under load, each a process of its own with the same event loop and HTTP parser.

Onefold is started by `onefold serve`, rivals by uvicorn with the settings that Onefold uses. The
processor time of a server comes from the kernel.
"""

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

ROOT = Path(__file__).parents[1]
TOKEN = secrets.token_hex(16)
_READY = "Onefold is ready on "
_START_SECONDS = 240.0
ONEFOLD = "from app.cli import main; main()"
# Only what follows the start is profiled.
PROFILED = """
import cProfile
from app.commands import serve
from app.cli import main
profile = cProfile.Profile()
announce = serve._announce
serve._announce = lambda address: (announce(address), profile.enable())
try:
    main()
finally:
    profile.disable()
    profile.dump_stats({path!r})
"""


class Server:
    """A running server."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.port = port
        self._process = process

    def cpu(self) -> float:
        """Return the processor seconds that the server and its children have used."""
        parent = psutil.Process(self._process.pid)
        times = [each.cpu_times() for each in (parent, *parent.children(recursive=True))]
        return float(sum(each.user + each.system for each in times))


@contextmanager
def onefold(
    data_dir: Path, url: str, workers: int, *, profile: Path | None = None, more: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run `onefold serve` on a database, with the keys of a data directory; `more` are further settings."""
    code = PROFILED.format(path=str(profile)) if profile else ONEFOLD
    environment = {
        "ONEFOLD_ADMIN_TOKEN": TOKEN,
        "ONEFOLD_DATABASE_URL": url,
        "ONEFOLD_DATA_DIR": str(data_dir),
        "ONEFOLD_PORT": "0",
        "ONEFOLD_COLLECT_RATE": "0",
        "ONEFOLD_READ_RATE": "0",
        "ONEFOLD_MISS_RATE": "0",
        "ONEFOLD_WORKERS": str(workers),
        **(more or {}),
    }
    with _log(data_dir, "onefold") as errors:
        process = _start([sys.executable, "-c", code, "serve"], environment, errors)
        try:
            assert process.stdout
            line = process.stdout.readline()
            if not line.startswith(_READY):
                raise RuntimeError(f"Onefold did not start: {Path(errors.name).read_text()[-2000:]}")
            yield Server(process, int(line.strip().rsplit(":", 1)[1]))
        finally:
            _stop(process)


@contextmanager
def rival(application: str, data_dir: Path, environment: Mapping[str, str], workers: int) -> Iterator[Server]:
    """Run a rival's ASGI application under uvicorn."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "uvicorn", application, "--factory", "--port", str(port), "--loop", "uvloop",
        "--http", "httptools", "--ws", "none", "--no-access-log", "--no-server-header", "--log-level", "warning",
        "--timeout-keep-alive", "65", "--backlog", "2048", "--workers", str(workers),
    ]  # fmt: skip
    with _log(data_dir, "rival") as errors:
        process = _start(command, environment, errors)
        try:
            _await(process, port, Path(errors.name))
            yield Server(process, port)
        finally:
            _stop(process)


def _log(data_dir: Path, name: str) -> IO[bytes]:
    return (data_dir.parent / f"{name}.log").open("wb")


def _start(command: list[str], environment: Mapping[str, str], errors: IO[bytes]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
    )


def _await(process: subprocess.Popen[str], port: int, log: Path) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < _START_SECONDS:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz"):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"A rival did not start: {log.read_text()[-2000:]}")


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
