"""A page ends before its bytes do, and the pages together have everything."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.read_changes import read_changes
from identity.operations.integrity.list_rejections import list_rejections
from identity.operations.profiles.read_history import get_history
from identity.values import answer_bytes
from identity.values.answer_bytes import PageBytes
from identity.values.ids import public
from identity.values.plain_text import LONGEST_VALUE
from tests.support.destinations.consenting_people import ALL, user
from tests.support.processes.writer_processes import Lab, ingesting

ROOM = 1_500
Page = Callable[[str | None], Awaitable[tuple[list[Any], str | None]]]


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


@given(st.lists(st.text(max_size=400), max_size=30), st.integers(0, 2_000))
def test_a_page_takes_what_fits_and_the_first_item(texts: list[str], most: int) -> None:
    """Whatever is taken is within the bytes, but for a first item that alone has more."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(answer_bytes, "MOST_BYTES", most)
        room = PageBytes()
        taken = [text for text in texts if room.takes(text)]
    assert taken[:1] == texts[:1]
    assert len(taken) < 2 or sum(len(msgspec.json.encode(text)) for text in taken) <= most


def test_a_page_of_joins_or_exports_has_room_for_every_item() -> None:
    """Their items have one value of bounded length, of which JSON makes six bytes for each character at most."""
    assert 1_000 * (6 * LONGEST_VALUE + 1_000) < answer_bytes.MOST_BYTES


async def read_all(page: Page) -> tuple[list[Any], list[int]]:
    """Everything of a list, and how many items each of its pages has."""
    found, sizes, cursor = [], [], None
    while True:
        items, following = await page(cursor)
        found += items
        sizes.append(len(items))
        if following is None:
            return found, sizes
        cursor = following


async def test_large_pages_are_shorter_and_nothing_is_lost(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a history, of rejected calls and of the feed of a destination."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        await manage_purposes.put_purposes(space, {"purposes": [{"id": "Marketing", "class": "ads"}]}, "t")
        made = await manage_destinations.put_destination(space, "crm", ALL, "t")
        crm = public("dst", made.id)
        for nr in range(12):
            granted = user(f"u{nr}")
            await ingest.send({**granted, "traits": {"plan": "x" * 700}})
        long = [{"type": "page", "userId": "u0", "anonymousId": f"{nr}-" + "y" * 700} for nr in range(12)]
        await ingest.send(*long)
        many = [{"id": f"{nr}", "type": "crm", "encoding": "md5"} for nr in range(30)]
        await ingest.send(*({"type": "page", "userId": "u0", "context": {"externalIds": many}} for _ in range(12)))

        async def history(cursor: str | None) -> tuple[list[Any], str | None]:
            page = await get_history(space, "user_id:u0", 1_000, cursor)
            return list(page.entries), page.next_cursor

        async def rejected(cursor: str | None) -> tuple[list[Any], str | None]:
            page = await list_rejections(space, None, 1_000, cursor)
            return list(page.rejections), page.next_cursor

        async def changes(cursor: str | None) -> tuple[list[Any], str | None]:
            page = await read_changes(space, crm, cursor, 1_000)
            shown = [(each.op, each.profile, each.traits) for each in page.changes]
            return shown, page.cursor if page.more or shown else None

        for each in (history, rejected, changes):
            whole, _ = await read_all(each)
            with monkeypatch.context() as patched:
                patched.setattr(answer_bytes, "MOST_BYTES", ROOM)
                parts, sizes = await read_all(each)
            assert parts == whole, each
            assert len(sizes) > 2, each
            assert max(sizes) < len(whole), each
