"""Reports a missing extra, an optional part of an installation, as an error.

Code imports a module of an extra at its use, inside `extra`. So an installation without the extra starts, and the
error says what to install.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from identity.values.errors import OnefoldError


class ExtraNotInstalled(OnefoldError):
    """An extra that is needed here is not installed."""


@contextmanager
def extra(name: str, instead: str = "") -> Iterator[None]:
    """Import modules of an extra inside. Raises ExtraNotInstalled: what to install, and what to do `instead`."""
    try:
        yield
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] in ("app", "identity"):
            raise
        raise ExtraNotInstalled(
            f"This needs the extra {name}, which is not installed; run: pip install 'onefold[{name}]'{instead}"
        ) from missing
