"""Purposes and destinations, by the admin of the space."""

from fastapi import APIRouter, Request, Response

from app.auth import ByAdmin
from app.body import decode
from app.destination_shapes import (
    Destination,
    DestinationDocument,
    DestinationList,
    DestinationPut,
    DestinationSecret,
    PurposesDocument,
    PurposesInForce,
    PurposesVersion,
)
from app.openapi import described
from app.routes.answers import Segment, answer, done
from identity.errors import BadDestination, BadPurposes, DestinationNotFound
from identity.journeys import destinations

router = APIRouter(tags=["Destinations"])


@router.get("/v1/purposes", **described(PurposesInForce))
async def get_purposes(visit: ByAdmin) -> Response:
    """The purposes in force, with their version."""
    return answer(await destinations.get_purposes(visit.space))


@router.put("/v1/purposes", **described(PurposesVersion, BadPurposes, takes=PurposesDocument))
async def put_purposes(visit: ByAdmin, request: Request) -> Response:
    """Put a whole document in force; what is served after this is answered goes by it."""
    document = decode(await request.body())
    return answer({"version": await destinations.put_purposes(visit.space, document, visit.caller.key_id)})


@router.get("/v1/destinations", **described(DestinationList))
async def list_destinations(visit: ByAdmin) -> Response:
    """All destinations, and how far each is in the feed."""
    return answer({"destinations": await destinations.every(visit.space)})


@router.get("/v1/destinations/{name}", **described(Destination, DestinationNotFound))
async def get_destination(visit: ByAdmin, name: Segment) -> Response:
    """A destination, and how far it is in the feed."""
    return answer(await destinations.get(visit.space, name))


_PUT = described(DestinationPut, BadDestination, takes=DestinationDocument)
_PUT["responses"][201] = _PUT["responses"][200] | {"description": "It is new: its secrets are told this once."}


@router.put("/v1/destinations/{name}", **_PUT)
async def put_destination(visit: ByAdmin, name: Segment, request: Request) -> Response:
    """Put what a destination may see in force, whole; 201 with its secrets where it is new."""
    document = decode(await request.body())
    made, new = await destinations.put(visit.space, name, document, visit.caller.key_id)
    return answer(made, 201 if new else 200)


@router.post("/v1/destinations/{name}/rotate", **described(DestinationSecret, DestinationNotFound))
async def rotate(visit: ByAdmin, name: Segment) -> Response:
    """A new secret beside the one there is; the one before that ends."""
    return answer(await destinations.rotate(visit.space, name, visit.caller.key_id))


@router.delete("/v1/destinations/{name}", **described(None, DestinationNotFound, status=204))
async def delete_destination(visit: ByAdmin, name: Segment) -> Response:
    """End a destination and its keys; what it was told stays on record."""
    for key_id in await destinations.remove(visit.space, name, visit.caller.key_id):
        visit.onefold.keys.revoked(key_id)
    return done()
