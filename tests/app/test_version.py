"""The version of the program, installed or in a checkout."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from app import version


@pytest.fixture(autouse=True)
def _unknown() -> Iterator[None]:
    version.installed_version.cache_clear()
    yield
    version.installed_version.cache_clear()


@pytest.mark.parametrize("installed", [True, False])
def test_the_version_is_that_of_the_project(monkeypatch: pytest.MonkeyPatch, *, installed: bool) -> None:
    """Without an installed package the file of the project has it."""

    def read(_name: str) -> str:
        if installed:
            return "7.8.9"
        raise PackageNotFoundError

    monkeypatch.setattr(version, "version", read)
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]

    assert version.installed_version() == ("7.8.9" if installed else project)
