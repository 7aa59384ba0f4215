"""Purposes and destinations, by the admin of the space; and why one of them has a trait, or lacks it."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.http.auth import ByAdmin
from app.http.body import decode
from app.http.openapi import described
from app.http.responses import Segment, answer, done, note
from app.schemas.corrections import Job
from app.schemas.destinations import (
    Destination,
    DestinationDocument,
    DestinationList,
    DestinationPut,
    DestinationSecret,
    GapExplained,
    PurposesDocument,
    PurposesInForce,
    PurposesVersion,
)
from identity.operations.destinations import manage_destinations
from identity.operations.destinations.explain_missing_trait import explain_gap
from identity.operations.spaces import record_read
from identity.operations.spaces.run_jobs import WAREHOUSE
from identity.values.errors import (
    BadCallback,
    BadDestination,
    BadIdentifier,
    BadPurposes,
    DestinationNotFound,
    ExportNotConfigured,
    OnefoldError,
    TooMuch,
)

router = APIRouter(tags=["Destinations"])
Asked = Annotated[str, Query(max_length=1_100, description="Whose, as `type:value`.")]
Trait = Annotated[str, Query(min_length=1, max_length=500, description="The name of a trait.")]
Fresh = Annotated[bool, Query(description="Begin anew with everybody, in the place of what was exported before.")]


@router.get("/v1/purposes", **described(PurposesInForce))
async def get_purposes(visit: ByAdmin) -> Response:
    """The purposes in force, with their version."""
    return answer(await manage_destinations.get_purposes(visit.space))


@router.put("/v1/purposes", **described(PurposesVersion, BadPurposes, takes=PurposesDocument))
async def put_purposes(visit: ByAdmin, request: Request) -> Response:
    """Put a whole document in force; what is served after this is answered goes by it."""
    document = decode(await request.body())
    return answer({"version": await manage_destinations.put_purposes(visit.space, document, visit.caller.key_id)})


@router.get("/v1/destinations", **described(DestinationList))
async def list_destinations(visit: ByAdmin) -> Response:
    """All destinations, and how far each is in the feed."""
    return answer({"destinations": await manage_destinations.every(visit.space)})


@router.get("/v1/destinations/{name}", **described(Destination, DestinationNotFound))
async def get_destination(visit: ByAdmin, name: Segment) -> Response:
    """A destination, and how far it is in the feed."""
    return answer(await manage_destinations.get(visit.space, name))


_PUT = described(DestinationPut, BadDestination, BadCallback, takes=DestinationDocument)
_PUT["responses"][201] = _PUT["responses"][200] | {"description": "It is new: its secrets are told this once."}


@router.put("/v1/destinations/{name}", **_PUT)
async def put_destination(visit: ByAdmin, name: Segment, request: Request) -> Response:
    """Put what a destination may see in force, whole; 201 with its secrets where it is new."""
    document = decode(await request.body())
    vet = visit.onefold.callbacks.vet
    made, new = await manage_destinations.put(visit.space, name, document, visit.caller.key_id, vet)
    return answer(made, 201 if new else 200)


@router.post("/v1/destinations/{name}/rotate", **described(DestinationSecret, DestinationNotFound))
async def rotate(visit: ByAdmin, name: Segment) -> Response:
    """A new secret beside the one there is; the one before that ends."""
    return answer(await manage_destinations.rotate(visit.space, name, visit.caller.key_id))


@router.post("/v1/destinations/{name}/resume", **described(Destination, DestinationNotFound))
async def resume(visit: ByAdmin, name: Segment) -> Response:
    """Send to its callback again at once, from where that stopped."""
    return answer(await manage_destinations.resume(visit.space, name, visit.caller.key_id))


@router.delete("/v1/destinations/{name}", **described(None, DestinationNotFound, status=204))
async def delete_destination(visit: ByAdmin, name: Segment) -> Response:
    """End a destination and its keys; what it was told stays on record."""
    for key_id in await manage_destinations.remove(visit.space, name, visit.caller.key_id):
        visit.onefold.keys.revoked(key_id)
    return done()


@router.get("/v1/destinations/{name}/explain", **described(GapExplained, BadIdentifier, DestinationNotFound, TooMuch))
async def explain(visit: ByAdmin, name: Segment, identifier: Asked, trait: Trait) -> Response:
    """Why a destination has a trait of somebody, or lacks it: the gates on the way there, in order."""
    try:
        found = await explain_gap(visit.space, name, identifier, trait)
    except OnefoldError:
        await note(visit, "destination.explain", None)
        raise
    await note(visit, "destination.explain", found["profile_id"])
    return answer(found)


@router.post("/v1/destinations/{name}/export", **described(Job, DestinationNotFound, ExportNotConfigured, status=202))
async def export(visit: ByAdmin, name: Segment, *, fresh: Fresh = False) -> Response:
    """Export what a destination may see, from where the last export ended, as Parquet files; as a job."""
    if visit.onefold.settings.export_dir is None:
        raise ExportNotConfigured
    destination_id = (await manage_destinations.get(visit.space, name))["destination_id"]
    await record_read.note(visit.space, visit.caller.key_id, "destination.export", destination_id)
    wanted = {"destination": destination_id, "anew": secrets.token_hex(8) if fresh else None}
    return answer(await visit.onefold.jobs.ask(visit.space, WAREHOUSE, wanted), 202)
