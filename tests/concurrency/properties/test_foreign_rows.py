"""A database writer edits, copies, deletes and puts back rows at random: nothing opens that did not before.

The writer has the rows of now and of before, and no key. What opens is as it was; a key that was added or altered and
a suppression list that is another are found by the audit as well. Deleting a row denies service, and is not among them;
nor is editing a version that is no longer in force, which nothing uses. A call of a suppressed person opens where it is
accepted, a blocked identifier where it links, and a person who withdrew where a destination reads traits.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from identity.operations.corrections.put_rules import get_rules, put_rules
from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.destination_read import get_profile
from identity.operations.destinations.destination_scope import open_scope
from identity.operations.ingest.dry_run import DryRuns
from identity.operations.integrity.verify_vouchers import foreign_rows
from identity.operations.privacy.manage_suppressions import lift_suppressions, suppress_identifiers
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.spaces import manage_spaces
from identity.operations.spaces.manage_spaces import KeyCheck
from identity.planning.privacy.privacy_requests import NewRequest
from identity.store.spaces import spaces_and_keys
from identity.values.calls import Source
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.errors import OnefoldError
from identity.values.ids import DestinationId, public
from tests.support.destinations.consenting_people import ALL, user
from tests.support.integrity.rolled_back_rows import LAX, LOOSE_RULES, NARROW, STRICT, TIGHT_RULES, WIDE
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

COLUMNS: Final = {
    "blocked_key": ("created_at",),
    "profile_document": ("version", "document"),
    "api_key": ("scopes", "secret_hash", "space_id", "revoked_at", "mac", "name"),
    "destination": ("version", "document", "deleted_at", "space_id"),
    "purposes": ("document",),
    "rules": ("document",),
    "space_gate": ("rules_version", "marks"),
    "suppression": ("whole", "until"),
}
TABLES: Final = tuple(COLUMNS)
EDITS: Final = st.one_of(
    st.tuples(st.just("back"), st.sampled_from(TABLES), st.none(), st.integers(0, 9), st.none()),
    st.tuples(st.just("delete"), st.sampled_from(TABLES), st.none(), st.integers(0, 9), st.none()),
    st.sampled_from([(table, column) for table, columns in COLUMNS.items() for column in columns]).flatmap(
        lambda named: st.tuples(
            st.just("copy"), st.just(named[0]), st.just(named[1]), st.integers(0, 9), st.integers(0, 9)
        )
    ),
)
Opened = dict[str, object]
BLOCKED: Final = "shared@example.org"


class Attacked:
    """A space with a history, its rows of before and of now, and everything that opens in it."""

    def __init__(self, lab: Lab, ingest: Ingest, secrets: list[str], destinations: list[DestinationId]) -> None:
        self.lab, self.ingest, self.secrets, self.destinations = lab, ingest, secrets, destinations
        self.dry_runs = DryRuns(ingest.spaces.database)

    def keep(self, when: str) -> None:
        """Keep the rows of all tables."""
        for table in TABLES:
            self.lab.query(f"CREATE TABLE {when}_{table} AS SELECT * FROM {table}")

    def reset(self) -> None:
        """Put the rows of now in place."""
        for table in TABLES:
            self.lab.query(f"DELETE FROM {table}")
            self.lab.query(f"INSERT INTO {table} SELECT * FROM now_{table}")

    def edit(self, edits: list[tuple[str, str, str | None, int, int | None]]) -> None:
        """Make the edits: of all former rows, of one row, or of a column that one row copies from another."""
        nth = "(SELECT ctid FROM {0} ORDER BY {0}::text OFFSET {1} %% greatest((SELECT count(*) FROM {0}), 1) LIMIT 1)"
        for kind, table, column, one, other in edits:
            if kind == "back":
                self.lab.query(f"DELETE FROM {table}")
                self.lab.query(f"INSERT INTO {table} SELECT * FROM before_{table}")
            elif kind == "delete":
                self.lab.query(f"DELETE FROM {table} WHERE ctid = " + nth.format(table, one))
            else:
                source = table if one % 2 else f"before_{table}"
                value = f"(SELECT {column} FROM {source} WHERE ctid = " + nth.format(source, other) + ")"
                self.lab.query(
                    f"UPDATE {table} SET {column} = coalesce({value}, {column}) WHERE ctid = " + nth.format(table, one)
                    if column not in {"revoked_at", "deleted_at"}
                    else f"UPDATE {table} SET {column} = NULL WHERE ctid = " + nth.format(table, one)
                )

    def hides(self) -> bool:
        """Whether a live key was added or altered, or the suppression list is another: no use of it need be seen."""
        return any(
            self.lab.query(query)
            for query in (
                "SELECT * FROM api_key WHERE revoked_at IS NULL EXCEPT SELECT * FROM now_api_key",
                "SELECT key FROM suppression WHERE whole EXCEPT SELECT key FROM now_suppression WHERE whole",
                "SELECT key FROM now_suppression WHERE whole EXCEPT SELECT key FROM suppression WHERE whole",
            )
        )

    async def opens(self) -> Opened:
        """What opens: keys, destinations, rules, purposes."""
        space, found = self.ingest.space, {}
        for secret in self.secrets:
            found[f"key {secret}"] = await _tried(KeyCheck(self.ingest.spaces).caller(secret))
        for id_ in self.destinations:
            found[f"destination {id_.hex()}"] = await _tried(open_scope(space, public("dst", id_)))
        for name in ("ann", "bob", "cyd"):
            found[f"call of {name}"] = await _tried(self.linked({"userId": name}))
        found["blocked"] = await _tried(self.linked({"userId": "fay", "traits": {"email": BLOCKED}}))
        for name in ("dan", "eve"):
            found[f"traits of {name}"] = await _tried(self.read(name))
        found["rules"] = await _tried(get_rules(space))
        found["purposes"] = await _tried(manage_purposes.get_purposes(space))
        return {name: value for name, value in found.items() if value is not None}

    async def linked(self, call: dict[str, Any]) -> bool | None:
        """Whether a call that arrives now is accepted with all its identifiers; None where not."""
        outcome = await self.dry_runs.simulate(self.ingest.space, {"type": "identify", **call}, Source(1, server=True))
        return (outcome.status == "accepted" and not outcome.demoted) or None

    async def read(self, name: str) -> object:
        """The traits that the advertiser reads of somebody; None where there are none."""
        seen = await get_profile(self.ingest.space, public("dst", self.destinations[-1]), f"user_id:{name}")
        return dict(seen.traits) or None

    async def audit(self) -> list[str]:
        """The kinds of rows that the audit finds, of all spaces."""
        async with self.ingest.spaces.database.of_all_spaces.reading() as connection:
            rows = await spaces_and_keys.list_spaces(connection)
        found = [await foreign_rows(self.ingest.spaces.database, row, self.ingest.spaces.keyring) for row in rows]
        return [finding.kind for each in found for finding in each]


async def _tried(use: Any) -> object:
    try:
        value = await use
    except OnefoldError:
        return None
    return structs.asdict(value) if hasattr(value, "__struct_fields__") else value


async def _history(lab: Lab, stack: AsyncExitStack) -> Attacked:
    ingest = await stack.enter_async_context(ingesting(lab))
    space = ingest.space
    made = await manage_spaces.create_space(ingest.spaces, "other")
    callers = {name: await KeyCheck(ingest.spaces).caller(secret) for name, secret in made.keys.items()}
    await put_rules(space, LOOSE_RULES, "t")
    await manage_purposes.put_purposes(space, LAX, "t")
    mail = await manage_destinations.put_destination(space, "mail", WIDE, "t")
    gone = await manage_destinations.put_destination(space, "gone", WIDE, "t")
    ads = await manage_destinations.put_destination(space, "ads", ALL, "t")
    await ingest.send(user("dan"), user("eve"), {"type": "identify", "userId": "cyd"})
    await suppress_identifiers(space, ["user_id:ann"], "t")
    secrets = [*made.keys.values(), str(mail.secret), str(gone.secret)]
    attacked = Attacked(lab, ingest, secrets, [mail.id, gone.id, ads.id])
    attacked.keep("before")
    await manage_spaces.revoke_key(ingest.spaces, callers["admin"], callers["privacy"].key_id)
    await put_rules(space, TIGHT_RULES, "t")
    await manage_purposes.put_purposes(space, STRICT, "t")
    await manage_destinations.put_destination(space, "mail", NARROW, "t")
    await manage_destinations.remove_destination(space, "gone", "t")
    await lift_suppressions(space, ["user_id:ann"], "t")
    await suppress_identifiers(space, ["user_id:bob"], "t")
    await ingest.send({**user("eve"), "context": {"consent": {"categoryPreferences": {"Marketing": False}}}})
    await remove_identifier(space, f"email:{BLOCKED}", block=True, source=Source(1, server=True), actor="t")
    request = NewRequest(
        front=RequestInterface.NATIVE,
        kind=RequestKind.SUPPRESS_WITH_DELETE,
        regulation=Law.NONE,
        identifiers=["user_id:cyd"],
        actor="t",
    )
    await request_erasure(space, request)
    attacked.keep("now")
    return attacked


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One event loop for all examples."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


def test_no_edit_of_rows_opens_anything(database: str, tmp_path: Path, loop: asyncio.AbstractEventLoop) -> None:
    """What opens after the edits opened before them, as it was; every edit is refused at its use or in the audit."""
    stack = AsyncExitStack()
    attacked = loop.run_until_complete(_history(Lab(database, tmp_path), stack))
    right = loop.run_until_complete(attacked.opens())
    assert {"call of ann", "traits of dan"} <= right.keys()
    assert right.keys().isdisjoint({"call of bob", "call of cyd", "blocked", "traits of eve"})
    assert loop.run_until_complete(attacked.audit()) == []

    @settings(max_examples=20)
    @given(st.lists(EDITS, min_size=1, max_size=3))
    def edit(edits: list[tuple[str, str, str | None, int, int | None]]) -> None:
        attacked.reset()
        attacked.edit(edits)
        opened = loop.run_until_complete(attacked.opens())
        assert {name: right.get(name) for name in opened} == opened
        if attacked.hides():
            assert loop.run_until_complete(attacked.audit()), edits

    try:
        edit()
    finally:
        loop.run_until_complete(attacked.dry_runs.close())
        loop.run_until_complete(stack.aclose())
