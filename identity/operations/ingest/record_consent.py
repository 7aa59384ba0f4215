"""Records consent decisions for a person, by a call of Onefold's own kind that is ingested like any other.

So the decisions have a stamp, are evidence for as long as the person is stored, and count by the time at which
they were made. The proof that comes with them is sealed with them.
"""

from typing import Any

import msgspec
from msgspec import Struct

from identity.operations.ingest.queue import IngestQueue
from identity.operations.ingest.request import LARGEST_ITEM, IngestRequest
from identity.operations.profiles.consent_history import purposes_at
from identity.planning.consent.decision_refusals import BeforeErasure
from identity.planning.consent.regions import parse_region, region_hint
from identity.planning.resolution.event_time import CLOCK_ERROR, format_time
from identity.spaces.named_identifiers import read_identifier
from identity.spaces.space import Space
from identity.values.calls import Source
from identity.values.enums import UnlinkedReason
from identity.values.errors import BadDecisions, BadIdentifier, Suppressed
from identity.values.ids import ProfileId, new_id, private
from identity.values.stamps import Micros, wall_time
from identity.values.timestamps import parse_timestamp, time_fault
from identity.values.unknown_names import unknown_purposes

MOST_DECISIONS = 200
_NOTHING = "The request decides nothing; send decisions (purpose: true or false), a jurisdiction or minor."


class RecordedConsent(Struct, frozen=True):
    """The decisions of a profile that were recorded; `message_id` names the stored call.

    Grants that found no room in a full document are not among the decisions. Where nobody had the identifier before,
    `found` is False: the decisions hold for a new profile, and so for the person who appears later.
    """

    profile_id: ProfileId
    message_id: str
    captured_at: Micros
    decisions: dict[str, bool]
    found: bool


async def record_consent(
    space: Space,
    queue: IngestQueue,
    ref: str,
    decisions: dict[str, bool],
    source: Source,
    *,
    captured_at: str | float | None = None,
    jurisdiction: str | None = None,
    minor: bool | None = None,
    evidence: Any = None,
) -> RecordedConsent:
    """Records the decisions of the person of `type:value`, known or not, made at `captured_at` or now.

    BadIdentifier, UnknownType, BadDecisions, UnknownPurpose, Suppressed, BeforeErasure.
    """
    named = await read_identifier(space, ref, of_person=True)
    if not (decisions or jurisdiction or minor is not None):
        raise BadDecisions(_NOTHING)
    if len(decisions) > MOST_DECISIONS:
        raise BadDecisions(f"decisions may hold at most {MOST_DECISIONS} purposes; send several requests.")
    if unknown := unknown_purposes(decisions, (await purposes_at(space)).purposes, "decisions"):
        raise unknown
    now = wall_time()
    time = now if captured_at is None else parse_timestamp(captured_at)
    if time is None:
        raise BadDecisions(
            f"captured_at {time_fault(captured_at)}; send the time at which the person decided, as RFC 3339, such as"
            " 2026-01-31T12:00:00Z, or as seconds since 1970."
        )
    if time > now + CLOCK_ERROR:
        raise BadDecisions("captured_at lies in the future; send the time at which the person decided.")
    where = None if jurisdiction is None else parse_region(jurisdiction)
    if jurisdiction is not None and where is None:
        raise BadDecisions(
            f"jurisdiction must be a country or a region of a country, such as DE or US-CA. {region_hint(jurisdiction)}"
        )
    message_id = f"consent-{new_id().hex()}"
    time = min(time, now)
    signals = {"jurisdiction": where, "minor": minor}
    body = {
        "messageId": message_id,
        "decisions": decisions,
        "evidence": evidence,
        "context": {
            "externalIds": [{"id": named.value, "type": named.type, "collection": "users", "encoding": "none"}],
            "consent": {name: value for name, value in signals.items() if value is not None},
        },
        # A decision is never later than now.
        "timestamp": format_time(time),
    }
    outcome = (await queue.submit(space, IngestRequest([body], source=source, received=now, kind="consent")))[0]
    if outcome.status == "suppressed":
        raise BeforeErasure if outcome.reason == UnlinkedReason.BEFORE_ERASURE else Suppressed
    await _publish(space, signals, decisions)
    if outcome.reason == "too_large":
        raise _too_large(decisions, evidence)
    profile_id = private("prf", outcome.profile_id or "")
    if profile_id is None:
        raise BadIdentifier
    recorded = {name: granted for name, granted in decisions.items() if name not in outcome.ignored_traits}
    return RecordedConsent(
        profile_id=profile_id,
        message_id=message_id,
        captured_at=time,
        decisions=recorded,
        found=not outcome.created,
    )


async def _publish(space: Space, signals: dict[str, Any], decisions: dict[str, bool]) -> None:
    """Copy a withdrawal into the journal before it is answered, so that a restore of an older backup repeats it."""
    if any(signals.values()) or False in decisions.values():
        await space.publish()


def _too_large(decisions: dict[str, bool], evidence: Any) -> BadDecisions:
    """The error for a request that is too large for a stored call; the message names the larger of its two fields."""
    sizes = {"evidence": len(msgspec.json.encode(evidence)), "decisions": len(msgspec.json.encode(decisions))}
    field = max(sizes, key=sizes.__getitem__)
    return BadDecisions(
        f"{field} is too large: the decisions with their evidence may have at most {LARGEST_ITEM:,} bytes as JSON,"
        f" and {field} has {sizes[field]:,}; shorten {field}."
    )
