"""The shapes of the list of rejections."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from identity.values.public_fields import PublicProfileId, Time


class NotLinked(Struct):
    """An identifier that was not linked; where its value was not stored, how many there were of a reason."""

    identifier: Annotated[str | None, Meta(examples=["email:ann@example.com"])]
    reason: str
    count: int


class Rejection(Struct):
    """A call that was not taken, or not whole.

    `reason` is the code of a rejection, or `trait_limit`; `ignored_traits` are at most 50 names of the
    `ignored_count` traits, decisions and memberships that found no room. A call that named somebody
    who is suppressed has no `message_id`.
    """

    at: Time
    received_at: Time
    message_id: str | None
    type: str | None
    status: Literal["rejected", "suppressed", "unresolved", "accepted"]
    reason: str | None
    demoted: list[NotLinked]
    ignored_traits: list[str]
    ignored_count: int
    source: Annotated[str | None, Meta(description="The id of the key that sent it.")]
    profile_id: PublicProfileId | None


class RejectionPage(Struct):
    """A page of the list, newest first."""

    rejections: list[Rejection]
    next_cursor: str | None
