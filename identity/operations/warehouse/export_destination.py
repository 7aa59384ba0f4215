"""Exports what a destination may see as the next run of its folder, from where the last run ended.

Every published part is a place to continue from, so a run that dies loses one part at most. An export
whose position in the feed is no longer kept, or that is asked to start fresh, begins with all profiles;
the parts of before count until the new snapshot is complete.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from identity.operations.warehouse.export_folder import Folder
from identity.operations.warehouse.parquet import encode
from identity.planning.destinations.audience import Audience
from identity.planning.destinations.warehouse_tables import TABLES, ExportManifest, ExportStep, RowBatch
from identity.planning.resolution.event_time import format_time
from identity.spaces.space import Space
from identity.values.errors import ExportNotConfigured, Resync
from identity.values.ids import public
from identity.values.stamps import wall_time

PART_BYTES: Final = 16 * 1024 * 1024


Progress = Callable[[int, int], Awaitable[None]]
CountAudience = Callable[[Space, str], Awaitable[Audience]]


class Steps(Protocol):
    """The steps of the export of a destination after a cursor."""

    def __call__(  # noqa: D102
        self, space: Space, destination_id: str, cursor: str | None, *, first: bool
    ) -> AsyncIterator[ExportStep]: ...


class ExportRun(Struct, frozen=True, omit_defaults=True):
    """A finished run: its number, parts and rows by table; `snapshot` where it began with all profiles.

    `audience` says how many profiles the destination may see, and what keeps the others out.
    """

    destination_id: str
    run: int
    parts: int
    snapshot: bool
    rows: dict[str, int]
    cursor: str | None
    directory: str | None = None
    audience: Audience | None = None


async def run_export_job(
    space: Space, wanted: Mapping[str, Any], below: Path | None, steps: Steps, count: CountAudience, progress: Progress
) -> ExportRun:
    """Run the export of a job, in a folder named by ids below a directory. ExportNotConfigured without one."""
    if below is None:
        raise ExportNotConfigured
    directory = f"{public('spc', space.public_id)}/{wanted['destination']}"
    folder = Folder(below / directory)
    made = await export_destination(space, wanted["destination"], folder, steps, progress, anew=wanted["anew"])
    return replace(made, directory=directory, audience=await count(space, wanted["destination"]))


async def export_destination(
    space: Space,
    destination_id: str,
    folder: Folder,
    steps: Steps,
    progress: Progress,
    *,
    anew: str | None = None,
    part_bytes: int = PART_BYTES,
) -> ExportRun:
    """Write the next run, or the rest of an interrupted one.

    Each new value of `anew` begins with all profiles once. Misconfigured where the folder holds anything
    else; BadCursor, DestinationNotFound.
    """
    async with folder.held():
        manifest = await asyncio.to_thread(folder.open, public("spc", space.public_id), destination_id)
        begun = manifest.restarted(anew) if anew not in (None, manifest.asked) else manifest.next_run()
        writer = _Writer(space, destination_id, folder, part_bytes)
        try:
            manifest = await writer.write(begun, steps, progress)
        except Resync:
            # Begin again after the last published part, which the new snapshot replaces too.
            manifest = await writer.write(writer.reached(begun).restarted(begun.asked), steps, progress)
    return ExportRun(
        destination_id=destination_id,
        run=manifest.run,
        parts=manifest.part,
        snapshot=manifest.snapshot == manifest.run,
        rows=manifest.rows,
        cursor=manifest.cursor,
    )


class _Writer:
    """Writes one run, part by part."""

    def __init__(self, space: Space, destination_id: str, folder: Folder, part_bytes: int) -> None:
        self._space = space
        self._destination_id = destination_id
        self._folder = folder
        self._part_bytes = part_bytes
        self._published: ExportManifest | None = None

    def reached(self, begun: ExportManifest) -> ExportManifest:
        """The manifest of the last published part, or the one that the run began with."""
        return self._published or begun

    async def write(self, manifest: ExportManifest, steps: Steps, progress: Progress) -> ExportManifest:
        batch = RowBatch(manifest.seq)
        reached, first = manifest.cursor, manifest.first
        async for step in steps(self._space, self._destination_id, manifest.cursor, first=manifest.first):
            batch.add(step.states, wall_time(), first=step.first)
            reached, first = step.cursor, step.still_first
            if batch.size >= self._part_bytes:
                manifest = await self._publish(batch, replace(manifest, cursor=reached, first=first))
                batch = RowBatch(manifest.seq)
            await progress(step.done, step.total)
        manifest = await self._publish(batch, replace(manifest, cursor=reached, first=first).finished())
        await _uninterrupted(self._folder.tidy, manifest)
        return manifest

    async def _publish(self, batch: RowBatch, manifest: ExportManifest) -> ExportManifest:
        # A snapshot begins with a file of every table, so that each can be read from then on.
        begins = manifest.part == 0 and manifest.run == manifest.snapshot
        filled = {table: rows for table, rows in batch.rows.items() if rows or begins}
        rows = {table: manifest.rows.get(table, 0) + len(batch.rows[table]) for table in TABLES}
        manifest = replace(
            manifest,
            part=manifest.part + bool(filled),
            seq=batch.seq,
            rows=rows,
            written_at=format_time(wall_time()),
        )

        def publish() -> None:
            tables = {table: encode(TABLES[table], rows) for table, rows in filled.items()}
            self._folder.publish(tables, manifest)

        await _uninterrupted(publish)
        self._published = manifest
        return manifest


async def _uninterrupted(work: Callable[..., None], *args: Any) -> None:
    """Run work in a thread to its end, even when the waiting task is cancelled.

    The folder stays locked as long: no other export may begin while a thread still writes.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, *args))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
