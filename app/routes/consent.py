"""Consent: recording a decision on somebody's behalf, and what was decided at any time."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.http.auth import ByPrivacy
from app.http.openapi import body, described
from app.http.responses import Segment, answer
from app.schemas.consent import Decisions, Recorded, recorded
from identity.operations.ingest.record_consent import record_consent
from identity.operations.profiles.answers import ConsentAt
from identity.operations.profiles.consent_history import consent_at
from identity.operations.spaces import record_read
from identity.values.calls import Source
from identity.values.errors import BadDecisions, BadIdentifier, BadParameter, ProfileNotFound, Suppressed, TooMuch

router = APIRouter(tags=["Consent"])
At = Annotated[str | None, Query(max_length=64, description="RFC 3339; without it, now.")]


@router.post("/v1/consent", **described(Recorded, BadIdentifier, BadDecisions, Suppressed, takes=Decisions))
async def record(visit: ByPrivacy, said: Annotated[Decisions, Depends(body(Decisions))]) -> Response:
    """Record what somebody decided; it counts from the moment this is answered, everywhere."""
    consent = await record_consent(
        visit.space,
        visit.onefold.ingest_queue,
        said.identifier,
        said.decisions,
        Source(visit.caller.key, server=True),
        captured_at=said.captured_at,
        jurisdiction=said.jurisdiction,
        minor=said.minor,
        evidence=said.evidence,
    )
    await record_read.note(visit.space, visit.caller.key_id, "consent.record", consent.profile_id)
    return answer(recorded(consent))


@router.get("/v1/consent/{ref}", **described(ConsentAt, BadIdentifier, BadParameter, ProfileNotFound, TooMuch))
async def get_consent(visit: ByPrivacy, ref: Segment, at: At = None) -> Response:
    """What somebody had decided at a time, what that permitted, and all that was said until then."""
    found = await consent_at(visit.space, ref, at)
    await record_read.note(visit.space, visit.caller.key_id, "consent.read", found.profile_id)
    return answer(found)
