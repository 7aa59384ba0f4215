"""What a sealed document means is at most two seconds old, and new at once where this process changed or read it."""

from pathlib import Path

import pytest

from identity.operations.destinations.manage_purposes import put_purposes
from identity.operations.spaces.manage_identity_keys import add_identity_key, end_identity_key, list_identity_keys
from identity.spaces.sealed_document_cache import PURPOSE_NAMES, TOKEN_CHECKER, SealedDocumentCache
from identity.values.not_ready import RolledBack
from tests.support.processes.writer_processes import Lab, ingesting


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_the_names_of_purposes_are_at_most_two_seconds_old(lab: Lab) -> None:
    """Another process puts purposes in force: the cache knows them two seconds later, or once it forgets."""
    clock = [10.0]
    async with ingesting(lab) as ingest:
        space = ingest.space
        cache = SealedDocumentCache(
            PURPOSE_NAMES, space.tenant, space.public_id, space.keys, space.database, space._heads, lambda: clock[0]
        )
        assert await cache.current() == await space.purpose_names() == frozenset()

        await put_purposes(space, {"purposes": [{"id": "Ads", "class": "ads"}]}, "test")
        assert await space.purpose_names() == {"Ads"}
        clock[0] += 1.9
        assert await cache.current() == frozenset()
        clock[0] += 0.2
        assert await cache.current() == {"Ads"}

        await put_purposes(space, {"purposes": [{"id": "Mail", "class": "ads"}]}, "test")
        assert await cache.current() == {"Ads"}
        cache.forget()
        assert await cache.current() == await space.purpose_names() == {"Mail"}


async def test_another_process_knows_a_change_of_identity_keys(lab: Lab) -> None:
    """At once where it has read the journal; what is known of tokens stays as long as the keys do."""
    clock = [10.0]
    async with ingesting(lab) as ingest:
        space = ingest.space
        cache = SealedDocumentCache(
            TOKEN_CHECKER, space.tenant, space.public_id, space.keys, space.database, space._heads, lambda: clock[0]
        )
        before = await cache.current()
        made = await add_identity_key(space, "HS256", "web", None, "t")
        after = await cache.current()
        assert after is not before
        clock[0] += 2.1
        assert await cache.current() is after
        assert [key.id for key in await list_identity_keys(space)] == [made.key.id]


async def test_a_former_document_is_refused_where_the_journal_has_a_newer_one(lab: Lab) -> None:
    """At the next use, whatever the cache knew."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        made = await add_identity_key(space, "HS256", "web", None, "t")
        await end_identity_key(space, made.key.id, "t")
        lab.query("DELETE FROM identity_keys WHERE version = 2")
        space.identity_keys.forget()
        with pytest.raises(RolledBack):
            await space.identity_keys.current()
