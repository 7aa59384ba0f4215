"""Serves a destination with its own key: reads of profiles and the feed, and acknowledgements of changes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.http.auth import ByAnyone, ByDestination, Visit, destination
from app.http.openapi import body, described
from app.http.responses import Cursor, Limit, Segment, answer
from app.schemas.feed import (
    Acknowledged,
    FeedCursor,
    FeedPage,
    SeenLookup,
    SeenProfile,
    SeenProfiles,
    acknowledged,
    feed_page,
    seen_profile,
    seen_profiles,
)
from identity.operations.destinations import destination_read
from identity.operations.destinations.acknowledge_changes import acknowledge_changes, verify_message
from identity.operations.destinations.count_audience import count_audience
from identity.operations.destinations.destination_scope import open_scope
from identity.operations.destinations.opened_items import read_position
from identity.operations.destinations.read_changes import Waiting, read_changes
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
    **described(SeenProfiles, DestinationNotFound, TooMuch, takes=SeenLookup),
)
async def look_up_visible_profiles(
    visit: ByDestination, wanted: Annotated[SeenLookup, Depends(body(SeenLookup))]
) -> Response:
    """Many profiles at once, each with its visible part."""
    async with visit.onefold.limits.looking_up(visit.caller, len(wanted.identifiers)):
        found = await destination_read.look_up_each(visit.space, _id(visit), wanted.identifiers)
        visit.onefold.limits.require_found(visit.caller, found.profiles.values())
    return answer(seen_profiles(found))


@router.get(
    "/v1/destination/profiles/{ref}",
    **described(SeenProfile, BadIdentifier, ProfileNotFound, DestinationNotFound, TooMuch),
)
async def get_visible_profile(visit: ByDestination, ref: Segment) -> Response:
    """The visible part of a profile, by id or by an identifier of a visible type."""
    return answer(seen_profile(await destination_read.get_profile(visit.space, _id(visit), ref)))


@router.get("/v1/changes", **described(FeedPage, BadCursor, Resync, DestinationNotFound))
async def get_changes(
    visit: ByDestination, cursor: Cursor = None, limit: Limit = FEED_LIMIT, wait: Wait = 0
) -> Response:
    """The changes after a cursor; without a cursor, first a snapshot of all visible profiles."""
    if wait:
        async with visit.onefold.long_polls.turn(visit.caller.key_number) as reader:
            waiting = Waiting(reader, visit.onefold.feed_waker)
            page = await read_changes(visit.space, _id(visit), cursor, limit, wait, waiting)
    else:
        page = await read_changes(visit.space, _id(visit), cursor, limit)
    empty = cursor is None and not page.changes and not page.more
    audience = await count_audience(visit.space, _id(visit)) if empty else None
    return answer(feed_page(page, audience))


@router.post("/v1/changes/ack", **described(Acknowledged, BadCursor, Resync, DestinationNotFound, takes=FeedCursor))
async def acknowledge(visit: ByDestination, feed_cursor: Annotated[FeedCursor, Depends(body(FeedCursor))]) -> Response:
    """Acknowledge everything up to a cursor as applied: the erasures up to it are done."""
    scope = await open_scope(visit.space, _id(visit))
    position = read_position(visit.space, scope, feed_cursor.cursor)
    return answer(acknowledged(await acknowledge_changes(visit.space, scope.id, position)))


@router.post(
    "/v1/callbacks/{destination_id}",
    **described(
        Acknowledged,
        InvalidSignature,
        CallbackRepeated,
        Resync,
        Unavailable,
        RateLimited,
        takes=FeedCursor,
        public=True,
    ),
)
async def acknowledge_by_signature(onefold: ByAnyone, request: Request, destination_id: Segment) -> Response:
    """Acknowledge in a message signed with the callback secret, in the form of Standard Webhooks."""
    raw, admit = await request.body(), onefold.limits.callback
    space, message = await verify_message(onefold.spaces, destination_id, request.headers, raw, admit)
    feed_cursor: FeedCursor = await body(FeedCursor)(request)
    scope = await open_scope(space, destination_id)
    try:
        position = read_position(space, scope, feed_cursor.cursor)
    except BadCursor:
        # The signature is good, so the cursor is of another destination.
        raise CallbackRepeated from None
    return answer(acknowledged(await acknowledge_changes(space, scope.id, position, message)))


def _id(visit: Visit) -> str:
    return destination(visit.caller) or ""
