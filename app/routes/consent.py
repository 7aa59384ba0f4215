"""Consent: recording the decision of a person, and the decisions in force at any time."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.http.auth import ByPrivacy
from app.http.openapi import body, described
from app.http.responses import Segment, answer
from app.schemas import consent as schemas
from app.schemas.consent import ConsentAt, Decisions, Recorded, recorded
from identity.operations.ingest.record_consent import record_consent
from identity.operations.privacy.waiting_erasures import suppression_of
from identity.operations.profiles.consent_history import consent_at
from identity.operations.spaces import record_read
from identity.planning.consent.decision_refusals import BeforeErasure
from identity.values.calls import Source
from identity.values.errors import (
    BadDecisions,
    BadIdentifier,
    BadParameter,
    ProfileNotFound,
    Suppressed,
    TooMuch,
)
from identity.values.ids import public_profile
from identity.values.unknown_names import UnknownPurpose, UnknownType

router = APIRouter(tags=["Consent"])
At = Annotated[str | None, Query(max_length=64, description="Time of the decisions (RFC 3339); default now.")]


@router.post(
    "/v1/consent",
    **described(
        Recorded, BadIdentifier, UnknownType, BadDecisions, UnknownPurpose, Suppressed, BeforeErasure, takes=Decisions
    ),
)
async def record_decisions(visit: ByPrivacy, wanted: Annotated[Decisions, Depends(body(Decisions))]) -> Response:
    """Record the decision of a person; it is in force in every process once this is answered."""
    try:
        consent = await record_consent(
            visit.space,
            visit.onefold.ingest_queue,
            wanted.identifier,
            wanted.decisions,
            Source(visit.caller.key_number, server=True),
            captured_at=wanted.captured_at,
            jurisdiction=wanted.jurisdiction,
            minor=wanted.minor,
            evidence=wanted.evidence,
        )
    except Suppressed:
        raise await suppression_of(visit.space, wanted.identifier) from None
    await record_read.note(visit.space, visit.caller.key_id, "consent.record", public_profile(consent.profile_id))
    return answer(recorded(consent, wanted.identifier))


@router.get("/v1/consent/{ref}", **described(ConsentAt, BadIdentifier, BadParameter, ProfileNotFound, TooMuch))
async def get_consent(visit: ByPrivacy, ref: Segment, at: At = None) -> Response:
    """The decisions of a person at a time, what they permitted, and every statement until then."""
    found = await consent_at(visit.space, ref, at)
    await record_read.note(visit.space, visit.caller.key_id, "consent.read", public_profile(found.profile_id))
    return answer(schemas.consent_at(found))
