"""Builds an access export as a job: reads section by section and seals each part.

The place after a part is stored with it, so another process continues an interrupted job. A part is stored
only while every origin it was read from still has the same key, so erased data never enters an export.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from identity.operations.privacy.access_exports.access_export_sections import SectionStep
from identity.operations.privacy.access_exports.open_export import ExportJob, export_key, export_row
from identity.operations.privacy.access_exports.request_export import DOWNLOADABLE
from identity.planning.privacy.access_export import ExportPart, ExportPosition, pack, split, unpack
from identity.spaces.retry import RetryPolicy, repeat
from identity.spaces.space import Space
from identity.store.privacy import access_exports, requests
from identity.values.enums import AccessExportState
from identity.values.errors import Conflict, ExportNotFound, KeyUnavailable
from identity.values.ids import ExportId, RequestId, public
from identity.values.json import JsonObject
from identity.values.stamps import Micros, wall_time
from identity.vault.seal import EXPORT

# A person may be split or erased between reading and writing, or two processes build the same export.
_POLICY: Final = RetryPolicy(attempts=8, jitter=0.025, conflicts=(Conflict, KeyUnavailable), lasting=())

Sections = Callable[[Space, Sequence[str], ExportPosition], AsyncIterator[SectionStep]]
"""The steps of an export of some profiles from a place on."""
RenderItem = Callable[[str, Struct], Struct]
"""The item of a value in a section (by name), as the export holds it."""
Progress = Callable[[int, int], Awaitable[None]]


class BuiltExport(Struct, frozen=True):
    """The result of the job of an export."""

    export_id: str
    profiles: int


async def build_export(
    space: Space, wanted: JsonObject, progress: Progress, sections: Sections, item: RenderItem
) -> BuiltExport:
    """Run the job of an export, from where it was interrupted. ExportNotFound once the export is gone."""
    job = msgspec.convert(wanted, ExportJob)
    return await repeat(_POLICY, lambda: _build(space, job, progress, sections, item))


async def _build(space: Space, job: ExportJob, progress: Progress, sections: Sections, item: RenderItem) -> BuiltExport:
    id_ = ExportId(bytes.fromhex(job.export))
    async with space.database.reading() as connection:
        export = await export_row(space, connection, id_)
        last = await access_exports.part(connection, space.tenant, id_, export.parts - 1) if export.parts else None
    key = await export_key(space, id_)
    place = ExportPosition() if last is None else unpack(key.open(EXPORT, id_, export.parts - 1, last)).following
    nr = export.parts
    if export.state == AccessExportState.RUNNING:
        await progress(place.done, max(place.done, job.total))
        async for step in sections(space, job.profiles, place):
            items = [item(step.section, value) for value in step.values]
            part = ExportPart(step.profile, step.section, items, step.following)
            parts = [key.seal(EXPORT, id_, nr + at, pack(each)) for at, each in enumerate(split(part))]
            async with space.database.transaction() as connection:
                if not await access_exports.add_parts(connection, space.tenant, id_, nr, parts, step.keys):
                    raise ExportNotFound
            nr += len(parts)
            place = step.following
            await progress(place.done, max(place.done, job.total))
        async with space.database.transaction() as connection:
            if not await access_exports.mark_ready(connection, space.tenant, id_, Micros(wall_time() + DOWNLOADABLE)):
                # Destroyed, or finished by another process.
                raise Conflict
            if job.request is not None:
                await requests.mark_answered(connection, space.tenant, RequestId(bytes.fromhex(job.request)))
        await progress(place.done, place.done)
    return BuiltExport(public("exp", id_), len(job.profiles))
