"""A scratch server with a space of its own, for the time of one command; both are removed at the end.

It is the server that `onefold serve` runs. Its log and its temporary files are in a given folder, so that
everything it leaves behind can be searched.
"""

import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from app.commands import tour
from app.commands.leak_scan.space_client import SpaceClient
from app.settings import Settings
from identity.values.errors import DatabaseUnavailable

_READY: Final = "Onefold is ready on "
_PROGRAM: Final = "import sys, tempfile; tempfile.tempdir = sys.argv.pop(); from app.cli import main; main()"
_STOP_SECONDS: Final = 60
_DELETED: Final = 204
_UNDER_HOLD: Final = 409
_HOLD: Final = re.compile(rb"hld_[0-9a-f]{32}")
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def scratch_server(settings: Settings, database_url: str, folder: Path) -> Iterator[SpaceClient]:
    """Serve on any port of the loopback while the block runs; yields a caller with the keys of a new space.

    DatabaseUnavailable where the server does not start, or the space cannot be deleted at the end.
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
            cwd=Path(__file__).parents[3],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C ends this block, which still needs the server
        )
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    with process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            if not line.startswith(_READY):
                raise DatabaseUnavailable("The scratch server does not start; run `onefold serve` to see why.")
            yield from _with_space(line.removeprefix(_READY).strip(), token)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            signal.signal(signal.SIGTERM, before)


def _with_space(url: str, token: str) -> Iterator[SpaceClient]:
    name = f"scan {secrets.token_hex(4)}"
    # A signal between the creation of the space and the answer that names it would leave the space behind, so
    # signals wait. A signal mask would not do, as another thread would take the signal.
    stopped: list[int] = []
    handlers = {each: signal.signal(each, lambda number, _: stopped.append(number)) for each in _SIGNALS}
    try:
        created = tour.create_space(url, token, name)
    except BaseException:
        _restore(handlers)
        raise
    ask = SpaceClient(url, {**created.keys, "operator": token})
    try:
        _restore(handlers)
        if stopped:
            raise KeyboardInterrupt
        yield ask
    finally:
        path = f"/v1/spaces/{created.space_id}?confirm={name.replace(' ', '%20')}"
        if _delete(ask, path) != _DELETED:
            raise DatabaseUnavailable(
                f"The scratch space could not be deleted. Find “{name}” with `GET /v1/spaces` and delete it."
            )


def _delete(ask: SpaceClient, path: str) -> int:
    """Delete the space, and before that the holds in force that forbid the deletion; returns the last status."""
    status, _ = ask("operator", "DELETE", path)
    if status == _UNDER_HOLD:
        _, holds = ask("privacy", "GET", "/v1/holds")
        for each in dict.fromkeys(_HOLD.findall(holds)):
            ask("privacy", "DELETE", f"/v1/holds/{each.decode()}")
        status, _ = ask("operator", "DELETE", path)
    return status


def _restore(handlers: Mapping[signal.Signals, Any]) -> None:
    """Put the handlers of signals back."""
    for each, handler in handlers.items():
        signal.signal(each, handler)
