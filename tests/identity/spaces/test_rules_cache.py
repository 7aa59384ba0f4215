"""The newest rules are looked up at most every two seconds, and a version never changes."""

from pathlib import Path

import pytest

from identity.operations.corrections.put_rules import put_rules
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.spaces.rules_cache import RulesCache
from identity.values.errors import KeyUnavailable
from tests.support.processes.writer_processes import Lab, ingesting


async def test_a_new_version_is_seen_after_two_seconds_and_by_its_number_at_once(database: str, tmp_path: Path) -> None:
    """Another process puts rules in force: this one knows the version before until its look-up is two seconds old."""
    clock = [10.0]
    async with ingesting(Lab(database, tmp_path)) as ingest:
        space = ingest.space
        cache = RulesCache(space.tenant.id, space.keys, space.database, now=lambda: clock[0])
        assert await cache.get() is DEFAULT_RULES

        await put_rules(space, {"limits": {"crm": {"max": 1}}}, "test")
        clock[0] += 1.9
        assert (await cache.get()).version == 0
        first = await cache.get(1)
        assert (first.version, cache.last_version) == (1, 1)

        await put_rules(space, {"limits": {"crm": {"max": 2}}}, "test")
        clock[0] += 0.2
        assert (await cache.get()).version == 2
        assert await cache.get(1) is first


async def test_a_version_that_is_not_there_is_unavailable(database: str, tmp_path: Path) -> None:
    """No rules are made up for a number that the space never had."""
    async with ingesting(Lab(database, tmp_path)) as ingest:
        space = ingest.space
        cache = RulesCache(space.tenant.id, space.keys, space.database)

        with pytest.raises(KeyUnavailable):
            await cache.get(9)
