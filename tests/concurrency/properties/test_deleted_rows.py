"""A database writer deletes a row at random: the audit names a difference, or the threat model lists the table.

Invariant: each table with rows of a space is in one of the two sets below, so a new table needs a decision.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.operations.corrections.put_rules import put_rules
from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.destination_read import get_profile
from identity.operations.privacy.manage_holds import place_hold
from identity.values.calls import Source
from identity.values.ids import public
from tests.support.destinations.consenting_people import ALL, user
from tests.support.integrity.rolled_back_rows import LAX, LOOSE_RULES
from tests.support.integrity.space_audit import audited
from tests.support.privacy.restored_requests import ask
from tests.support.processes.writer_processes import Lab, ingesting

COMPARED: Final = (
    *("account", "blocked_key", "change", "claim", "delivery", "destination", "erasure", "erasure_notice"),
    *("held_key", "hold", "identifier", "ledger", "ledger_head", "membership", "privacy_request", "profile"),
    *("profile_document", "profile_identifier", "purposes", "rules", "space", "space_gate"),
    "suppression",
)
"""Tables of which the audit misses a deleted row."""
ELSEWHERE: Final = frozenset({"export", "identity_keys"})
"""The same without a row here: the key of an export has no owner then, and the journal has the version of the keys."""
SOURCE: Final = Source(1, server=True)
_SCHEMA: Final = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'space_id'
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
"""
_LIST: Final = re.compile(r"- \*\*Tables that nothing compares\.\*\*(.*?)\n(?:- \*\*|\n)", re.DOTALL)
THREATS: Final = Path(__file__).parents[3] / "docs" / "threats.md"


async def _history(lab: Lab, stack: AsyncExitStack) -> None:
    ingest = await stack.enter_async_context(ingesting(lab))
    space = ingest.space
    await manage_purposes.put_purposes(space, LAX, "t")
    await put_rules(space, LOOSE_RULES, "t")
    mail = public("dst", (await manage_destinations.put_destination(space, "mail", ALL, "t")).id)
    await ingest.send(user("ann"), user("bob"), user("cyd"))
    group = {"type": "group", "groupId": "acme", "traits": {"n": 1}}
    await ingest.send({**group, "userId": "bob"}, {**group, "userId": "cyd"})
    await ingest.send({"type": "identify", "userId": "bob", "anonymousId": "dev", "traits": {"email": "b@x.org"}})
    await unmerge_profile(space, ["anonymous_id:dev"], block=True, source=SOURCE, actor="t")
    await remove_identifier(space, "email:b@x.org", block=True, source=SOURCE, actor="t")
    await ingest.send({"type": "identify", "userId": "cyd", "traits": {"email": "c@x.org"}})
    await ingest.send({"type": "identify", "anonymousId": "tablet", "traits": {"email": "c@x.org"}}, server=False)
    await get_profile(space, mail, "user_id:ann")
    await ask(ingest, "ann")
    await place_hold(space, ["user_id:bob"], "a case", "t")
    await ask(ingest, "bob")
    await space.publish()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One event loop for all examples."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


def test_every_table_is_compared_or_listed(database: str, tmp_path: Path) -> None:
    """A table that is new is in the model, or the threat model says what nobody finds."""
    tables = {table for (table,) in Lab(database, tmp_path).query(_SCHEMA)} | {"space"}
    listed = _LIST.search(THREATS.read_text())
    assert listed is not None
    unseen = set(re.findall(r"`([a-z_]+)`", listed[1]))
    assert unseen.isdisjoint({*COMPARED, *ELSEWHERE})
    assert tables == {*COMPARED, *ELSEWHERE} | (unseen & tables)


def test_a_deleted_row_is_named(database: str, tmp_path: Path, loop: asyncio.AbstractEventLoop) -> None:
    """Any row of these tables, and nothing is named once the row is back."""
    lab, stack = Lab(database, tmp_path), AsyncExitStack()
    loop.run_until_complete(_history(lab, stack))
    assert loop.run_until_complete(audited(lab)) == []
    assert [table for table in COMPARED if not lab.query(f"SELECT 1 FROM {table} LIMIT 1")] == []

    @settings(max_examples=5)
    @given(st.sampled_from(COMPARED), st.integers(0, 9))
    def delete(table: str, nth: int) -> None:
        lab.query(f"CREATE TABLE kept AS SELECT * FROM {table}")
        nth_row = f"ORDER BY {table}::text OFFSET {nth} %% (SELECT count(*) FROM {table}) LIMIT 1"
        lab.query(f"DELETE FROM {table} WHERE ctid = (SELECT ctid FROM {table} {nth_row})")
        try:
            assert loop.run_until_complete(audited(lab)), (table, nth)
        finally:
            lab.query(f"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept")

    try:
        delete()
        assert loop.run_until_complete(audited(lab)) == []
    finally:
        loop.run_until_complete(stack.aclose())
