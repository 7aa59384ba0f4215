"""Keeps the denials of a person in force where identifiers are parted from her: a browser takes its own along.

Invariant: what was denied for the person before the cut is denied after it, until she or a server grants again.
"""

from collections.abc import Sequence
from typing import Final

from identity.operations.ingest.queue import IngestQueue
from identity.operations.ingest.record_consent import MOST_DECISIONS, record_consent
from identity.operations.profiles.consent_history import consent_at
from identity.spaces.space import Space
from identity.values.calls import Source

_UNDECIDED: Final = frozenset({"unset", "expired"})


async def keep_denials(space: Space, queue: IngestQueue, identifiers: Sequence[str], source: Source) -> None:
    """Record at the first of these identifiers of a person each purpose that is denied for the person now.

    `identifiers` are written `type:value`. BadIdentifier, ProfileNotFound.
    """
    consent = await consent_at(space, identifiers[0], None)
    denied = [name for name, each in consent.purposes.items() if not each.granted and each.reason not in _UNDECIDED]
    for first in range(0, len(denied), MOST_DECISIONS):
        decisions = dict.fromkeys(denied[first : first + MOST_DECISIONS], False)
        await record_consent(space, queue, identifiers[0], decisions, source, evidence={"reason": "public_joins_cut"})
