"""The command line `onefold`: each command reads the settings, applies its options and does one thing.

Secrets come from the environment or the data directory, never from an option, which other users
of the machine could read. An error of ours is one line; no traceback with values in it is printed.
"""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.environment import (
    existing_database,
    migrated_database,
    owner_url,
    read_settings,
    report,
)
from app.version import installed_version
from identity.values.errors import Misconfigured
from identity.values.extras import extra

cli = typer.Typer(
    name="onefold",
    help="Identity resolution and encrypted profiles on one Postgres.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Port = Annotated[
    int | None, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes any free one [ONEFOLD_PORT].")
]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the embedded database and the keys [ONEFOLD_DATA_DIR].")]


def _show_version(asked: bool) -> None:  # noqa: FBT001 (the shape of a callback)
    if asked:
        typer.echo(f"onefold {installed_version()}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)]


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [ONEFOLD_HOST].")] = None,
    port: Port = None,
    data_dir: DataDir = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Number of server processes [ONEFOLD_WORKERS].")
    ] = None,
) -> None:
    """Run the server. Ctrl-C stops it."""
    from app.commands import serve as supervisor

    settings = read_settings(data_dir)
    given = {"host": host, "port": port, "workers": workers}
    supervisor.run(settings.model_copy(update={name: value for name, value in given.items() if value is not None}))


@cli.command()
def demo(
    port: Port = None,
    data_dir: DataDir = None,
    *,
    again: Annotated[bool, typer.Option("--tour", help="Play the tour again.")] = False,
) -> None:
    """Run the server with a demo space. The first start shows a short tour of the API."""
    from app.commands import demo as guided

    settings = read_settings(data_dir)
    guided.run(settings if port is None else settings.model_copy(update={"port": port}), again=again)


@cli.command()
def migrate(
    data_dir: DataDir = None,
    login: Annotated[str | None, typer.Option(help="Make a role for servers, which cannot become the owner.")] = None,
) -> None:
    """Create or upgrade the database schema for this version."""
    from app.commands import migrate as migrating

    settings = read_settings(data_dir)
    with owner_url(settings) as url:
        migrating.run(url, settings, login)


@cli.command()
def verify(
    space_ids: Annotated[list[str] | None, typer.Argument(help="Ids of the spaces to verify; all by default.")] = None,
    data_dir: DataDir = None,
    *,
    privacy: Annotated[
        bool,
        typer.Option(
            "--privacy",
            help="Scan for leaks: plant random values in a scratch space and search database, files and logs for them.",
        ),
    ] = False,
) -> None:
    """Check that stored profiles, feed and keys agree, or scan for values in clear with --privacy.

    The exit status is 0 if all is well, 1 if anything differs or a value was found, and 2 if a part could
    not be checked, for example without the key store, or if a scan proves nothing.
    """
    if privacy:
        with extra("embedded"):
            from app.commands.leak_scan import command as leak_scan
    with extra("analysis"):
        from app.commands import verify as verifying

    if privacy and space_ids:
        raise Misconfigured("A scan reads the whole database; leave out the space ids with --privacy.")
    with migrated_database(data_dir) as (url, settings):
        status = leak_scan.run(settings, url) if privacy else verifying.run(url, space_ids or [], settings)
    if status:
        raise typer.Exit(status)


@cli.command()
def export(
    to: Annotated[Path, typer.Option(help="Directory to write to; a later run continues where this one ends.")],
    destination: Annotated[str, typer.Option(help="Name of the destination; the export contains what it may see.")],
    space_id: Annotated[str | None, typer.Argument(help="Id of the space; required if there are several.")] = None,
    data_dir: DataDir = None,
    cursor_file: Annotated[
        Path | None, typer.Option(help="Manifest file, if it should not be in the directory.")
    ] = None,
    *,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start again with all profiles and replace all files.")
    ] = False,
) -> None:
    """Export what a destination may see as Parquet files: all profiles first, later runs only changes."""
    from app.commands import export as exporting

    with migrated_database(data_dir) as (url, settings):
        manifest = None if cursor_file is None else cursor_file.expanduser().absolute()
        exporting.run(url, settings, space_id, destination, to.expanduser().absolute(), manifest, fresh=fresh)


@cli.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="New folder for the backup.")],
    data_dir: DataDir = None,
    *,
    with_root_key: Annotated[
        bool, typer.Option("--with-root-key", help="Put the root key in too: the folder alone then opens all data.")
    ] = False,
    damaged: Annotated[
        list[str] | None, typer.Option(help="A space whose keys cannot be read: it is copied as it is. Repeatable.")
    ] = None,
) -> None:
    """Back up database and key store into a new folder, while servers run. Restore it with `onefold restore`."""
    from app.commands import backup as backing_up

    with migrated_database(data_dir) as (url, settings):
        backing_up.run(url, settings, folder.expanduser().absolute(), damaged or (), with_root_key=with_root_key)


@cli.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="Folder that `onefold backup` made.")],
    data_dir: DataDir = None,
    keys_from: Annotated[
        Path | None, typer.Option(help="A newer backup to take the keys from, if there is no key store any more.")
    ] = None,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a database that holds data. Its key store stays.")
    ] = False,
) -> None:
    """Restore a backup. Stop all servers first. People who were erased after the backup stay erased."""
    from app.commands import restore as restoring

    newer = None if keys_from is None else keys_from.expanduser().absolute()
    restoring.run(read_settings(data_dir), folder.expanduser().absolute(), newer, replace=replace)


@cli.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help"]}
)
def psql(context: typer.Context, data_dir: DataDir = None) -> None:
    """Open the database in psql, as its owner. Further arguments go to psql: `onefold psql -c "SELECT 1"`."""
    from app.commands import psql as opening

    with existing_database(data_dir) as (url, settings):
        status = opening.run(url, settings, context.args)
    if status:
        raise typer.Exit(status)


@cli.command()
def reset(
    data_dir: DataDir = None,
    *,
    confirm: Annotated[bool, typer.Option("--confirm", help="Destroy the data, not only list it.")] = False,
) -> None:
    """Destroy the data directory: embedded database, keys, logs. Refuses while a server runs."""
    from app.commands import reset as resetting

    resetting.run(read_settings(data_dir), confirm=confirm)


@cli.callback()
def options(*, _version: Version = False) -> None:
    """Identity resolution and encrypted profiles on one Postgres."""


keys = typer.Typer(
    name="keys",
    help="Roll, rotate and back up encryption keys, and apply them to a restored database.",
    no_args_is_help=True,
)
cli.add_typer(keys)
SpaceIds = Annotated[list[str] | None, typer.Argument(help="Ids of the spaces; all by default.")]


@keys.command()
def roll(space_ids: SpaceIds = None, data_dir: DataDir = None) -> None:
    """Replace the epoch key of each space, so that no older database backup can reveal erased people."""
    _with_keys("roll", space_ids, data_dir)


@keys.command()
def dump(space_ids: SpaceIds = None, data_dir: DataDir = None) -> None:
    """Back up the key tables into the key store, and check that every key opens."""
    _with_keys("dump", space_ids, data_dir)


@keys.command()
def overlay(
    space_ids: SpaceIds = None,
    data_dir: DataDir = None,
    *,
    deleted: Annotated[
        bool, typer.Option("--deleted", help="Delete again the spaces whose keys are gone from the key store.")
    ] = False,
) -> None:
    """Apply the newest key backup to a restored database. Stop all servers first; it refuses while one runs."""
    from app.commands import keys as commands

    with migrated_database(data_dir) as (url, settings):
        commands.overlay(url, settings, space_ids or [], deleted=deleted)


@keys.command()
def vouch(
    data_dir: DataDir = None,
    *,
    confirm: Annotated[bool, typer.Option("--confirm", help="Give the listed API keys their MACs.")] = False,
) -> None:
    """List the API keys that another version stored and this one refuses, after a restore by other tools."""
    from app.commands import keys as commands

    with migrated_database(data_dir) as (url, settings):
        commands.vouch(url, settings, confirm=confirm)


@keys.command()
def discard(
    space_ids: Annotated[list[str] | None, typer.Argument(help="Ids of spaces; none lists them.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Destroy keys and journal of spaces whose rows are gone, after a restore of an older backup; list such spaces."""
    _with_keys("discard", space_ids, data_dir)


@keys.command("rotate-index")
def rotate_index(space_ids: SpaceIds = None, data_dir: DataDir = None) -> None:
    """Replace the index key and recompute every blind index. Servers may run; repeat the command to continue."""
    _with_keys("rotate_index", space_ids, data_dir)


@keys.command("rotate-root")
def rotate_root(data_dir: DataDir = None) -> None:
    """Replace the root key. Stop all servers first; the command refuses while one runs.

    A root key in a file is replaced by a new file. A root key in ONEFOLD_ROOT_KEY is replaced by the one
    in ONEFOLD_NEW_ROOT_KEY; start the server with the new one afterwards.
    """
    from app.commands import keys as commands

    with migrated_database(data_dir) as (url, settings):
        commands.rotate_root(url, settings)


def _with_keys(name: str, space_ids: list[str] | None, data_dir: Path | None) -> None:
    from app.commands import keys as commands

    with migrated_database(data_dir) as (url, settings):
        getattr(commands, name)(url, settings, space_ids or [])


def main() -> None:
    """Run the command line."""
    with report():
        cli()
