"""Recording decisions on somebody's behalf: a call of Onefold's own, that goes the way of all calls.

So it has its stamp, is evidence for as long as the person is there, and counts by the time at which
it was said. What came with it as proof is sealed with it.
"""

import time
from typing import Any

from identity.operations.ingest.queue import IngestQueue
from identity.operations.ingest.request import Request
from identity.planning.consent.statements import region
from identity.planning.resolution.event_time import format_time, parse_time
from identity.spaces.space import Space
from identity.values.calls import Source
from identity.values.errors import BadDecisions, BadIdentifier, Suppressed
from identity.values.identifiers import parse
from identity.values.ids import new_id

MOST_DECISIONS = 200
LONGEST_CATEGORY = 64


async def record(
    space: Space,
    queue: IngestQueue,
    ref: str,
    decisions: dict[str, bool],
    source: Source,
    *,
    captured_at: str | None = None,
    jurisdiction: str | None = None,
    minor: bool | None = None,
    evidence: Any = None,
) -> dict[str, Any]:
    """Records what the person of `type:value`, known or not, decided, `captured_at` or now.

    Answers with what it recorded: grants that found no room in a full document are not among it.
    BadIdentifier, BadDecisions, Suppressed.
    """
    named = parse(ref, (await space.rules()).region)
    if not (decisions or jurisdiction or minor is not None) or len(decisions) > MOST_DECISIONS:
        raise BadDecisions
    if any(not 0 < len(category) <= LONGEST_CATEGORY for category in decisions):
        raise BadDecisions
    now = time.time_ns() // 1000
    captured = now if captured_at is None else parse_time(captured_at)
    where = None if jurisdiction is None else region(jurisdiction)
    if captured is None or (jurisdiction is not None and where is None):
        raise BadDecisions
    message_id = f"consent-{new_id().hex()}"
    said = {"jurisdiction": where, "minor": minor}
    body = {
        "messageId": message_id,
        "decisions": decisions,
        "evidence": evidence,
        "context": {
            "externalIds": [{"id": named.value, "type": named.type, "collection": "users", "encoding": "none"}],
            "consent": {name: value for name, value in said.items() if value is not None},
        },
        # What is said to have been decided later than now was decided now.
        "timestamp": format_time(min(captured, now)),
    }
    outcome = (await queue.submit(space, Request([body], source=source, received=now, kind="consent")))[0]
    if outcome.status == "suppressed":
        raise Suppressed
    if outcome.status == "rejected" or outcome.profile_id is None:
        raise BadIdentifier
    return {
        "profile_id": outcome.profile_id,
        "evidence_id": message_id,
        "captured_at": format_time(min(captured, now)),
        "decisions": {name: said for name, said in decisions.items() if name not in outcome.ignored_traits},
    }
