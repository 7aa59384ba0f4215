"""The list of rejections forgets the people who were erased."""

from pathlib import Path
from typing import Any

from identity.operations.integrity.list_rejections import list_rejections, summarise_rejections
from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy.privacy_requests import NewRequest
from identity.values.enums import Law, RequestInterface, RequestKind
from tests.support.processes.writer_processes import Ingest, Lab, ingesting


async def listed(ingest: Ingest) -> list[str | None]:
    """The message ids of the list, oldest first; the counts are of as many lines."""
    lines = (await list_rejections(ingest.space, None, 100, None)).rejections
    counts = (await summarise_rejections(ingest.space, None, None, None)).counts
    assert sum(each.count for each in counts) == len(lines)
    return [line.message_id for line in reversed(lines)]


def call(name: str, message: str) -> dict[str, Any]:
    """A call with a signal of consent that cannot be read, which the list shows."""
    return {"type": "identify", "userId": name, "messageId": message, "context": {"gpc": "perhaps"}}


async def test_the_list_forgets_the_erased(database: str, tmp_path: Path) -> None:
    """The calls of the person up to the erasure are not shown or counted; those of others and later ones are."""
    async with ingesting(Lab(database, tmp_path)) as ingest:
        await ingest.send(call("ann", "m1"), call("bob", "m2"))
        await ingest.send(call("ann", "m3"))
        assert await listed(ingest) == ["m1", "m2", "m3"]
        request = NewRequest(
            front=RequestInterface.NATIVE,
            kind=RequestKind.DELETE_ONLY,
            regulation=Law.NONE,
            identifiers=["user_id:ann"],
            actor="t",
        )
        await request_erasure(ingest.space, request)
        assert await listed(ingest) == ["m2"]
        await ingest.send(call("ann", "m4"))
        assert await listed(ingest) == ["m2", "m4"]
