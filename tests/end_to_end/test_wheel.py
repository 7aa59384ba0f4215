"""The wheel is whole: what it installs runs from any folder, with its migrations, without the checkout.

The Makefile installs what each of its targets needs.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution
from itertools import count
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest
from psycopg import sql

from identity.store.embedded.server import OWNER_ROLE, EmbeddedPostgres
from identity.store.postgres.schema import needs_migration
from tests.conftest import ROOT, Running, administer, launch

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = ("app", "identity", "migrations")
_numbers = count()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=True)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it, which sees the locked dependencies of this one."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(environment / "bin" / "python")]
    options = ["--quiet", "--no-index", "--no-deps", "--no-compile"]
    subprocess.run([*pip, "install", *options, str(wheel)], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    # A line of a .pth file is no site of its own: what points to the checkout there is not followed.
    others = [each for each in sys.path if each.endswith("site-packages")]
    (packages / "dependencies.pth").write_text("".join(f"{each}\n" for each in others))
    return environment


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The owner's URL of a database without a table."""
    name = f"wheel_{next(_numbers)}"
    create = sql.SQL("create database {} owner {}")
    administer(postgres, create.format(sql.Identifier(name), sql.Identifier(OWNER_ROLE)))
    yield postgres.url(name)
    administer(postgres, sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Callable[..., str]:
    """Runs a program of the environment in a folder that is not the checkout; returns what it prints."""

    def call(program: str, *arguments: str, **environment: str) -> str:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [str(installed / "bin" / program), *arguments],
            cwd=tmp_path, env={**clean, **environment}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return call


def test_the_wheel_holds_every_file_of_its_packages_and_nothing_else(wheel: Path) -> None:
    """Modules, the template and steps of the migrations, and the licence."""
    held = set(ZipFile(wheel).namelist())
    about = {name for name in held if name.split("/")[0].endswith(".dist-info")}
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip

    assert held - about == {name for name in listed if (ROOT / name).exists()}
    assert any(name.endswith("/licenses/LICENSE") for name in about)


def test_the_metadata_lists_dependencies_and_extras(installed: Path) -> None:
    """As pyproject.toml does."""
    (packages,) = installed.glob("lib/python*/site-packages")
    (found,) = (each for each in Distribution.discover(path=[str(packages)]) if each.name == "onefold")
    name = re.compile(r"[A-Za-z0-9-]+")
    required = [(name.match(each), re.search(r"extra == '(\w+)'", each)) for each in found.requires or []]
    listed = {(package.group(), extra and extra.group(1)) for package, extra in required if package}
    extras = PROJECT["optional-dependencies"]

    def declared(lines: list[str]) -> set[str]:
        return {found.group() for line in lines if (found := name.match(line))}

    assert {package for package, extra in listed if extra is None} == declared(PROJECT["dependencies"])
    for extra in ("embedded", "warehouse", "analysis"):
        assert {package for package, of in listed if of == extra} == declared(extras[extra])
    assert set(found.metadata.get_all("Provides-Extra") or []) == set(extras)
    assert (found.version, found.metadata["License-Expression"]) == (PROJECT["version"], "Apache-2.0")


def test_the_program_says_its_version_and_what_it_can_do(run: Callable[..., str]) -> None:
    """`onefold` is on the path of the environment."""
    assert run("onefold", "--version") == f"onefold {PROJECT['version']}\n"
    shown = run("onefold", "--help", COLUMNS="200")
    assert all(command in shown for command in ("serve", "migrate", "verify", "export", "demo", "keys"))


def test_it_runs_what_was_installed_and_not_the_checkout(run: Callable[..., str], installed: Path) -> None:
    """Each package is read from the environment."""
    for package in ("app", "identity"):
        assert run("python", "-c", f"import {package}; print({package}.__file__)").startswith(str(installed))


def test_it_migrates_an_empty_database(run: Callable[..., str], empty_database: str) -> None:
    """The migrations come along and are found."""
    assert run("onefold", "migrate", ONEFOLD_DATABASE_URL=empty_database) == "The database is up to date.\n"
    assert not needs_migration(empty_database)


def test_the_installed_server_is_ready(
    installed: Path, database: str, tmp_path: Path, processes: list[Running]
) -> None:
    """The installed server is ready."""
    command = [str(installed / "bin" / "onefold"), "serve"]
    running = launch(command, tmp_path / "data", {"ONEFOLD_DATABASE_URL": database})
    processes.append(running)

    assert httpx.get(running.url + "/readyz", timeout=60).status_code == 200


def test_make_run_installs_what_running_needs_and_no_more(tmp_path: Path) -> None:
    """The lock of development stays out, and PORT= reaches the program."""
    line = ["make", "--no-print-directory", "-n", f"VENV={tmp_path / 'fresh'}", "run", "PORT=8100"]
    planned = subprocess.check_output(line, cwd=ROOT, text=True)

    assert "-r requirements.lock -r requirements-build.lock" in planned
    assert "requirements-dev.lock" not in planned
    assert planned.rstrip().endswith("onefold demo --port 8100")


def test_make_setup_adds_to_the_same_environment(tmp_path: Path) -> None:
    """What was installed to run the server is kept."""
    planned = subprocess.check_output(
        ["make", "--no-print-directory", "-n", f"VENV={tmp_path / 'fresh'}", "setup"], cwd=ROOT, text=True
    )

    assert planned.count("-m venv") == 1
    assert planned.index("-r requirements.lock") < planned.index("-r requirements-dev.lock")
