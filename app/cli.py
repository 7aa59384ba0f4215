"""The command line: each command reads the settings, lays its options over them and does one thing.

Secrets come from the environment or the data directory, never from an option, where other users
of the machine could read them. An error of ours is one line; nothing prints a traceback with
values in it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app import settings as configuration
from app.settings import Settings
from identity.values.errors import Misconfigured, OnefoldError
from identity.values.extras import extra

cli = typer.Typer(
    name="onefold",
    help="Identity resolution and encrypted profiles on one Postgres.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
_errors = Console(stderr=True, highlight=False, soft_wrap=True)

DataDir = Annotated[Path | None, typer.Option(help="Where the embedded database and the keys lie [ONEFOLD_DATA_DIR].")]


def _show_version(asked: bool) -> None:  # noqa: FBT001 (the shape of a callback)
    if asked:
        typer.echo(f"onefold {version('onefold')}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)]


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [ONEFOLD_HOST].")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port, 0 for any [ONEFOLD_PORT].")] = None,
    data_dir: DataDir = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Server processes [ONEFOLD_WORKERS].")] = None,
) -> None:
    """Run the server; Ctrl-C stops it."""
    from app.commands import serve as supervisor

    settings = _settings(data_dir)
    given = {"host": host, "port": port, "workers": workers}
    supervisor.run(settings.model_copy(update={name: value for name, value in given.items() if value is not None}))


@cli.command()
def demo(
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port, 0 for any [ONEFOLD_PORT].")] = None,
    data_dir: DataDir = None,
) -> None:
    """Run the server with a demo space and a guided tour of it."""
    from app.commands import demo as guided

    settings = _settings(data_dir)
    guided.run(settings if port is None else settings.model_copy(update={"port": port}))


@cli.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the schema of this version."""
    from identity.store.postgres.schema import migrate as upgrade

    with owner_url(_settings(data_dir)) as url:
        upgrade(url)
    typer.echo("The database is up to date.")


@cli.command()
def verify(
    space_ids: Annotated[list[str] | None, typer.Argument(help="Spaces to audit; all where none is named.")] = None,
    data_dir: DataDir = None,
    *,
    privacy: Annotated[bool, typer.Option("--privacy", help="Plant values and search everything for them.")] = False,
) -> None:
    """Audit what is stored and print what differs; the status is 1 if anything does, 2 if a scan is void."""
    from identity.store.postgres.schema import require_current

    if privacy:
        with extra("embedded"):
            from app.commands import privacy_scan
    with extra("analysis"):
        from app.commands import verify as verifying

    settings = _settings(data_dir)
    if not settings.database_url and not settings.data_dir.exists():
        raise Misconfigured(f"There is no data directory {settings.data_dir}.")
    if privacy and space_ids:
        raise Misconfigured("A scan looks at the whole database; name no space with --privacy.")
    with owner_url(settings) as url:
        require_current(url)
        status = privacy_scan.run(settings, url) if privacy else int(not verifying.run(url, space_ids or []))
    if status:
        raise typer.Exit(status)


@cli.command()
def export(
    to: Annotated[Path, typer.Option(help="The directory to write into; the next run goes on where this one ends.")],
    destination: Annotated[str, typer.Option(help="The destination, by its name: what it may see is exported.")],
    space_id: Annotated[str | None, typer.Argument(help="The space; needed where there are several.")] = None,
    data_dir: DataDir = None,
    cursor_file: Annotated[Path | None, typer.Option(help="The manifest, where it is not to lie in there.")] = None,
    *,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew with everybody, in the place of all files.")
    ] = False,
) -> None:
    """Export what a destination may see as Parquet tables: everybody first, then what changed since."""
    from app.commands import export as exporting
    from identity.store.postgres.schema import require_current

    settings = _settings(data_dir)
    if not settings.database_url and not settings.data_dir.exists():
        raise Misconfigured(f"There is no data directory {settings.data_dir}.")
    with owner_url(settings) as url:
        require_current(url)
        manifest = None if cursor_file is None else cursor_file.expanduser().absolute()
        exporting.run(url, settings, space_id, destination, to.expanduser().absolute(), manifest, fresh=fresh)


@cli.callback()
def options(*, _version: Version = False) -> None:
    """Identity resolution and encrypted profiles on one Postgres."""


keys = typer.Typer(
    name="keys", help="Rolling, rotating and dumping keys, laying them over a restore.", no_args_is_help=True
)
cli.add_typer(keys)
SpaceIds = Annotated[list[str] | None, typer.Argument(help="Spaces; all where none is named.")]


@keys.command()
def roll(space_ids: SpaceIds = None, data_dir: DataDir = None) -> None:
    """Roll the epoch key: no backup from before opens what was erased before."""
    _with_keys("roll", space_ids, data_dir)


@keys.command()
def dump(space_ids: SpaceIds = None, data_dir: DataDir = None) -> None:
    """Write the key tables into the key store, and prove that every key opens."""
    _with_keys("dump", space_ids, data_dir)


@keys.command()
def overlay(space_ids: SpaceIds = None, data_dir: DataDir = None) -> None:
    """Lay the newest dump over the keys of a restored database, before it is served."""
    _with_keys("overlay", space_ids, data_dir)


@keys.command("rotate-index")
def rotate_index(space_ids: SpaceIds = None, data_dir: DataDir = None) -> None:
    """Make every blind index anew under a new key, while servers run; again goes on with what was begun."""
    _with_keys("rotate_index", space_ids, data_dir)


@keys.command("rotate-root")
def rotate_root(data_dir: DataDir = None) -> None:
    """Put a new root key in the place of the old one, while no server runs: it refuses where one does.

    A root key in a file gets a new file. One in ONEFOLD_ROOT_KEY gives way to that in
    ONEFOLD_NEW_ROOT_KEY, which is the one to start with afterwards.
    """
    from app.commands import keys as commands

    with _keys_url(_settings(data_dir)) as (url, settings):
        commands.rotate_root(url, settings)


def _with_keys(name: str, space_ids: list[str] | None, data_dir: Path | None) -> None:
    from app.commands import keys as commands

    with _keys_url(_settings(data_dir)) as (url, settings):
        getattr(commands, name)(url, settings, space_ids or [])


@contextmanager
def _keys_url(settings: Settings) -> Iterator[tuple[str, Settings]]:
    from identity.store.postgres.schema import require_current

    if not settings.database_url and not settings.data_dir.exists():
        raise Misconfigured(f"There is no data directory {settings.data_dir}.")
    with owner_url(settings) as url:
        require_current(url)
        yield url, settings


@contextmanager
def owner_url(settings: Settings) -> Iterator[str]:
    """The database as its owner: the one that is set, or the embedded one, up for this block."""
    if settings.database_url:
        yield settings.database_url
        return
    with extra("embedded", ", or set ONEFOLD_DATABASE_URL"):
        from identity.store.embedded.server import EmbeddedPostgres

    configuration.forget_libpq()
    postgres = EmbeddedPostgres(settings.data_dir)
    try:
        yield postgres.join()
    finally:
        postgres.stop()


def main() -> None:
    """Run the command line."""
    with report():
        cli()


@contextmanager
def report() -> Iterator[None]:
    """An error of ours ends the program with status 1 and one line on stderr."""
    try:
        yield
    except OnefoldError as trouble:
        _errors.print(f"onefold: {trouble}", style="red", markup=False)
        sys.exit(1)


def _settings(data_dir: Path | None) -> Settings:
    settings = configuration.load()
    return settings.model_copy(update={"data_dir": data_dir.expanduser().absolute()}) if data_dir else settings
