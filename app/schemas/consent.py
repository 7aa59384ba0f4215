"""The wire shapes of consent that is recorded."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from identity.operations.ingest.record_consent import RecordedConsent
from identity.planning.resolution.event_time import format_time
from identity.values.public_fields import PublicProfileId, Time


class Decisions(Struct):
    """What somebody decided, by category; `evidence` is kept sealed with it. Without a time it was now."""

    identifier: Annotated[str, Meta(examples=["email:ann@example.com"])]
    decisions: dict[str, bool] = {}
    captured_at: str | None = None
    jurisdiction: Annotated[str | None, Meta(examples=["DE", "US-CA"])] = None
    minor: bool | None = None
    evidence: Any = None


class Recorded(Struct):
    """What was recorded; `evidence_id` names it."""

    profile_id: PublicProfileId
    evidence_id: str
    captured_at: Time
    decisions: dict[str, bool]


def recorded(value: RecordedConsent) -> Recorded:
    """Renders the decisions that were recorded."""
    return Recorded(value.profile_id, value.evidence_id, format_time(value.captured_at), value.decisions)
