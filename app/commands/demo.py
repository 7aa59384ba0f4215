"""`onefold demo`: runs the server with a demo space, shows its keys, and plays the guided tour at the first start.

A later start uses the same space and data; the keys of the demo space are in the data directory.
"""

import json
import os
import threading
from pathlib import Path

import msgspec
from rich.console import Console
from rich.json import JSON

from app.commands import serve, tour
from app.settings import Settings
from identity.values.errors import Misconfigured

SPACE_FILE = "demo-space.json"
README_ADDRESS = "http://127.0.0.1:8000"
"""The address of the calls in README.md and docs."""
COMMAND = "make run PORT={0} (onefold demo --port {0})"
_console = Console(highlight=False, soft_wrap=True)


def run(settings: Settings, *, again: bool = False) -> None:
    """Serve until Ctrl-C; the tour is played once the port accepts calls, if it never was or with `again`."""
    settings = settings.with_admin_token()
    _console.print("Starting Onefold: embedded Postgres, schema, server ...")

    def ready(url: str) -> None:
        threading.Thread(target=_show, args=(settings, url, again), name="tour", daemon=True).start()

    serve.run(settings, ready=ready, command=COMMAND)


def _show(settings: Settings, url: str, again: bool) -> None:  # noqa: FBT001 (arguments of a thread)
    space = _space(settings, url)
    _console.print(f"\n[bold]Onefold is ready on {url}[/bold] with the space {space.space_id}.")
    if again or not space.toured:
        _play(url, space)
        _keep(settings.data_dir / SPACE_FILE, msgspec.structs.replace(space, toured=True))
    else:
        _console.print("The tour was played at the first start; onefold demo --tour plays it again.")
    _console.print(f"\nThe data is in {settings.data_dir}. Ctrl-C stops the server; the next start uses the same data.")
    if url != README_ADDRESS:
        _console.print(f"In the calls of README.md and docs, write {url} in place of {README_ADDRESS}.")
    _console.print("The keys of the space; paste these lines into another shell:\n")
    for name, secret in space.keys.items():
        _console.print(f"  export {name.upper()}={secret}", soft_wrap=True)


def _play(url: str, space: tour.TourSpace) -> None:
    _console.print("\n[bold]A short tour[/bold]: each call was just made; copy any of them to make it again.")
    for number, played in enumerate(tour.play(url, space.keys), 1):
        _console.print(f"\n[bold]{number}. {played.step.text}[/bold]")
        _console.print(f"$ {played.command}", style="cyan", markup=False)
        _console.print(JSON(json.dumps(played.answer), indent=2))


def _space(settings: Settings, url: str) -> tour.TourSpace:
    """Return the demo space of this data directory; the first start creates it."""
    path: Path = settings.data_dir / SPACE_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=tour.TourSpace)
    except (FileNotFoundError, msgspec.DecodeError):
        path.unlink(missing_ok=True)
    if settings.admin_token is None:
        raise Misconfigured("The demo needs an operator token; set ONEFOLD_ADMIN_TOKEN.")
    space = tour.create_space(url, settings.admin_token.get_secret_value(), "demo")
    _keep(path, space)
    return space


def _keep(path: Path, space: tour.TourSpace) -> None:
    """Write the file of the demo space, which holds secrets, whole or not at all."""
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(space))
    draft.replace(path)
