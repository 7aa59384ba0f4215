"""Calls in the Segment format, and the answers of collection."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from identity.values.calls import Outcome
from identity.values.json import JsonObject
from identity.values.public_fields import Time


class CallBody(Struct, rename="camel"):
    """One call, in Segment's format; what is not named here is kept with it."""

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
    """Calls of one request; they are committed together. `context` is merged into each of them."""

    batch: Annotated[list[BatchedCall], Meta(max_length=2_500)]
    sent_at: Time | UnsetType = UNSET
    context: JsonObject | UnsetType = UNSET
    write_key: str | UnsetType = UNSET


class Accepted(Struct):
    """Everything that is not named as rejected is committed."""

    success: Literal[True]
    outcomes: list[Outcome] | UnsetType = UNSET


class CollectionRefusal(Struct):
    """A refusal on the collection surface; nothing of the request was stored."""

    success: Literal[False]
    code: str
    message: str
