"""No statement of ingest, read, erasure or feed depends on statistics: each reads the rows it names and no others.

A tenth of the rows of a crowded space would do for a slow plan to show; the bound is what the operations name.
"""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from identity.operations.corrections.refuse_join import refuse_join
from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.acknowledge_changes import acknowledge_changes
from identity.operations.destinations.consent_expiry import announce_expired
from identity.operations.destinations.destination_read import look_up
from identity.operations.destinations.destination_scope import open_scope
from identity.operations.destinations.opened_items import read_position
from identity.operations.destinations.read_changes import read_changes
from identity.operations.ingest.confirm_join import confirm_join
from identity.operations.ingest.leave_group import leave_group
from identity.operations.ingest.queue import IngestQueue
from identity.operations.privacy.cancel_erasure import cancel_request
from identity.operations.privacy.manage_holds import place_hold
from identity.operations.privacy.manage_suppressions import lift_suppressions, suppress_identifiers
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles import segment_accounts, segment_events, segment_links
from identity.operations.profiles.explain_link import explain
from identity.operations.profiles.profile import open_profile
from identity.operations.profiles.read_graph import get_graph
from identity.operations.profiles.read_group import get_group
from identity.operations.profiles.read_history import get_history
from identity.operations.profiles.read_joins import list_joins, read_join, read_joins_of
from identity.operations.profiles.read_profile import get_profile, lookup
from identity.operations.profiles.segment_paging import ListParameters
from identity.operations.spaces.manage_identity_keys import add_identity_key, end_identity_key, list_identity_keys
from identity.operations.spaces.open_spaces import open_spaces
from identity.planning.privacy.privacy_requests import NewRequest
from identity.store.destinations import feed
from identity.store.postgres.database import Database, rows
from identity.values.calls import Source
from identity.values.enums import JoinState, Law, RequestInterface, RequestKind
from identity.values.ids import SpaceNumber, public, public_profile
from tests.support.database.crowded_tables import TABLES, fill
from tests.support.database.explained_statements import ExplainedStatements, explaining
from tests.support.destinations.consenting_people import ALL, GRANTED
from tests.support.processes.writer_processes import Ingest, Lab, run

ROWS = 10_000
SMALL_SPACES, SMALL = 2_000, 3
ADMIN = Source(9, server=True)
# The operations name a dozen people, each with a few rows in a table; a crowded space has 10,000.
BOUND = 300
PURPOSES = {"purposes": [{"id": "Marketing", "class": "ads"}]}


async def everything(ingest: Ingest, round_: str) -> None:
    """The operations of the hot paths, on people of their own."""
    space, one, two = ingest.space, f"user_id:{round_}1", f"user_id:{round_}2"
    for _ in range(2):
        await ingest.send(
            *({"type": "identify", "userId": f"{round_}{nr}", "anonymousId": f"{round_}a{nr}", "context": GRANTED,
               "traits": {"plan": "pro", "email": f"{round_}{nr}@example.com"}} for nr in range(6)),
            *({"type": "track", "userId": f"{round_}{nr}", "event": "Bought"} for nr in range(6)),
            *({"type": "group", "userId": f"{round_}{nr}", "groupId": f"{round_}g", "traits": {"size": nr}}
              for nr in range(3)),
        )  # fmt: skip
    await ingest.send({"type": "track", "anonymousId": f"{round_}late", "event": "Seen"})
    await ingest.send({"type": "identify", "userId": f"{round_}1", "anonymousId": f"{round_}late"})
    await ingest.send({"type": "alias", "userId": f"{round_}4", "previousId": f"{round_}5"})
    await leave_group(space, ingest.queue, f"{round_}g", two, ADMIN)
    profile = await get_profile(space, one)
    await get_profile(space, public_profile(profile.id), verbose=True)
    await lookup(space, [one, two, "user_id:nobody"])
    await get_history(space, one, 50, None)
    await get_graph(space, one)
    await explain(space, one, one, f"anonymous_id:{round_}late")
    await get_group(space, f"{round_}g")
    await segment_events.events(space, one, ListParameters(limit=10))
    await segment_links.accounts_of(space, one, ListParameters(limit=10))
    await segment_accounts.events(space, f"group_id:{round_}g", ListParameters(limit=10))
    await segment_links.users_of(space, f"group_id:{round_}g", ListParameters(limit=10))
    await announce_expired(ingest.spaces)
    await of_public_keys(ingest, round_)
    crm = public("dst", (await manage_destinations.get_destination(space, "crm")).id)
    await look_up(space, crm, [one, two])
    page = await read_changes(space, crm, None, 5)
    page = await read_changes(space, crm, page.cursor, 5)
    scope = await open_scope(space, crm)
    await acknowledge_changes(space, scope.id, read_position(space, scope, page.cursor))
    await suppress_identifiers(space, [f"email:{round_}s@example.com"], "t")
    await lift_suppressions(space, [f"email:{round_}s@example.com"], "t")
    await unmerge_profile(space, [f"anonymous_id:{round_}a3"], block=False, source=ADMIN, actor="t")
    await remove_identifier(space, f"anonymous_id:{round_}a2", block=False, source=ADMIN, actor="t")
    await place_hold(space, [two], "case", "t")
    for person in (one, two):
        made = await request_erasure(
            space,
            NewRequest(
                front=RequestInterface.NATIVE,
                kind=RequestKind.SUPPRESS_WITH_DELETE,
                regulation=Law.GDPR,
                identifiers=[person],
                actor="t",
            ),
        )
    await cancel_request(space, made.id, "t")


async def of_public_keys(ingest: Ingest, round_: str) -> None:
    """The joins that public keys claim, listed and decided, those of one person, and the keys of identity tokens."""
    space = ingest.space
    for nr in range(2):
        traits = {"email": f"{round_}0@example.com"}
        await ingest.send({"type": "identify", "anonymousId": f"{round_}c{nr}", "traits": traits}, server=False)
    joins = [public("jon", each.id) for each in (await list_joins(space, None, 2, None)).joins]
    assert (await read_join(space, joins[0])).state == JoinState.WAITING
    await read_joins_of(await open_profile(space, f"user_id:{round_}0"), 10, None)
    await confirm_join(space, ingest.queue, joins[0], ADMIN)
    await refuse_join(space, joins[1], ADMIN, actor="t")
    made = await add_identity_key(space, "HS256", "web", None, "t")
    assert made.key.id in [each.id for each in await list_identity_keys(space)]
    await end_identity_key(space, made.key.id, "t")
    async with space.database.reading() as connection:
        assert space.tenant.id in await feed.lanes_of(connection, [space.tenant])


def violations(statements: ExplainedStatements, first_columns: dict[str, str]) -> list[str]:
    """The statements that read rows they do not name, or an index from end to end."""
    found = []
    for each in statements.all:
        for scan in each.scans:
            column = first_columns.get(scan.index or "", "")
            walked = scan.index is not None and scan.table in TABLES and column not in scan.condition
            if scan.rows > BOUND or walked:
                found.append(f"{each.mode}: {scan.node} {scan.table} {scan.index} [{scan.condition}] {scan.rows:.0f} "
                             f"rows\n{each.query.strip()}")  # fmt: skip
    return sorted(set(found))


_FIRST_COLUMNS = """
SELECT i.indexrelid::regclass::text, a.attname FROM pg_index i
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
"""


class Crowd:
    """A space on a database that fills up, served by one server after the other."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.number: int | None = None

    async def serve(self, *rounds: str | Callable[[], None]) -> list[str]:
        """Run rounds of operations on the connections of one server; returns what is wrong with the last round."""
        spaces = await open_spaces(
            self.lab.url, root_file=self.lab.root_file, root_value=None, key_store=self.lab.key_store, readers=1
        )
        if self.number is None:
            made = await self.lab.space(spaces)
            await manage_purposes.put_purposes(made, PURPOSES, "t")
            await manage_destinations.put_destination(made, "crm", ALL, "t")
            self.number = made.tenant.id
        queue = IngestQueue(spaces.database, writers=1)
        queue.start()
        ingest = Ingest(self.lab, spaces, await spaces.get(SpaceNumber(self.number)), queue)
        with explaining() as explained:
            for each in rounds:
                explained.all.clear()
                if isinstance(each, str):
                    await everything(ingest, each)
                else:
                    each()
            await queue.close()
        spaces.keyring.close()
        await spaces.database.close()
        assert not explained.errors, explained.errors[0]
        assert {each.mode for each in explained.all} == {"generic", "custom"}
        return violations(explained, dict(self.lab.query(_FIRST_COLUMNS)))

    def fill(self, rows: int, spaces: str) -> None:
        """Give each space of a query this many people, without statistics."""
        with psycopg.connect(self.lab.url, autocommit=True) as connection:
            fill(connection, spaces, rows)

    def fill_space(self) -> None:
        """Make the space large."""
        self.fill(ROWS, f"SELECT id, bucket_base FROM space WHERE id = {self.number}")


@pytest.fixture
def crowd(database: str, tmp_path: Path) -> Crowd:
    """A database without people, whose statistics nobody renews."""
    lab = Lab(database, tmp_path)
    lab.query("""
        DO $$ DECLARE name text; BEGIN
            FOR name IN SELECT oid::regclass FROM pg_class
                WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            LOOP EXECUTE 'ALTER TABLE ' || name || ' SET (autovacuum_enabled = false)'; END LOOP;
        END $$
    """)
    return Crowd(lab)


def test_statements_read_what_they_name_under_the_plans_of_every_kind_of_statistics(crowd: Crowd) -> None:
    """One database grows through four of them; each stage keeps the rows of the stages before."""
    # A fresh installation that imports a history: nothing was analysed, and the plans of empty tables are kept.
    assert run(crowd.serve("a", crowd.fill_space, "b")) == []
    # The tables are full and were never analysed.
    assert run(crowd.serve("c")) == []
    # All rows are of one space, so its number says nothing.
    crowd.lab.query("ANALYZE")
    assert run(crowd.serve("d")) == []
    # A generic plan takes the large space for one of many small ones.
    crowd.fill(SMALL, f"SELECT s, s FROM generate_series(1000000, 1000000 + {SMALL_SPACES}) s")
    crowd.lab.query("ANALYZE")
    assert run(crowd.serve("e")) == []
    # The check is not blind.
    assert len(run(careless(crowd))) == 2


async def careless(crowd: Crowd) -> list[str]:
    """The violations of a statement that reads a whole space."""
    database = Database(crowd.lab.url, readers=1)
    await database.open()
    with explaining() as explained:
        async with database.of_all_spaces.reading() as connection:
            await rows(connection, "SELECT 1 FROM profile WHERE space_id = $1::int4 AND version = 0", crowd.number)
    await database.close()
    return violations(explained, dict(crowd.lab.query(_FIRST_COLUMNS)))
