"""The wire shapes of recorded consent, and how values become them."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from identity.operations.ingest.record_consent import RecordedConsent
from identity.planning.resolution.event_time import format_time
from identity.values.public_fields import PublicProfileId, Time


class Decisions(Struct):
    """The decisions of a person, by category; `evidence` is stored sealed with them. Without a time they are of now."""

    identifier: Annotated[str, Meta(examples=["email:ann@example.com"])]
    decisions: dict[str, bool] = {}
    captured_at: str | None = None
    jurisdiction: Annotated[str | None, Meta(examples=["DE", "US-CA"])] = None
    minor: bool | None = None
    evidence: Any = None


class Recorded(Struct):
    """Recorded decisions; `evidence_id` names the stored call."""

    profile_id: PublicProfileId
    evidence_id: str
    captured_at: Time
    decisions: dict[str, bool]


def recorded(value: RecordedConsent) -> Recorded:
    """Recorded decisions as the API answers them."""
    return Recorded(value.profile_id, value.evidence_id, format_time(value.captured_at), value.decisions)
