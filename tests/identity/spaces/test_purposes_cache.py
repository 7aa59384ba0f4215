"""The names of the purposes are at most two seconds old, and new at once where this process changed them."""

from pathlib import Path

from identity.operations.destinations.manage_purposes import put_purposes
from identity.spaces.purposes_cache import PurposesCache
from tests.support.processes.writer_processes import Lab, ingesting


async def test_the_names_are_at_most_two_seconds_old(database: str, tmp_path: Path) -> None:
    """Another process puts purposes in force: the cache knows them two seconds later, or once it forgets."""
    clock = [10.0]
    async with ingesting(Lab(database, tmp_path)) as ingest:
        space = ingest.space
        cache = PurposesCache(space.tenant, space.public_id, space.keys, space.database, now=lambda: clock[0])
        assert await cache.names() == await space.purpose_names() == frozenset()

        await put_purposes(space, {"purposes": [{"id": "Ads", "class": "ads"}]}, "test")
        assert await space.purpose_names() == {"Ads"}
        clock[0] += 1.9
        assert await cache.names() == frozenset()
        clock[0] += 0.2
        assert await cache.names() == {"Ads"}

        await put_purposes(space, {"purposes": [{"id": "Mail", "class": "ads"}]}, "test")
        assert await cache.names() == {"Ads"}
        cache.forget()
        assert await cache.names() == await space.purpose_names() == {"Mail"}
