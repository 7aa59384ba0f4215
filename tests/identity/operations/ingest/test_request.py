"""The first step of ingest: bodies become calls, and a faulty one takes no other with it."""

from typing import Any

import pytest

from identity.operations.ingest.request import LARGEST_ITEM, MOST_ITEMS, IngestRequest
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import Source
from identity.values.errors import BatchTooLong
from identity.values.stamps import Micros
from tests.support.database.known_people import visiting
from tests.support.processes.writer_processes import Lab

SEEN: dict[str, Any] = {"type": "track", "event": "Seen", "userId": "ann", "messageId": "m1"}


def request(*bodies: Any, **how: Any) -> IngestRequest:
    """A request of a server."""
    return IngestRequest(list(bodies), source=Source(1, server=True), received=Micros(1_800_000_000_000_000), **how)


async def test_a_faulty_body_is_rejected_alone(people: Lab) -> None:
    """With its message id and a reason; the others keep their positions."""
    async with visiting(people) as space:
        read = request(SEEN, 7, {"type": "track", "userId": "ann", "messageId": "m2"}, SEEN, mended={2: 1})
        await read.read(space, DEFAULT_RULES)

        assert [at for at, _ in read.calls] == [0, 3]
        assert [each and each.status for each in read.outcomes] == [None, "rejected", "rejected", None]
        assert read.outcomes[2] is not None
        assert (read.outcomes[2].message_id, read.outcomes[2].mended_values) == ("m2", 1)
        assert read.keys == {space.keys.identifier("user_id", "ann")}


async def test_the_context_of_the_envelope_is_beneath_that_of_a_call(people: Lab) -> None:
    """And the header of Global Privacy Control is a decision of each call, stored in its body."""
    async with visiting(people) as space:
        shared = {"context": {"locale": "de", "ip": "192.0.2.1"}}
        read = request(SEEN, {**SEEN, "context": {"locale": "fr"}}, envelope=shared, gpc=True)
        await read.read(space, DEFAULT_RULES)

        assert [call.body["context"] for _, call in read.calls] == [
            {"locale": "de", "ip": "192.0.2.1", "gpc": True},
            {"locale": "fr", "ip": "192.0.2.1", "gpc": True},
        ]
        assert read.bodies[0] == SEEN


def test_a_large_body_is_rejected_and_a_long_batch_refused() -> None:
    """By its size as JSON, whether the size of the whole is known or not."""
    large = {**SEEN, "properties": {"text": "x" * LARGEST_ITEM}}
    for size in (None, 2 * LARGEST_ITEM):
        assert [each and each.reason for each in request(SEEN, large, size=size).outcomes] == [None, "too_large"]
    with pytest.raises(BatchTooLong):
        request(*[SEEN] * (MOST_ITEMS + 1))
