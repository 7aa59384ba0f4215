"""Rules, purposes and destinations that are older than the journal records are found."""

from pathlib import Path

import pytest

from app.server.readiness import Readiness
from identity.operations.corrections.put_rules import get_rules, put_rules
from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.integrity.find_rolled_back import find_rolled_back
from identity.operations.integrity.verify_space import verify
from identity.values.not_ready import RolledBack
from tests.support.integrity.rolled_back_rows import (
    LAX,
    LOOSE_RULES,
    NARROW,
    STRICT,
    TIGHT_RULES,
    WIDE,
    former,
)
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

KINDS = ["destination_rolled_back", "purposes_rolled_back", "rules_rolled_back"]


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def settings(ingest: Ingest, rules: object, purposes: object, destination: object) -> None:
    """Put rules, purposes and a destination in force."""
    await put_rules(ingest.space, rules, "t")
    await manage_purposes.put_purposes(ingest.space, purposes, "t")
    await manage_destinations.put_destination(ingest.space, "mail", destination, "t")


async def test_every_older_row_is_found_and_named_in_the_audit(lab: Lab) -> None:
    """The server is not ready while there is one; nothing is found before, nor once the rows are right again."""
    async with ingesting(lab) as ingest:
        readiness = Readiness(ingest.spaces, ingest.queue)
        tables = ("purposes", "destination", "space_gate")
        await settings(ingest, LOOSE_RULES, LAX, WIDE)
        with former(lab, *tables):
            await settings(ingest, TIGHT_RULES, STRICT, NARROW)
            assert await find_rolled_back(ingest.spaces, frozenset()) == frozenset()
            lab.query("CREATE TABLE right_purposes AS SELECT * FROM purposes")
            lab.query("CREATE TABLE right_destination AS SELECT * FROM destination")
        found = await find_rolled_back(ingest.spaces, frozenset())
        assert sorted(kind for _, kind, _ in found) == KINDS
        readiness.rolled_back = found
        with pytest.raises(RolledBack):
            await readiness.require()
        reports = [each async for each in verify(lab.url, (), lambda _w, _r: None, lab.key_store, lab.keyring())]
        assert sorted(finding.kind for finding in reports[0].findings if finding.kind in KINDS) == KINDS

        for table in ("purposes", "destination"):
            lab.query(f"DELETE FROM {table}")
            lab.query(f"INSERT INTO {table} SELECT * FROM right_{table}")
            lab.query(f"DROP TABLE right_{table}")
        lab.query("UPDATE space_gate SET rules_version = 2")
        assert await find_rolled_back(ingest.spaces, found) == frozenset()


async def test_a_space_that_was_just_opened_is_looked_at_by_the_next_question(lab: Lab) -> None:
    """After a restart `/readyz` does not answer 200 until the periodic search comes."""
    async with ingesting(lab) as ingest:
        await put_rules(ingest.space, LOOSE_RULES, "t")
        await put_rules(ingest.space, TIGHT_RULES, "t")
        ingest.spaces.forget(ingest.space.tenant.id)
        readiness = Readiness(ingest.spaces, ingest.queue)
        await readiness.require()
        lab.query("UPDATE space_gate SET rules_version = 1")
        await ingest.spaces.get(ingest.space.tenant.id)
        again = Readiness(ingest.spaces, ingest.queue)
        with pytest.raises(RolledBack):
            await again.require()
        lab.query("UPDATE space_gate SET rules_version = 2")


async def test_former_rules_are_refused_by_calls_and_corrections(lab: Lab) -> None:
    """Attack 157: the space lock names the rules before; no call is planned under them."""
    async with ingesting(lab) as ingest:
        await put_rules(ingest.space, LOOSE_RULES, "t")
        await put_rules(ingest.space, TIGHT_RULES, "t")
        await ingest.send({"type": "identify", "userId": "u1"})
        lab.query("UPDATE space_gate SET rules_version = 1")
        with pytest.raises(RolledBack):
            await get_rules(ingest.space)
        with pytest.raises(RolledBack):
            await put_rules(ingest.space, LOOSE_RULES, "t")
        with pytest.raises(RolledBack):
            await ingest.send({"type": "identify", "userId": "u2"})
        lab.query("UPDATE space_gate SET rules_version = 2")
        await ingest.send({"type": "identify", "userId": "u2"})


async def test_attack_171_deleted_rules_are_named_as_rolled_back(lab: Lab) -> None:
    """A new process refuses to read or change rules; `/readyz` and the audit name the space until the row is back."""
    async with ingesting(lab) as ingest:
        for rules in (LOOSE_RULES, TIGHT_RULES):
            await put_rules(ingest.space, rules, "t")
        number = ingest.space.tenant.id
    lab.query("CREATE TABLE right_rules AS SELECT * FROM rules")
    lab.query("DELETE FROM rules WHERE version = 2")
    spaces = await lab.open()
    space = await spaces.get(number)
    for use in (get_rules(space), put_rules(space, LOOSE_RULES, "t"), space.recent_rules()):
        with pytest.raises(RolledBack):
            await use
    found = await find_rolled_back(spaces, frozenset())
    assert found == {(number, "rules_rolled_back", "version 2 is in force, and its document is missing")}
    reports = [each async for each in verify(lab.url, (), lambda _w, _r: None, lab.key_store, lab.keyring())]
    assert [finding.kind for finding in reports[0].findings] == ["rules_rolled_back"]

    lab.query("INSERT INTO rules SELECT * FROM right_rules WHERE version = 2")
    assert await find_rolled_back(spaces, found) == frozenset()
    assert (await get_rules(space)).version == 2
    await spaces.database.close()
