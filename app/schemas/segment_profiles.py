"""The shapes of Segment's Profile API, for the OpenAPI document."""

from typing import Any

from msgspec import Struct, field

from app.schemas.native import Time


class ApiCursor(Struct):
    """Where a list goes on: give `next` back where `has_more`."""

    url: str
    has_more: bool
    next: str
    limit: int


class ApiTraits(Struct):
    """A page of traits; with `verbose` each is an object of value, source_id and updated_at."""

    traits: dict[str, Any]
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


class ApiEvent(Struct):
    """A call as it came in."""

    external_ids: list[dict[str, Any]]
    context: dict[str, Any]
    type: str
    message_id: str
    source_id: str | None
    timestamp: Time
    properties: dict[str, Any]
    related: dict[str, str]


class ApiEvents(Struct):
    """A page of calls; one that ends early because of a filter has a cursor all the same."""

    data: list[ApiEvent]
    cursor: ApiCursor


class ApiAbout(Struct):
    """When a profile came to be, and its first and last calls."""

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


class ApiFailure(Struct):
    """What went wrong."""

    code: str
    message: str


class ApiError(Struct):
    """An error of the Profile API."""

    error: ApiFailure = field(default_factory=lambda: ApiFailure("", ""))
