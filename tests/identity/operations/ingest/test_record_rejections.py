"""Rows of what was not taken: with the batch or not at all, once, and none where all was taken."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.put_rules import put_rules
from identity.operations.ingest.queue import BATCH
from identity.operations.ingest.request import MOST_ITEMS
from identity.operations.integrity.list_rejections import list_rejections
from identity.values.errors import QueueFull
from tests.support.processes.broken_commits import BREAKS, Broken, break_commits
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

U1 = {"type": "identify", "userId": "u1", "traits": {"plan": "pro"}}


def bad(message_id: str) -> dict[str, Any]:
    """An item that is rejected."""
    return {"type": "nonsense", "messageId": message_id}


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def listed(ingest: Ingest) -> list[str | None]:
    """The message ids of the list, newest first."""
    page = await list_rejections(ingest.space, None, 10_000, None)
    return [line.message_id for line in page.rejections]


@pytest.mark.parametrize("how", BREAKS, ids=lambda how: "-".join(each.__name__ for each in how))
@pytest.mark.parametrize(
    "items",
    [[bad("b1")], [bad("b1"), {"type": "track", "event": "E", "messageId": "b2"}], [U1, bad("b1")]],
    ids=["rejected", "unresolved", "with a call"],
)
async def test_a_broken_commit_lists_once(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, how: list[Broken], items: list[dict[str, Any]]
) -> None:
    """A connection lost before, while or after COMMIT runs: each loss is listed once."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "track", "event": "E", "userId": "u0"})
        break_commits(monkeypatch, lab, how)
        outcomes = await ingest.send(*items)
        lost = [o.message_id for o in outcomes if o.status != "accepted"]
        assert await listed(ingest) == lost[::-1]
        ingest.check()


async def test_a_batch_without_rejections_writes_no_row(lab: Lab) -> None:
    """A batch that was taken whole, and one that was sent twice, leave no row."""
    async with ingesting(lab) as ingest:
        for _ in range(2):
            await ingest.send({**U1, "messageId": "m1"}, {"type": "alias", "userId": "u1", "previousId": "a1"})
        await ingest.send()
        assert lab.query("SELECT count(*) FROM rejection") == [(0,)]


async def test_a_batch_writes_one_row_of_rejections(lab: Lab) -> None:
    """Requests that are gathered into one batch share a row, in the order of their items."""
    async with ingesting(lab, writers=1) as ingest:
        await ingest.send(U1)
        sent = [ingest.send(bad(f"b{n}"), {**U1, "messageId": f"m{n}"}, bad(f"c{n}")) for n in range(20)]
        await asyncio.gather(*sent)
        rows = lab.query("SELECT calls FROM rejection")
        assert sum(calls for (calls,) in rows) == 40
        assert len(rows) < 20
        assert await listed(ingest) == [name for n in reversed(range(20)) for name in (f"c{n}", f"b{n}")]


async def test_rejections_are_recorded_while_the_rules_change(lab: Lab) -> None:
    """A request of rejected items alone is committed under whatever rules are in force."""
    async with ingesting(lab) as ingest:
        await ingest.send(bad("b1"))
        await put_rules(ingest.space, {"max_merges": 3}, "test")
        ingest.space._rules.last_version = 0
        await ingest.send(bad("b2"))
        assert await listed(ingest) == ["b2", "b1"]


async def test_a_flood_of_rejections_is_bounded_by_the_queue(lab: Lab) -> None:
    """What is rejected takes its room in the queue, and a batch of it stays small."""
    async with ingesting(lab, writers=1, bound=3 * BATCH) as ingest:
        await ingest.send(U1)
        sent = [ingest.send(*(bad(f"{n}-{at}") for at in range(50))) for n in range(200)]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        full = sum(isinstance(answer, QueueFull) for answer in answers)
        assert full
        assert ingest.queue.waiting == 0
        assert len(await listed(ingest)) == (200 - full) * 50
        assert lab.query("SELECT max(calls) < %s FROM rejection", BATCH + 50) == [(True,)]


async def test_the_rejections_of_the_largest_request_fit_one_row(lab: Lab) -> None:
    """A request of nothing but rejected items fits into a row."""
    async with ingesting(lab) as ingest:
        await ingest.send(*(bad("é" * 90 + str(n)) for n in range(MOST_ITEMS)))
        assert lab.query("SELECT calls FROM rejection") == [(MOST_ITEMS,)]
        assert len(await listed(ingest)) == MOST_ITEMS


async def test_gone_keys_hide_their_person(lab: Lab) -> None:
    """Of somebody whose key is gone no line is left, and the pages go on past it."""
    async with ingesting(lab) as ingest:
        await put_rules(ingest.space, {"limits": {"email": {"max": 1}}}, "test")
        for name in ("u1", "u2", "u3"):
            for email in ("a", "b"):
                await ingest.send({"type": "identify", "userId": name, "traits": {"email": f"{email}@{name}.org"}})
        whole = (await list_rejections(ingest.space, None, 10, None)).rejections
        assert [len(line.demoted) for line in whole] == [1, 1, 1]
        gone = whole[1].profile_id or b""
        lab.query("DELETE FROM subject_key WHERE profile_id = %s::uuid", gone.hex())
        found: list[Any] = []
        cursor = None
        for _ in range(3):
            page = await list_rejections(ingest.space, None, 1, cursor)
            found += page.rejections
            cursor = page.next_cursor
        assert cursor is None
        assert found == [whole[0], whole[2]]
