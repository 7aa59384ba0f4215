"""Answers in the shapes of Segment's Profile API. The value is the answer: its fields are those of Segment."""

from typing import Any

from msgspec import UNSET, Struct

from identity.values.json import JsonObject
from identity.values.public_fields import PublicProfileId, Time


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
