"""Segment's Profile API: the users and accounts of a space, for clients of Segment.

A space other than that of the key is answered as if it had no profile. Every read by an employee's key is in the
audit log, found or not.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response
from msgspec import Struct

from app.http import segment_profile_api
from app.http.auth import ByLister, ByReader, Visit
from app.http.openapi import described, schema_of
from app.http.responses import Segment, answer, audit_read
from app.schemas.segment import profile_api as schemas
from app.schemas.segment.profile_api import (
    ApiCursor,
    ApiError,
    ApiEvents,
    ApiExternalIds,
    ApiLinks,
    ApiMetadata,
    ApiProfiles,
    ApiTraits,
)
from identity.operations.profiles import segment_accounts, segment_events, segment_links, segment_users
from identity.operations.profiles.segment_paging import ListParameters, Page
from identity.operations.profiles.segment_values import Collection
from identity.spaces.space import Space
from identity.values.errors import BadCursor, BadIdentifier, BadParameter, ProfileNotFound, TooMuch
from identity.values.ids import private

router = APIRouter(tags=["Segment Profile API"])
_ROOT = "/v1/spaces/{space_id}/collections/{collection}/profiles"
_ONE = _ROOT + "/{ref}"
_REFUSALS = (BadParameter, BadIdentifier, BadCursor, ProfileNotFound, TooMuch)
_OK, _UNUSED = 200, 422
_PHONE, _SEGMENT_ID, _USER = "phone_number:", "segment_id:", "use_"


class ListRoute(NamedTuple):
    """A list of a profile: the operation that reads it, its shape, and its length by default and at most."""

    read: Callable[[Space, str, ListParameters], Awaitable[Page[Any]]]
    render: Callable[[Any, ApiCursor, ListParameters], Struct]
    default: int
    most: int


LISTS: dict[Collection, dict[str, ListRoute]] = {
    "users": {
        "traits": ListRoute(segment_users.traits, schemas.api_traits, 10, 200),
        "external_ids": ListRoute(segment_users.external_ids, schemas.api_external_ids, 25, 100),
        "events": ListRoute(segment_events.events, schemas.api_events, 100, 100),
        "metadata": ListRoute(segment_users.metadata, schemas.api_metadata, 1, 100),
        "links": ListRoute(segment_links.accounts_of, schemas.api_links, 20, 20),
    },
    "accounts": {
        "traits": ListRoute(segment_accounts.traits, schemas.api_traits, 10, 200),
        "external_ids": ListRoute(segment_accounts.external_ids, schemas.api_external_ids, 25, 100),
        "events": ListRoute(segment_accounts.events, schemas.api_events, 100, 100),
        "metadata": ListRoute(segment_accounts.metadata, schemas.api_metadata, 1, 100),
        "links": ListRoute(segment_links.users_of, schemas.api_links, 20, 20),
    },
}
ALL: dict[Collection, Callable[[Space, ListParameters], Awaitable[Page[Any]]]] = {
    "users": segment_users.listed,
    "accounts": segment_accounts.listed,
}


# The document describes these; `app.http.segment_profile_api` reads them, more strictly than the framework.
_PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "include": ({"type": "string"}, "Only these names of traits, types or events, separated by commas."),
    "exclude": ({"type": "string"}, "Without these names of events, separated by commas."),
    "class": (
        {"type": "string", "enum": ["audience", "computed_trait"]},
        "Only computed traits. Onefold computes none, so the list is empty.",
    ),
    "verbose": ({"type": "boolean"}, "Show the time, message and origin of each item."),
    "start": ({"type": "string", "format": "date-time"}, "Only events at this time or later (RFC 3339)."),
    "end": ({"type": "string", "format": "date-time"}, "Only events before this time (RFC 3339)."),
    "sort": ({"type": "string", "enum": ["asc", "desc"]}, "By arrival; newest first unless `asc`."),
    "next": ({"type": "string"}, "The `next` of the cursor of the page before."),
}


def _described(shape: type, most: int, *names: str) -> dict[str, Any]:
    made = described(shape, *_REFUSALS)
    # Errors have Segment's shape, and 400 replaces 422; `default` keeps the framework from adding 422.
    error = {"application/json": schema_of(ApiError)}
    kept = {status: each for status, each in made["responses"].items() if status != _UNUSED}
    refusals = {status: {**each, "content": error} for status, each in kept.items() if status != _OK}
    made["responses"] = {_OK: kept[_OK], **refusals, "default": {"description": "Any other error.", "content": error}}
    limit = ({"type": "integer", "minimum": 1, "maximum": most}, "The number of items of a page.")
    made["openapi_extra"] = {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema, "description": text}
            for name, (schema, text) in (("limit", limit), *((name, _PARAMETERS[name]) for name in names))
        ]
    }
    return made


@router.get(_ROOT, **_described(ApiProfiles, 100, "next"))
async def list_profiles(request: Request, visit: ByLister, space_id: Segment, collection: Segment) -> Response:
    """Every profile of a collection."""
    name = segment_profile_api.one_of_names("collection", collection, ALL)
    wanted = segment_profile_api.list_parameters(request.query_params.multi_items(), 100, 100)
    _own(visit, space_id)
    await audit_read(visit, f"profile_api.{collection}", None)
    page = await ALL[name](visit.space, wanted)
    cursor = schemas.api_cursor(visit.space.public_id, name, "", wanted, page.next)
    return answer(schemas.api_profiles(page.items, cursor))


@router.get(_ONE + "/traits", **_described(ApiTraits, 200, "include", "class", "verbose", "next"))
async def get_traits(
    request: Request, visit: ByReader, space_id: Segment, collection: Segment, ref: Segment
) -> Response:
    """Traits, by name."""
    return await _read(request, visit, space_id, collection, ref, "traits")


@router.get(_ONE + "/external_ids", **_described(ApiExternalIds, 100, "include", "verbose", "next"))
async def get_ids(request: Request, visit: ByReader, space_id: Segment, collection: Segment, ref: Segment) -> Response:
    """Identifiers, in the order they were linked."""
    return await _read(request, visit, space_id, collection, ref, "external_ids")


@router.get(_ONE + "/events", **_described(ApiEvents, 100, "start", "end", "include", "exclude", "sort", "next"))
async def get_events(
    request: Request, visit: ByReader, space_id: Segment, collection: Segment, ref: Segment
) -> Response:
    """Calls, newest first."""
    return await _read(request, visit, space_id, collection, ref, "events")


@router.get(_ONE + "/metadata", **_described(ApiMetadata, 100, "verbose"))
async def get_metadata(
    request: Request, visit: ByReader, space_id: Segment, collection: Segment, ref: Segment
) -> Response:
    """The creation time of a profile, and its first and last calls."""
    return await _read(request, visit, space_id, collection, ref, "metadata")


@router.get(_ONE + "/links", **_described(ApiLinks, 20, "next"))
async def get_links(
    request: Request, visit: ByReader, space_id: Segment, collection: Segment, ref: Segment
) -> Response:
    """The accounts of a user, the users of an account."""
    return await _read(request, visit, space_id, collection, ref, "links")


async def _read(request: Request, visit: Visit, space_id: str, collection: str, ref: str, what: str) -> Response:
    name = segment_profile_api.one_of_names("collection", collection, LISTS)
    wanted_list = LISTS[name][what]
    wanted = segment_profile_api.list_parameters(
        request.query_params.multi_items(), wanted_list.default, wanted_list.most
    )
    action = f"profile_api.{what}"
    try:
        _own(visit, space_id)
        page = await _first(wanted_list.read, visit.space, ref, wanted)
    except ProfileNotFound:
        await audit_read(visit, action, None)
        raise
    await audit_read(visit, action, page.profile_id)
    place = schemas.list_place(page.profile_id, what)
    cursor = schemas.api_cursor(visit.space.public_id, name, place, wanted, page.next)
    return answer(wanted_list.render(page.items, cursor, wanted))


def _own(visit: Visit, space_id: str) -> None:
    if private("spc", space_id) != visit.space.public_id:
        raise ProfileNotFound


async def _first(
    read: Callable[[Space, str, ListParameters], Awaitable[Page[Any]]], space: Space, ref: str, wanted: ListParameters
) -> Page[Any]:
    """The page of the first reading of a reference that is a profile. ProfileNotFound without one."""
    first, *others = _readings(ref)
    try:
        return await read(space, first, wanted)
    except ProfileNotFound:
        for each in others:
            with suppress(ProfileNotFound, BadIdentifier):
                return await read(space, each, wanted)
        raise


def _readings(ref: str) -> list[str]:
    """What a reference may mean, as the native surface writes it.

    Segment's names of types may also be types of the space: an identifier that the lists show is found by that name.
    """
    if ref.startswith(_PHONE):
        return [ref, f"phone:{ref.removeprefix(_PHONE)}"]
    if ref.startswith(_SEGMENT_ID):
        own = ref.removeprefix(_SEGMENT_ID)
        return (
            [ref, f"prf_{own.removeprefix('prf_').removeprefix(_USER)}"] if own.startswith((_USER, "prf_")) else [ref]
        )
    return [f"prf_{ref.removeprefix(_USER)}"] if ref.startswith(_USER) and ":" not in ref else [ref]
