"""The wire shapes of consent, recorded and at a time, and how values become them."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field, structs

from app.schemas.fields import PublicProfileId, Time, TypeHint, time_or_null
from identity.operations.ingest.record_consent import RecordedConsent
from identity.operations.profiles.consent_history import (
    CategoryConsent,
    ConsentAtTime,
    PurposeConsent,
    StatedConsent,
)
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public_profile
from identity.values.json import JsonObject
from identity.values.near_types import type_hint


class Decisions(Struct, forbid_unknown_fields=True):
    """The decisions of a person, by category; `evidence` is stored sealed with them. Without a time they are of now.

    `captured_at` has the forms of a time in a call: RFC 3339, or a number of seconds or milliseconds since 1970.
    """

    identifier: Annotated[str, Meta(examples=["email:ann@example.com"])]
    decisions: dict[str, bool] = {}
    captured_at: str | int | float | None = None
    jurisdiction: Annotated[str | None, Meta(examples=["DE", "US-CA"])] = None
    minor: bool | None = None
    evidence: Any = None


class Recorded(Struct):
    """Recorded decisions; `evidence_id` is the message id of the stored call.

    `found` is false where nobody had the identifier: the decisions hold for the person who appears later.
    """

    profile_id: PublicProfileId
    evidence_id: str
    captured_at: Time
    decisions: dict[str, bool]
    found: bool
    hint: TypeHint


def recorded(value: RecordedConsent, identifier: str) -> Recorded:
    """Recorded decisions of the person of an identifier, as the API answers them."""
    return Recorded(
        profile_id=public_profile(value.profile_id),
        evidence_id=value.message_id,
        captured_at=format_time(value.captured_at),
        decisions=value.decisions,
        found=value.found,
        hint=None if value.found else type_hint([identifier]),
    )


class CategoryAnswer(Struct):
    """The answer for a category, and the evidence for it."""

    value: bool
    conflict: bool
    captured_at: Time
    evidence_ids: list[str]


class PurposeAnswer(Struct):
    """Whether a purpose is permitted, why, and until when; `partly`: permitted for a part of the profile only."""

    granted: bool
    reason: str
    partly: bool
    until: Time | None


class StatingCall(Struct):
    """A call that states consent; `signal_sources` are the signals that it carries, such as `gpc` or `tcf`."""

    evidence_id: str
    type: str
    profile_id: PublicProfileId
    captured_at: Time
    received_at: Time
    source: str | None
    server_side: bool
    signal_sources: list[str]
    invalid_signals: list[str]
    jurisdiction: Any
    evidence: Any


class ConsentStatement(StatingCall):
    """All that a call states about consent.

    `class` is the class of its source. `grants_count_at` is the id of the origin at which its grants count: that of the
    person, or of the device of the call; null where they count nowhere. Denials count for the person.
    """

    decisions: dict[str, bool]
    signals: JsonObject
    class_: Literal["public", "proven", "server"] = field(name="class")
    grants_count_at: PublicProfileId | None


class ConsentAt(Struct):
    """The consent of a person at a time, what it permitted, and every statement up to then."""

    profile_id: PublicProfileId
    at: Time
    consent: dict[str, CategoryAnswer]
    purposes: dict[str, PurposeAnswer]
    history: list[ConsentStatement]


def consent_at(value: ConsentAtTime) -> ConsentAt:
    """The consent of a person at a time as the API answers it."""
    return ConsentAt(
        profile_id=public_profile(value.profile_id),
        at=format_time(value.at),
        consent={name: _category_answer(each) for name, each in value.categories.items()},
        purposes={name: _purpose_answer(each) for name, each in value.purposes.items()},
        history=[
            ConsentStatement(
                **structs.asdict(stating_call(each)),
                decisions=each.decisions,
                signals=each.signals,
                class_=each.trust.value,
                grants_count_at=None if at is None else public_profile(at),
            )
            for each, at in zip(value.history, value.grants_at, strict=True)
        ],
    )


def _category_answer(value: CategoryConsent) -> CategoryAnswer:
    return CategoryAnswer(value.value, value.conflict, format_time(value.captured_at), value.message_ids)


def _purpose_answer(value: PurposeConsent) -> PurposeAnswer:
    return PurposeAnswer(value.granted, value.reason, value.partly, time_or_null(value.until))


def stating_call(value: StatedConsent) -> StatingCall:
    """The call of a statement as the API answers it."""
    return StatingCall(
        evidence_id=value.message_id,
        type=value.kind,
        profile_id=public_profile(value.origin),
        captured_at=format_time(value.captured_at),
        received_at=format_time(value.received_at),
        source=value.source,
        server_side=value.server_side,
        signal_sources=value.signal_sources,
        invalid_signals=value.invalid_signals,
        jurisdiction=value.jurisdiction,
        evidence=value.evidence,
    )
