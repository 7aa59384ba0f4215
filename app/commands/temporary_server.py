"""A server of our own with a space of its own, for one command; both are gone when it ends.

It is the server that `onefold serve` runs, in a process whose log and temporary files lie in a folder
that is given, so that all it leaves behind can be looked at.
"""

import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.commands import tour
from app.commands.leak_values import Caller
from app.settings import Settings
from identity.values.errors import DatabaseUnavailable

_READY = "Onefold is ready on "
_PROGRAM = "import sys, tempfile; tempfile.tempdir = sys.argv.pop(); from app.cli import main; main()"
_PATIENCE = 60
_GONE = 204
_STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def scratch(settings: Settings, database_url: str, folder: Path) -> Iterator[Caller]:
    """Serves on the loopback, any port, while the block runs; yields what asks it with the keys of the space.

    DatabaseUnavailable where it does not start, or the space cannot be deleted at the end.
    """
    token = secrets.token_hex(24)
    own = settings.model_copy(
        update={
            "host": "127.0.0.1", "port": 0, "workers": 1, "database_url": database_url, "admin_token": SecretStr(token),
            "log_level": "debug", "collect_rate": 0, "read_rate": 0, "miss_rate": 0,
        }
    )  # fmt: skip
    own.publish()
    temporary = folder / "tmp"
    temporary.mkdir(mode=0o700)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 our own program, no shell
            [sys.executable, "-c", _PROGRAM, "serve", str(temporary)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # a Ctrl-C ends this block, which still needs the server
        )
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    with process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            if not line.startswith(_READY):
                raise DatabaseUnavailable("The server for the scan does not start; see what `onefold serve` says.")
            url = line.removeprefix(_READY).strip()
            yield from _with_space(url, token)
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
            signal.signal(signal.SIGTERM, before)


def _with_space(url: str, token: str) -> Iterator[Caller]:
    name = f"scan {secrets.token_hex(4)}"
    # Stopped between its creation and our knowing of it, nobody would delete it: that has to wait. No mask
    # would do, as another thread would take the signal.
    stopped: list[int] = []
    ways = {order: signal.signal(order, lambda number, _: stopped.append(number)) for order in _STOPS}
    try:
        made = tour.create_space(url, token, name)
    except BaseException:
        _handle(ways)
        raise
    ask = Caller(url, {**made["keys"], "operator": token})
    try:
        _handle(ways)
        if stopped:
            raise KeyboardInterrupt
        yield ask
    finally:
        path = f"/v1/spaces/{made['space_id']}?confirm={name.replace(' ', '%20')}"
        if ask("operator", "DELETE", path)[0] != _GONE:
            raise DatabaseUnavailable("The scratch space could not be deleted; `GET /v1/spaces` lists it.")


def _handle(ways: Mapping[signal.Signals, Any]) -> None:
    """Puts the handlers of signals back."""
    for order, way in ways.items():
        signal.signal(order, way)
