"""What a destination reads with its own key: profiles, and the feed of their changes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.http.auth import ByAnyone, ByDestination, Visit, destination
from app.http.openapi import body, described
from app.http.responses import Cursor, Limit, Segment, answer
from app.schemas.destinations import Acknowledged, FeedPage, FeedPlace, SeenLookup, SeenProfile, SeenProfiles
from identity.operations.destinations import acknowledge_changes, destination_read, read_changes
from identity.operations.destinations.destination_scope import open_scope
from identity.values.errors import (
    BadCursor,
    BadIdentifier,
    CallbackRepeated,
    DestinationNotFound,
    InvalidSignature,
    ProfileNotFound,
    RateLimited,
    Resync,
    TooMuch,
    Unavailable,
)

router = APIRouter(tags=["Destinations"])
Wait = Annotated[float, Query(ge=0, le=30, description="How long to wait for a change, in seconds.")]
FEED_LIMIT = 100


@router.post(
    "/v1/destination/profiles/lookup",
    **described(SeenProfiles, BadIdentifier, DestinationNotFound, TooMuch, takes=SeenLookup),
)
async def look_up(visit: ByDestination, wanted: Annotated[SeenLookup, Depends(body(SeenLookup))]) -> Response:
    """Many profiles at once, each with what may be seen of it now."""
    found = await destination_read.lookup(visit.space, _id(visit), list(dict.fromkeys(wanted.identifiers)))
    visit.onefold.limits.missed(visit.caller, sum(each is None for each in found.values()))
    return answer({"profiles": found})


@router.get(
    "/v1/destination/profiles/{ref}",
    **described(SeenProfile, BadIdentifier, ProfileNotFound, DestinationNotFound, TooMuch),
)
async def get_profile(visit: ByDestination, ref: Segment) -> Response:
    """What may be seen of a profile now, by an identifier of a type that may be seen or by its id."""
    return answer(await destination_read.get_profile(visit.space, _id(visit), ref))


@router.get("/v1/changes", **described(FeedPage, BadCursor, Resync, DestinationNotFound))
async def get_changes(
    visit: ByDestination, cursor: Cursor = None, limit: Limit = FEED_LIMIT, wait: Wait = 0
) -> Response:
    """The next changes after a cursor; without one all that may be seen now, and then what changes."""
    return answer(await read_changes.changes(visit.space, _id(visit), cursor, limit, wait))


@router.post("/v1/changes/ack", **described(Acknowledged, BadCursor, Resync, DestinationNotFound, takes=FeedPlace))
async def acknowledge(visit: ByDestination, place: Annotated[FeedPlace, Depends(body(FeedPlace))]) -> Response:
    """Everything up to a cursor is applied: the erasures told by then are done."""
    scope = await open_scope(visit.space, _id(visit))
    position = read_changes.read_position(visit.space, scope, place.cursor)
    return answer(await acknowledge_changes.acknowledge(visit.space, scope.id, position))


@router.post(
    "/v1/callbacks/{destination_id}",
    **described(
        Acknowledged, InvalidSignature, CallbackRepeated, Resync, Unavailable, RateLimited, takes=FeedPlace, public=True
    ),
)
async def acknowledge_signed(onefold: ByAnyone, request: Request, destination_id: Segment) -> Response:
    """The same by a message that is signed with the secret of the callback, as Standard Webhooks has it."""
    raw, admit = await request.body(), onefold.limits.callback
    space, message = await acknowledge_changes.signed(onefold.spaces, destination_id, request.headers, raw, admit)
    place: FeedPlace = await body(FeedPlace)(request)
    scope = await open_scope(space, destination_id)
    try:
        position = read_changes.read_position(space, scope, place.cursor)
    except BadCursor:
        # Signed as it is, it is about another destination.
        raise CallbackRepeated from None
    return answer(await acknowledge_changes.acknowledge(space, scope.id, position, message))


def _id(visit: Visit) -> str:
    return destination(visit.caller) or ""
