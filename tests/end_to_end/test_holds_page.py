"""The table of what a litigation hold stops has every route that writes and every command, as the program has them."""

import re
from collections.abc import Iterator

import typer.core
import typer.main

from app.cli import cli
from app.http import ingest_endpoint
from app.routes.opendsr import NAMES
from identity.planning.privacy.hold_refusals import ErasureWaits, UnderHold
from tests.conftest import ROOT
from tests.support.http.api_document import api_document
from tests.support.http.route_scopes import CONTRACT

PAGE = (ROOT / "docs" / "privacy.md").read_text()
READS = ("GET", "HEAD")


def table() -> dict[str, str]:
    """What the page says of each route and command, by its name."""
    text = PAGE.partition("### What a hold stops")[2].partition("\n## ")[0]
    named = [
        (change, answer)
        for changes, answer in re.findall(r"^\| (`[^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
        for change in re.findall(r"`((?:[A-Z]+ /|onefold )[^`]+)`", changes)
    ]
    assert len(named) == len(dict(named))
    return dict(named)


def writing() -> set[str]:
    """Every route that may write, under its first name; the collection routes are in one row."""
    other = {f"POST {path}" for path in ingest_endpoint.ROUTES} - {"POST /v1/batch", "POST /v1/import"}
    found = {f"{method} {path}" for method, path in CONTRACT if method not in READS}
    return {
        each.replace("{regulate_id}", "{request_id}")
        for each in found - other
        if not any(f"/{name}" in each for name in NAMES[1:])
    }


def commands(command: object, name: str = "onefold") -> Iterator[str]:
    """Every command of the program."""
    if isinstance(command, typer.core.TyperGroup):
        for part, each in command.commands.items():
            yield from commands(each, f"{name} {part}")
    else:
        yield name


def refusing(code: str) -> set[str]:
    """The routes that the API reference documents with a code of a refusal."""
    return {
        f"{method.upper()} {path}".replace("{regulate_id}", "{request_id}")
        for path, operations in api_document()["paths"].items()
        for method, operation in operations.items()
        if code in operation.get("responses", {}).get("409", {}).get("description", "").split(", ")
    }


def test_the_table_has_every_route_that_writes_and_every_command() -> None:
    """A new one is judged before it is served."""
    assert table().keys() == writing() | set(commands(typer.main.get_command(cli)))


def test_the_table_says_refused_where_the_route_refuses() -> None:
    """By the errors that each route documents."""
    for refusal in (UnderHold, ErasureWaits):
        listed = {change for change, answer in table().items() if f"409 `{refusal.code}`" in answer}
        assert listed == refusing(refusal.code), refusal
