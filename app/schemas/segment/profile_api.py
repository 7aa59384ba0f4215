"""The wire shapes of Segment's Profile API, and how values become them."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET, Struct

from app.schemas.fields import PublicProfileId, Time
from identity.operations.profiles.segment_accounts import GROUP_TYPE
from identity.operations.profiles.segment_paging import ListParameters
from identity.operations.profiles.segment_values import (
    Collection,
    CollectionLink,
    CollectionTimes,
    ListedAccount,
    ListedUser,
    SourcedCall,
    SourcedIdentifier,
    SourcedTrait,
)
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.stored_calls import StoredCall
from identity.values.ids import ProfileId, SpaceId, public, public_profile
from identity.values.json import JsonObject


class ApiFailure(Struct):
    """An error."""

    code: str
    message: str


class ApiError(Struct):
    """An error of the Profile API."""

    error: ApiFailure


class ApiCursor(Struct):
    """The place where a list continues: send `next` where `has_more` is true."""

    url: str
    has_more: bool
    next: str
    limit: int


class ApiTrait(Struct):
    """A trait with the key that set it."""

    value: Any
    source_id: str | None
    updated_at: Time


class ApiTraits(Struct):
    """A page of traits by name; with `verbose`, objects of value, source_id and updated_at."""

    traits: JsonObject
    cursor: ApiCursor


class ApiExternalId(Struct):
    """An identifier, and the call that linked it."""

    source_id: str | None
    collection: str
    id: str
    type: str
    created_at: Time | None
    encoding: str
    first_message_id: str | None


class ApiExternalIds(Struct):
    """A page of identifiers."""

    data: list[ApiExternalId]
    cursor: ApiCursor


class ApiEventId(Struct):
    """An identifier of a call."""

    collection: str
    type: str
    id: str
    encoding: str


class ApiRelated(Struct):
    """The profile of a call."""

    users: PublicProfileId


class ApiEvent(Struct):
    """A call as it arrived; only a track call has an `event`, only page and screen calls `name` and `category`."""

    external_ids: list[ApiEventId]
    context: JsonObject
    type: str
    message_id: str
    source_id: str | None
    timestamp: Time
    properties: JsonObject
    related: ApiRelated
    event: Any = UNSET
    name: Any = UNSET
    category: Any = UNSET


class ApiEvents(Struct):
    """A page of calls; it may end before its limit where a filter skips many calls, and then has a cursor."""

    data: list[ApiEvent]
    cursor: ApiCursor


class ApiAbout(Struct):
    """The times of a profile, with its first and last calls."""

    created_at: Time | None
    updated_at: Time | None
    expires_at: None
    first_message_id: str | None
    first_source_id: str | None
    last_message_id: str | None
    last_source_id: str | None


class ApiMetadata(Struct):
    """The metadata of a profile."""

    metadata: ApiAbout


class ApiLink(Struct):
    """A profile of the other collection."""

    to_collection: str
    external_ids: list[ApiExternalId]


class ApiLinks(Struct):
    """A page of links."""

    data: list[ApiLink]
    cursor: ApiCursor


class ApiListed(Struct):
    """A profile in the list of all."""

    segment_id: str
    created_at: Time | None
    updated_at: Time | None


class ApiProfiles(Struct):
    """A page of all profiles of a collection."""

    data: list[ApiListed]
    cursor: ApiCursor


def api_cursor(
    space: SpaceId, collection: Collection, place: str, wanted: ListParameters, following: str | None
) -> ApiCursor:
    """The cursor of a page; `space` is a public id, `place` the address after the profiles of the collection."""
    url = f"/v1/spaces/{public('spc', space)}/collections/{collection}/profiles{place}"
    return ApiCursor(url, following is not None, following or "", wanted.limit)


def list_place(profile_id: ProfileId | None, what: str) -> str:
    """The address of a list of a profile, or of a group, which has no id."""
    return f"/{'-' if profile_id is None else public_profile(profile_id)}/{what}"


def api_traits(found: Mapping[str, SourcedTrait], cursor: ApiCursor, wanted: ListParameters) -> ApiTraits:
    """A page of traits."""
    if wanted.verbose:
        return ApiTraits({name: _trait(each) for name, each in found.items()}, cursor)
    return ApiTraits({name: each.value for name, each in found.items()}, cursor)


def api_external_ids(found: Sequence[SourcedIdentifier], cursor: ApiCursor, _wanted: ListParameters) -> ApiExternalIds:
    """A page of identifiers."""
    return ApiExternalIds([_external_id(each) for each in found], cursor)


def api_events(found: Sequence[SourcedCall], cursor: ApiCursor, _wanted: ListParameters) -> ApiEvents:
    """A page of calls."""
    return ApiEvents([_event(each) for each in found], cursor)


def api_metadata(value: CollectionTimes, _cursor: ApiCursor, _wanted: ListParameters) -> ApiMetadata:
    """The metadata of a profile or group."""
    return ApiMetadata(
        ApiAbout(
            created_at=format_time(value.created_at),
            updated_at=format_time(value.updated_at),
            expires_at=None,
            first_message_id=_message_id(value.first),
            first_source_id=value.first_source,
            last_message_id=_message_id(value.last),
            last_source_id=value.last_source,
        )
    )


def api_links(found: Sequence[CollectionLink], cursor: ApiCursor, _wanted: ListParameters) -> ApiLinks:
    """A page of links."""
    links = [ApiLink(each.collection, [_external_id(linked) for linked in each.identifiers]) for each in found]
    return ApiLinks(links, cursor)


def api_profiles(found: Sequence[ListedUser | ListedAccount], cursor: ApiCursor) -> ApiProfiles:
    """A page of all profiles of a collection."""
    return ApiProfiles([_listed(each) for each in found], cursor)


def _trait(value: SourcedTrait) -> ApiTrait:
    return ApiTrait(value.value, value.source, format_time(value.updated_at))


def _external_id(value: SourcedIdentifier) -> ApiExternalId:
    return ApiExternalId(
        source_id=value.source,
        collection=value.collection,
        id=value.value,
        type=value.type,
        created_at=format_time(value.created_at),
        encoding="none",
        first_message_id=_message_id(value.call),
    )


def _event(value: SourcedCall) -> ApiEvent:
    body = value.call.body
    event = ApiEvent(
        external_ids=[ApiEventId(value.collection, each.type, each.value, "none") for each in value.identifiers],
        context=_object(body.get("context")),
        type=value.kind,
        message_id=value.call.message_id,
        source_id=value.source,
        timestamp=format_time(value.call.time),
        properties=_object(body.get("traits" if value.kind in ("identify", "group") else "properties")),
        related=ApiRelated(public_profile(value.profile_id)),
    )
    if value.kind == "track":
        event.event = body.get("event", UNSET)
    elif value.kind in ("page", "screen"):
        event.name, event.category = body.get("name", UNSET), body.get("category", UNSET)
    return event


def _listed(value: ListedUser | ListedAccount) -> ApiListed:
    if isinstance(value, ListedUser):
        return ApiListed(public_profile(value.id), format_time(value.created_at), format_time(value.updated_at))
    return ApiListed(f"{GROUP_TYPE}:{value.name}", format_time(value.created_at), None)


def _message_id(call: StoredCall | None) -> str | None:
    return None if call is None else call.message_id


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}
