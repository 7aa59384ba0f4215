"""Purposes and destinations for administrators, and why a destination has or lacks a trait."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.http.auth import ByAdmin
from app.http.openapi import described
from app.http.repeated_members import decode_document
from app.http.responses import Segment, answer, audit_read, no_content
from app.schemas import destinations as schemas
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
from app.schemas.jobs import JobStatus, job_status
from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.explain_missing_trait import explain_missing_trait
from identity.operations.spaces import record_read
from identity.values.enums import JobKind
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
from identity.values.ids import public
from identity.values.unknown_names import UnknownPurpose, UnknownType

router = APIRouter(tags=["Destinations"])
PersonQuery = Annotated[str, Query(max_length=1_100, description="The person, as `type:value`.")]
TraitQuery = Annotated[str, Query(min_length=1, max_length=500, description="The name of a trait.")]
FreshQuery = Annotated[bool, Query(description="Begin again with all profiles, replacing what was exported before.")]


@router.get("/v1/purposes", **described(PurposesInForce))
async def get_purposes(visit: ByAdmin) -> Response:
    """The purposes in force, with their version."""
    return answer(schemas.purposes_in_force(await manage_purposes.get_purposes(visit.space)))


@router.put("/v1/purposes", **described(PurposesVersion, BadPurposes, takes=PurposesDocument))
async def put_purposes(visit: ByAdmin, request: Request) -> Response:
    """Put a whole document in force for all later answers to destinations."""
    document = decode_document(await request.body())
    version = await manage_purposes.put_purposes(visit.space, document, visit.caller.key_id)
    return answer(PurposesVersion(version, await manage_destinations.lacking_a_purpose(visit.space)))


@router.get("/v1/destinations", **described(DestinationList))
async def list_destinations(visit: ByAdmin) -> Response:
    """All destinations with their progress in the feed."""
    found = await manage_destinations.list_destinations(visit.space)
    return answer(DestinationList([schemas.destination(each) for each in found]))


@router.get("/v1/destinations/{name}", **described(Destination, DestinationNotFound))
async def get_destination(visit: ByAdmin, name: Segment) -> Response:
    """A destination with its progress in the feed."""
    return answer(schemas.destination(await manage_destinations.get_destination(visit.space, name)))


_PUT = described(DestinationPut, BadDestination, BadCallback, UnknownPurpose, UnknownType, takes=DestinationDocument)
_PUT["responses"][201] = _PUT["responses"][200] | {"description": "Created; its secrets are shown this once."}


@router.put("/v1/destinations/{name}", **_PUT)
async def put_destination(visit: ByAdmin, name: Segment, request: Request) -> Response:
    """Put the whole document of a destination in force; 201 with the secrets for a new destination."""
    document = decode_document(await request.body())
    vet = visit.onefold.callbacks.vet
    made = await manage_destinations.put_destination(visit.space, name, document, visit.caller.key_id, vet)
    return answer(schemas.destination_put(made), 201 if made.created else 200)


@router.post("/v1/destinations/{name}/rotate", **described(DestinationSecret, DestinationNotFound))
async def rotate_secrets(visit: ByAdmin, name: Segment) -> Response:
    """Issue new secrets; the previous ones stay valid until the next rotation."""
    made = await manage_destinations.rotate_secrets(visit.space, name, visit.caller.key_id)
    return answer(schemas.destination_secret(made))


@router.post("/v1/destinations/{name}/resume", **described(Destination, DestinationNotFound))
async def resume_destination(visit: ByAdmin, name: Segment) -> Response:
    """Send to the callback again at once, from where sending stopped; ends the pause that a restore began."""
    found = await manage_destinations.resume_destination(visit.space, name, visit.caller.key_id)
    return answer(schemas.destination(found))


@router.delete("/v1/destinations/{name}", **described(None, DestinationNotFound, status=204))
async def delete_destination(visit: ByAdmin, name: Segment) -> Response:
    """Delete a destination and revoke its keys; the record of its disclosures stays."""
    for key_id in await manage_destinations.remove_destination(visit.space, name, visit.caller.key_id):
        visit.onefold.keys.revoked(key_id)
    return no_content()


@router.get(
    "/v1/destinations/{name}/explain",
    **described(GapExplained, BadIdentifier, UnknownType, DestinationNotFound, TooMuch),
)
async def explain_trait(visit: ByAdmin, name: Segment, identifier: PersonQuery, trait: TraitQuery) -> Response:
    """Why a destination sees or does not see a trait: nine checks (gates), in order."""
    try:
        found = await explain_missing_trait(visit.space, name, identifier, trait)
    except OnefoldError:
        await audit_read(visit, "destination.explain", None)
        raise
    await audit_read(visit, "destination.explain", found.profile)
    return answer(schemas.gap_explained(found))


@router.post(
    "/v1/destinations/{name}/export", **described(JobStatus, DestinationNotFound, ExportNotConfigured, status=202)
)
async def export_destination(visit: ByAdmin, name: Segment, *, fresh: FreshQuery = False) -> Response:
    """Export the visible profiles as Parquet files, from where the last export ended, as a job."""
    if visit.onefold.settings.export_dir is None:
        raise ExportNotConfigured
    destination_id = public("dst", (await manage_destinations.get_destination(visit.space, name)).id)
    await record_read.note(visit.space, visit.caller.key_id, "destination.export", destination_id)
    wanted = {"destination": destination_id, "anew": secrets.token_hex(8) if fresh else None}
    return answer(job_status(await visit.onefold.jobs.ask(visit.space, JobKind.WAREHOUSE, wanted)), 202)
