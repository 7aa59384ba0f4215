"""`recent` looks up the newest rules at most every two seconds; `get` finds a version once it is in force."""

from pathlib import Path

import psycopg
import pytest

from identity.operations.corrections.put_rules import patch_rules, put_rules
from identity.operations.integrity.find_rolled_back import find_rolled_back
from identity.operations.integrity.verify_space import verify
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.spaces.rules_cache import RulesCache
from identity.values.not_ready import RolledBack
from identity.vault.vouching.journal_heads import JournalHeads
from tests.support.processes.writer_processes import Lab, ingesting


async def test_recent_rules_are_at_most_two_seconds_old(database: str, tmp_path: Path) -> None:
    """Another process puts rules in force: `recent` knows the version before until its look-up is two seconds old."""
    clock = [10.0]
    async with ingesting(Lab(database, tmp_path)) as ingest:
        space = ingest.space
        heads = JournalHeads(space.keys, space.journal)
        cache = RulesCache(space.tenant.id, space.keys, space.database, heads, now=lambda: clock[0])
        assert await cache.recent() is DEFAULT_RULES

        await put_rules(space, {"limits": {"crm": {"max": 1}}}, "test")
        clock[0] += 1.9
        assert (await cache.recent()).version == 0
        first = await cache.get(1)
        assert (first.version, cache.last_version) == (1, 1)

        await put_rules(space, {"limits": {"crm": {"max": 2}}}, "test")
        clock[0] += 0.2
        assert (await cache.recent()).version == 2
        assert await cache.get(1) is first


async def test_the_newest_rules_are_seen_at_once(database: str, tmp_path: Path) -> None:
    """Another process puts rules in force: a reader who asks for the newest ones gets them, and `recent` after that."""
    async with ingesting(Lab(database, tmp_path)) as ingest:
        space = ingest.space
        heads = JournalHeads(space.keys, space.journal)
        cache = RulesCache(space.tenant.id, space.keys, space.database, heads, now=lambda: 10.0)
        assert await cache.recent() is DEFAULT_RULES

        await put_rules(space, {"limits": {"crm": {"max": 1}}}, "test")
        assert (await cache.recent()).version == 0
        assert (await cache.get()).version == 1
        assert (await cache.recent()).version == 1


async def test_a_version_that_is_not_there_is_refused_as_rolled_back(database: str, tmp_path: Path) -> None:
    """No rules are made up for a number that the space never had."""
    async with ingesting(Lab(database, tmp_path)) as ingest:
        space = ingest.space
        cache = RulesCache(space.tenant.id, space.keys, space.database, JournalHeads(space.keys, space.journal))

        with pytest.raises(RolledBack):
            await cache.get(9)


async def test_a_space_of_before_keeps_the_defaults_it_began_with(database: str, tmp_path: Path) -> None:
    """A release lowers the limits of new spaces alone. A document of another release would reset them, and says so."""
    lab = Lab(database, tmp_path)
    spaces = await lab.open()
    new = await lab.space(spaces)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE space SET rules_defaults = DEFAULT")
    old = await spaces.restored(new.tenant.id)
    first, now = await old.rules(), await new.rules()

    assert ([first.limit(each).max for each in ("email", "user_id", "crm")], first.max_identifiers) == (
        [1_000, 1, 20],
        100_000,
    )
    assert (now.limit("email").max, now.max_identifiers) == (100, 1_000)
    assert (first.public.trust, now.public.trust) == ("segment", "source")
    patched = await patch_rules(old, {"region": "DE"}, "test")
    assert (patched.reset, (await old.rules()).max_identifiers) == ([], 100_000)
    assert (await put_rules(old, {"region": "DE"}, "test")).reset == ["limits", "max_identifiers", "trust"]
    await spaces.database.close()


async def test_attack_170_a_number_in_the_row_of_a_space_loosens_no_rules(database: str, tmp_path: Path) -> None:
    """A space that was created with the defaults of now keeps them, whatever its row says; `/readyz` names it."""
    lab = Lab(database, tmp_path)
    spaces = await lab.open()
    number = (await lab.space(spaces)).tenant.id
    assert await find_rolled_back(spaces, frozenset()) == frozenset()
    lab.query("UPDATE space SET rules_defaults = 0")
    spaces.forget(number)
    rules = await (await spaces.get(number)).rules()
    assert (rules.limit("email").max, rules.public.trust) == (100, "source")
    found = {(number, "rules_rolled_back", "defaults 0, and the journal has 1")}
    assert await find_rolled_back(spaces, frozenset()) == found
    reports = [each async for each in verify(lab.url, (), lambda _w, _r: None, lab.key_store, lab.keyring())]
    assert [finding.kind for finding in reports[0].findings] == ["rules_rolled_back"]
    await spaces.database.close()
