"""Calls in the Segment format, and the answers of collection."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from app.schemas.fields import Time
from identity.values.calls import Outcome
from identity.values.json import JsonObject


class CallBody(Struct, rename="camel"):
    """A call in the Segment format. Fields that are not listed here are stored with the call."""

    user_id: str | int | UnsetType | None = UNSET
    anonymous_id: str | int | UnsetType | None = UNSET
    message_id: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET
    timestamp: Time | UnsetType = UNSET
    sent_at: Time | UnsetType = UNSET
    context: JsonObject | UnsetType = UNSET
    traits: JsonObject | UnsetType = UNSET
    properties: JsonObject | UnsetType = UNSET
    event: str | UnsetType = UNSET
    group_id: str | int | UnsetType = UNSET
    previous_id: str | int | UnsetType = UNSET
    write_key: str | UnsetType = UNSET


class BatchedCall(CallBody, kw_only=True):
    """One call of a batch."""

    type: Literal["identify", "track", "page", "screen", "group", "alias"]


class CallBatch(Struct, rename="camel"):
    """The calls of a request, which are committed together. `context` is merged into each call."""

    batch: Annotated[list[BatchedCall], Meta(max_length=2_500)]
    sent_at: Time | UnsetType = UNSET
    context: JsonObject | UnsetType = UNSET
    write_key: str | UnsetType = UNSET


class Accepted(Struct):
    """Every call that the outcomes do not list as rejected is committed."""

    success: Literal[True]
    outcomes: list[Outcome] | UnsetType = UNSET


class CollectionRefusal(Struct):
    """An error of collection; nothing of the request was stored."""

    success: Literal[False]
    code: str
    message: str
