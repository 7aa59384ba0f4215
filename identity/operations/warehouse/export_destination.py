"""Exports what a destination may see, as the next run of its directory: from where the last one ended.

Every part that is written is a place to go on from, so a run that dies loses no more than one. An
export whose place in the feed is no longer kept begins anew with everybody, and so does one that is
asked to; what lay there before counts until it is through.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from msgspec.structs import replace

from identity.operations.warehouse.export_folder import Folder
from identity.operations.warehouse.parquet import encode
from identity.planning.destinations.warehouse_tables import TABLES, Batch, Gone, Manifest, State
from identity.planning.resolution.event_time import format_time
from identity.spaces.space import Space
from identity.values.errors import ExportNotConfigured, Resync
from identity.values.ids import public

PART_BYTES: Final = 16 * 1024 * 1024


class Told(Protocol):
    """What is told next and the cursor after it; `first` as `Batch.tell` has it, `still` that after it."""

    @property
    def told(self) -> Sequence[State | Gone]: ...  # noqa: D102
    @property
    def cursor(self) -> str: ...  # noqa: D102
    @property
    def first(self) -> bool: ...  # noqa: D102
    @property
    def still(self) -> bool: ...  # noqa: D102
    @property
    def done(self) -> int: ...  # noqa: D102
    @property
    def total(self) -> int: ...  # noqa: D102


class Increments(Protocol):
    """What there is to tell a destination after a cursor."""

    def __call__(  # noqa: D102
        self, space: Space, destination_id: str, cursor: str | None, *, first: bool
    ) -> AsyncIterator[Told]: ...


Progress = Callable[[int, int], Awaitable[None]]


async def run(
    space: Space, wanted: Mapping[str, Any], below: Path | None, increments: Increments, progress: Progress
) -> dict[str, Any]:
    """The export of a job, in a directory named by ids below the one that is set. ExportNotConfigured."""
    if below is None:
        raise ExportNotConfigured
    place = f"{public('spc', space.public_id)}/{wanted['destination']}"
    made = await export(space, wanted["destination"], Folder(below / place), increments, progress, anew=wanted["anew"])
    return {**made, "directory": place}


async def export(
    space: Space,
    destination_id: str,
    folder: Folder,
    increments: Increments,
    progress: Progress,
    *,
    anew: str | None = None,
    part_bytes: int = PART_BYTES,
) -> dict[str, Any]:
    """Writes the next run, or what is left of one that was interrupted; what it came to.

    `anew` begins with everybody, once for each value. Misconfigured where the directory holds anything
    else; BadCursor, DestinationNotFound.
    """
    async with folder.held():
        manifest = await asyncio.to_thread(folder.open, public("spc", space.public_id), destination_id)
        begun = manifest.anew(anew) if anew not in (None, manifest.asked) else manifest.next_run()
        writer = _Writer(space, destination_id, folder, part_bytes)
        try:
            manifest = await writer.write(begun, increments, progress)
        except Resync:
            # From where it came to by then: what it wrote this time is replaced as well.
            manifest = await writer.write(writer.reached(begun).anew(begun.asked), increments, progress)
    return {
        "destination_id": destination_id,
        "run": manifest.run,
        "parts": manifest.part,
        "snapshot": manifest.snapshot == manifest.run,
        "rows": manifest.rows,
        "cursor": manifest.cursor,
    }


class _Writer:
    """Writes one run, part by part."""

    def __init__(self, space: Space, destination_id: str, folder: Folder, part_bytes: int) -> None:
        self._space = space
        self._destination_id = destination_id
        self._folder = folder
        self._part_bytes = part_bytes
        self._published: Manifest | None = None

    def reached(self, begun: Manifest) -> Manifest:
        """The last manifest that was published, or the one it began with."""
        return self._published or begun

    async def write(self, manifest: Manifest, increments: Increments, progress: Progress) -> Manifest:
        batch = Batch(manifest.seq)
        reached, first = manifest.cursor, manifest.first
        async for step in increments(self._space, self._destination_id, manifest.cursor, first=manifest.first):
            batch.tell(step.told, time.time_ns() // 1000, first=step.first)
            reached, first = step.cursor, step.still
            if batch.size >= self._part_bytes:
                manifest = await self._publish(batch, replace(manifest, cursor=reached, first=first))
                batch = Batch(manifest.seq)
            await progress(step.done, step.total)
        manifest = await self._publish(batch, replace(manifest, cursor=reached, first=first).finished())
        await _whole(self._folder.tidy, manifest)
        return manifest

    async def _publish(self, batch: Batch, manifest: Manifest) -> Manifest:
        # A snapshot begins with a file of every table, so that each can be read from then on.
        begins = manifest.part == 0 and manifest.run == manifest.snapshot
        filled = {table: rows for table, rows in batch.rows.items() if rows or begins}
        rows = {table: manifest.rows.get(table, 0) + len(batch.rows[table]) for table in TABLES}
        manifest = replace(
            manifest,
            part=manifest.part + bool(filled),
            seq=batch.seq,
            rows=rows,
            written_at=format_time(time.time_ns() // 1000),
        )

        def publish() -> None:
            tables = {table: encode(TABLES[table], rows) for table, rows in filled.items()}
            self._folder.publish(tables, manifest)

        await _whole(publish)
        self._published = manifest
        return manifest


async def _whole(work: Callable[..., None], *args: Any) -> None:
    """Does something in a thread to its end, also where whoever waits for it is told to stop.

    The directory is held as long: nobody else may begin while a thread still writes.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, *args))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
