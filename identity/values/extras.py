"""Extras: parts of Onefold that an installation can do without.

A module of an extra is imported where it is used, inside `extra`, so that a missing one is an error
that says what to install.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from identity.values.errors import OnefoldError


class ExtraNotInstalled(OnefoldError):
    """An extra that is needed here is not installed."""


@contextmanager
def extra(name: str, instead: str = "") -> Iterator[None]:
    """Imports of what an extra brings. ExtraNotInstalled says what to install, or what to do `instead`."""
    try:
        yield
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] in ("app", "identity"):
            raise
        raise ExtraNotInstalled(
            f"This needs the extra {name}, which is not installed; run: pip install 'onefold[{name}]'{instead}"
        ) from missing
