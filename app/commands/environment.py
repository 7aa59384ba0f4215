"""Gives every command the settings, the database of its owner, and one line for an error at the end."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from app import settings as configuration
from app.server.database_transport import require_protected
from app.settings import Settings
from identity.values.errors import Misconfigured, OnefoldError
from identity.values.extras import extra

_NO_DATA = "There is no data directory {}. Name it with --data-dir, or set ONEFOLD_DATABASE_URL."
_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def read_settings(data_dir: Path | None) -> Settings:
    """The settings of the environment, with the data directory of an option. Misconfigured."""
    settings = configuration.load()
    return settings.model_copy(update={"data_dir": data_dir.expanduser().absolute()}) if data_dir else settings


@contextmanager
def migrated_database(data_dir: Path | None) -> Iterator[tuple[str, Settings]]:
    """Yield the URL of a database at this version's schema, for its owner, and the settings. Misconfigured."""
    from identity.store.postgres.schema import require_current

    with existing_database(data_dir) as (url, settings):
        require_current(url)
        yield url, settings


@contextmanager
def existing_database(data_dir: Path | None) -> Iterator[tuple[str, Settings]]:
    """Yield the URL of a database for its owner, and the settings. Misconfigured without a data directory."""
    settings = read_settings(data_dir)
    if not settings.database_url and not settings.data_dir.exists():
        raise Misconfigured(_NO_DATA.format(settings.data_dir))
    with owner_url(settings) as url:
        yield url, settings


@contextmanager
def owner_url(settings: Settings, *, alone: bool = False) -> Iterator[str]:
    """Yield the URL of the database for its owner; an embedded database runs while the block does.

    With `alone` an embedded database that a server runs is refused. Misconfigured.
    """
    if settings.database_url:
        require_protected(settings)
        yield settings.database_url
        return
    with extra("embedded", ", or set ONEFOLD_DATABASE_URL"):
        from identity.store.embedded.server import EmbeddedPostgres

    configuration.forget_libpq()
    postgres = EmbeddedPostgres(settings.data_dir)
    try:
        yield postgres.start() if alone else postgres.join()
    finally:
        postgres.stop()


@contextmanager
def report() -> Iterator[None]:
    """End the program with status 1 and one line on stderr for an error of ours."""
    try:
        yield
    except OnefoldError as trouble:
        _errors.print(f"onefold: {trouble}", style="red", markup=False)
        sys.exit(1)
