"""Two people in a space that many tests read and none changes.

Ann has two devices, whose profiles merged, a group and a decision on consent. Bob is in the group too, and gave Ann's
address once: it was demoted, since Ann has a user id of her own.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from identity.operations.destinations.manage_purposes import put_purposes
from identity.spaces.space import Space
from identity.values.ids import SpaceNumber
from tests.support.processes.writer_processes import Lab, ingesting, run

ANN, BOB = "user_id:ann", "user_id:bob"
CONSENT: Final = {"consent": {"categoryPreferences": {"Ads": True}}}
CALLS: Final[list[dict[str, Any]]] = [
    {"type": "identify", "userId": "ann", "anonymousId": "a1", "messageId": "m1",
     "traits": {"email": "ann@example.org", "plan": "pro"}},
    {"type": "track", "event": "Seen", "anonymousId": "a2", "messageId": "m2"},
    {"type": "identify", "userId": "ann", "anonymousId": "a2", "messageId": "m3", "context": CONSENT},
    {"type": "track", "event": "Paid", "userId": "ann", "messageId": "m4"},
    {"type": "track", "event": "Back", "userId": "ann", "messageId": "m9"},
    {"type": "group", "userId": "ann", "groupId": "acme", "traits": {"size": 3, "town": "Rome"}, "messageId": "m5"},
    {"type": "identify", "userId": "bob", "messageId": "m6", "traits": {"plan": "free"}},
    {"type": "identify", "userId": "bob", "messageId": "m7", "traits": {"email": "ann@example.org"}},
    {"type": "group", "userId": "bob", "groupId": "acme", "messageId": "m8"},
]  # fmt: skip


def settle(lab: Lab) -> None:
    """Make the space of these people, the first one of its database."""

    async def main() -> None:
        async with ingesting(lab) as ingest:
            await put_purposes(ingest.space, {"purposes": [{"id": "Ads", "class": "ads"}]}, "test")
            for call in CALLS:
                await ingest.send(call)

    run(main())


@asynccontextmanager
async def visiting(lab: Lab) -> AsyncIterator[Space]:
    """The space of these people, opened as a server opens it."""
    spaces = await lab.open()
    try:
        yield await spaces.get(SpaceNumber(1))
    finally:
        spaces.keyring.close()
        await spaces.database.close()
