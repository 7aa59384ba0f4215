"""The version of the installed program."""

import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@cache
def installed_version() -> str:
    """The version of the installed package; that of the checkout where it runs without being installed."""
    try:
        return version("onefold")
    except PackageNotFoundError:
        project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
        return str(project["project"]["version"])
