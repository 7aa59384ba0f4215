"""How far an OpenDSR request is, of whichever kind: what is asked for and what is called back say the same."""

from typing import Any

from identity.operations.privacy import export_person, request_erasure
from identity.planning.privacy import opendsr
from identity.planning.privacy.request_kinds import Request
from identity.spaces.space import Space
from identity.values.enums import AccessExportState
from identity.values.errors import ExportNotFound
from identity.values.ids import public


async def status_of(space: Space, found: Request, base: str | None) -> dict[str, Any]:
    """The status of a request; `base` is the address that clients know."""
    made = await export_person.asked_for(space, found.id)
    if made is None:
        return opendsr.status(found)
    try:
        gathered = (await export_person.get(space, public("exp", made.id)))["state"] != AccessExportState.RUNNING.label
        address = export_person.address(base, made) if gathered else None
    except ExportNotFound:
        # Fetched, too old, or erased since: that was the answer.
        gathered, address = True, None
    return opendsr.access_status(found, gathered=gathered, results=address)


async def to_call(space: Space, id_: bytes, base: str | None) -> tuple[dict[str, Any], list[str]]:
    """The same by the id of a request, and whom it is to be told."""
    found = await request_erasure.get(space, id_)
    return await status_of(space, found, base), list((found.details or {}).get("callbacks", ()))
