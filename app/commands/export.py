"""`onefold export`: writes what a destination may see into a directory, as Parquet files."""

import asyncio
import secrets
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.settings import Settings
from identity.operations.destinations import manage_destinations
from identity.operations.destinations.count_audience import count_audience
from identity.operations.destinations.feed_export import export_steps
from identity.operations.spaces import open_spaces, record_read
from identity.operations.warehouse.export_destination import export_destination
from identity.operations.warehouse.export_folder import Folder
from identity.spaces.choose_spaces import choose_space
from identity.store.ledger.ledger import OPERATOR
from identity.values.ids import public

_out = Console(highlight=False, soft_wrap=True)


def run(
    url: str, settings: Settings, space_id: str | None, name: str, to: Path, manifest: Path | None, *, fresh: bool
) -> None:
    """Write the next run of an export and print a summary. SpaceNotFound, DestinationNotFound, Misconfigured."""
    asyncio.run(_run(url, settings, space_id, name, Folder(to, manifest), fresh=fresh))


async def _run(url: str, settings: Settings, space_id: str | None, name: str, folder: Folder, *, fresh: bool) -> None:
    spaces = await open_spaces.open_spaces(
        url, root_file=settings.root_key_file, root_value=settings.root_value, key_store=settings.key_folder
    )
    try:
        space = await spaces.get((await choose_space(spaces.database, space_id)).id)
        destination_id = public("dst", (await manage_destinations.get_destination(space, name)).id)
        await record_read.note(space, OPERATOR, "destination.export", destination_id)
        with _bar() as bar:
            task = bar.add_task(name, total=None)

            async def progress(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            anew = secrets.token_hex(8) if fresh else None
            made = await export_destination(space, destination_id, folder, export_steps, progress, anew=anew)
            audience = await count_audience(space, destination_id)
    finally:
        await spaces.database.close()
    rows = ", ".join(f"{count} {table}" for table, count in made.rows.items() if count)
    _out.print(f"{name}: run {made.run} of the export is written ({rows or 'nothing changed'}).", markup=False)
    _out.print(audience.sentence(name), markup=False)


def _bar() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
