"""The wire shapes of the list of rejected calls, and how values become them."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from app.schemas.fields import PublicProfileId, Time
from identity.operations.integrity.list_rejections import ListedRejections, RejectionSummary
from identity.operations.integrity.listed_rejection import ListedRejection
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public_profile


class UnlinkedIdentifier(Struct):
    """An identifier that was not linked, or, where its value is not stored, the number of them for a reason."""

    identifier: Annotated[str | None, Meta(examples=["email:ann@example.com"])]
    reason: str
    count: int


class IgnoredField(Struct):
    """A field of a call that is not read, and the reason."""

    field: str
    reason: str


class RejectedCall(Struct):
    """A call that was rejected, or accepted in part.

    `reason` is the code of a rejection, or of the first value that is lost (`trait_limit`,
    `protected_trait`, `ignored_timestamp`, `mended_value`, `invalid_signal`, a reason of `ignored_fields`).
    `ignored_count` traits, decisions and memberships exceeded the size of the profile, or are protected traits whose
    values wait for proof; `ignored_traits` holds the names of up to 50 of them. A call with an identifier of a
    suppressed or erased person has no `message_id`.
    """

    at: Time
    received_at: Time
    message_id: str | None
    type: str | None
    status: Literal["rejected", "suppressed", "unresolved", "accepted"]
    reason: str | None
    demoted: list[UnlinkedIdentifier]
    ignored_traits: list[str]
    ignored_count: int
    ignored_timestamp: Annotated[str | None, Meta(description="The fields whose timestamp is no time.")]
    mended_values: Annotated[
        int, Meta(description="Values that no JSON can hold, such as NaN: they became null or lost a character.")
    ]
    hint: Annotated[str | None, Meta(description="What to change in the call.")]
    invalid_signals: Annotated[list[str], Meta(description="The signals of consent that could not be read.")]
    ignored_fields: Annotated[list[IgnoredField], Meta(description="Other fields that are not read.")]
    source: Annotated[str | None, Meta(description="The id of the key that sent the call.")]
    profile_id: PublicProfileId | None


class RejectionPage(Struct):
    """A page of the list, newest first."""

    rejections: list[RejectedCall]
    next_cursor: str | None


class LostOnDay(Struct):
    """How much was lost on a day (UTC, of arrival) for a reason: calls, identifiers or values."""

    day: Annotated[str, Meta(examples=["2026-01-31"])]
    source: Annotated[str | None, Meta(description="The id of the key that sent the calls.")]
    reason: str
    count: int


class LostByDay(Struct):
    """Counts by day, source and reason, the newest day first.

    With a `next_cursor` there are older lines to count; the counts of all pages add up.
    """

    counts: list[LostOnDay]
    next_cursor: str | None


def lost_by_day(value: RejectionSummary) -> LostByDay:
    """The summary of the list."""
    return LostByDay(
        [LostOnDay(each.day, each.source, each.reason, each.count) for each in value.counts], value.next_cursor
    )


def rejection_page(value: ListedRejections) -> RejectionPage:
    """A page of the list."""
    return RejectionPage([_rejected_call(each) for each in value.rejections], value.next_cursor)


def _rejected_call(value: ListedRejection) -> RejectedCall:
    return RejectedCall(
        at=format_time(value.at),
        received_at=format_time(value.received_at),
        message_id=value.message_id,
        type=value.kind,
        status=value.status.label,  # type: ignore[arg-type]  # the labels are the literals
        reason=value.reason,
        demoted=[UnlinkedIdentifier(each.identifier, each.reason, each.count) for each in value.demoted],
        ignored_traits=value.ignored,
        ignored_count=value.ignored_count,
        ignored_timestamp=value.ignored_timestamp,
        mended_values=value.mended_values,
        hint=value.hint,
        invalid_signals=value.invalid_signals,
        ignored_fields=[IgnoredField(field, reason) for field, reason in value.ignored_fields.items()],
        source=value.source,
        profile_id=None if value.profile_id is None else public_profile(value.profile_id),
    )
