"""The keys of identity tokens are at most two seconds old, and new at once where the process has read the journal."""

from pathlib import Path

from identity.operations.spaces.manage_identity_keys import add_identity_key
from identity.spaces.identity_tokens.identity_keys_cache import IdentityKeysCache
from tests.support.processes.writer_processes import Lab, ingesting


async def test_another_process_knows_a_change(database: str, tmp_path: Path) -> None:
    """At once where it has read the journal."""
    clock = [10.0]
    async with ingesting(Lab(database, tmp_path)) as ingest:
        space = ingest.space
        cache = IdentityKeysCache(
            space.tenant, space.public_id, space.keys, space.database, space._heads, now=lambda: clock[0]
        )
        before = await cache.checker()
        made = await add_identity_key(space, "HS256", "web", None, "t")
        after = await cache.checker()
        assert after is not before
        clock[0] += 2.1
        assert await cache.checker() is after
        assert [key.id for key in (await cache.read())[1]] == [made.key.id]
