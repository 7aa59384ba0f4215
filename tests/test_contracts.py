"""The import contracts of pyproject.toml, held against planted violations.

A contract that passes over a new module or a new import is worse than none: every violation is planted in a copy
of the project, and the lint has to name each.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
OF_NO_LAYER = (
    "app.planted",
    "identity.planted",
    "identity.planning.planted",
    "identity.store.planted",
    "identity.operations.planted",
)
LIBRARIES = (
    ("identity.spaces.to_psycopg", "psycopg"),
    ("identity.values.to_sqlalchemy", "sqlalchemy"),
    ("app.server.to_psycopg", "psycopg"),
    ("identity.spaces.to_cryptography", "cryptography"),
    ("identity.store.keys.to_cryptography", "cryptography"),
    ("identity.operations.profiles.to_networkx", "networkx"),
    ("identity.planning.resolution.to_networkx", "networkx"),
    ("identity.planning.resolution.to_numpy", "numpy"),
    ("identity.operations.destinations.to_httpcore", "httpcore"),
    ("app.commands.to_httpcore", "httpcore"),
    ("identity.operations.warehouse.to_pyarrow", "pyarrow"),
    ("identity.store.profiles.to_pyarrow", "pyarrow"),
    ("identity.operations.profiles.to_fastapi", "fastapi"),
    ("identity.webhooks.to_starlette", "starlette"),
    ("app.routes.to_matplotlib", "matplotlib"),
)
# The lint draws an import against the layers by the packages it leads from and to.
UPWARDS = (
    ("identity.planning.resolution.upwards", "identity.store.postgres.database"),
    ("identity.store.profiles.upwards", "identity.vault.seal"),
    ("identity.values.upwards", "identity.planning.resolution.planner"),
    ("identity.operations.ingest.upwards", "identity.operations.privacy.erase_person"),
    ("identity.spaces.upwards", "app.settings"),
    ("app.http.upwards", "app.routes.profiles"),
)


def lint(folder: Path) -> tuple[int, str]:
    """Run the lint in a folder; returns its status and what it prints."""
    done = subprocess.run([sys.executable, "-c", LINT], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def copy(folder: Path) -> Path:
    """Copy what the contracts are about into a folder."""
    for name in ("app", "identity"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of the lint on a copy with all violations at once."""
    folder = copy(tmp_path_factory.mktemp("planted"))
    plants = dict.fromkeys(OF_NO_LAYER, "") | {module: f"\n\nimport {name}" for module, name in LIBRARIES + UPWARDS}
    for module, text in plants.items():
        (folder / (module.replace(".", "/") + ".py")).write_text(f'"""Planted."""{text}\n')
    status, printed = lint(folder)
    assert status != 0
    return printed


def test_the_contracts_hold_without_a_plant(tmp_path: Path) -> None:
    """The control: all that the other tests find is planted."""
    status, printed = lint(copy(tmp_path))

    assert status == 0, printed


@pytest.mark.parametrize("module", OF_NO_LAYER)
def test_a_module_of_no_layer_is_caught(report: str, module: str) -> None:
    """A module beside the layers fails the lint although nothing imports it and it imports nothing."""
    package, _, name = module.rpartition(".")

    assert any(line.strip().strip("-").strip() in (name, module) for line in report.splitlines()), (package, report)


@pytest.mark.parametrize(("module", "library"), LIBRARIES)
def test_a_library_outside_its_home_is_caught(report: str, module: str, library: str) -> None:
    """An import of a library by any module but those of its home fails the lint."""
    assert f"{module} -> {library}" in report


@pytest.mark.parametrize(("module", "imported"), UPWARDS)
def test_an_import_against_the_layers_is_caught(report: str, module: str, imported: str) -> None:
    """An import that runs up, or across to a sibling, fails the lint."""
    assert f"{module} -> {imported}" in report
