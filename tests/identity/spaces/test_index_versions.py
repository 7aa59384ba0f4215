"""Reads that meet a rotation of a key."""

import pytest

from identity.spaces.index_versions import retry_on_key_rotation
from identity.values.errors import KeyUnavailable, SealBroken


async def test_a_read_is_repeated_once_when_a_key_was_rolled_under_it() -> None:
    """The second try reads the rows anew, and gives the answer."""
    tries = []

    @retry_on_key_rotation
    async def read(found: str) -> str:
        tries.append(found)
        if len(tries) == 1:
            raise KeyUnavailable
        return found

    assert await read("profile") == "profile"
    assert tries == ["profile", "profile"]


@pytest.mark.parametrize(("error", "count"), [(SealBroken, 2), (KeyUnavailable, 2)])
async def test_a_key_that_stays_unreadable_is_an_error(error: type[KeyUnavailable], count: int) -> None:
    """What cannot be opened is tried once more: an unmerge may have changed its key; then the error is raised."""
    tries = []

    @retry_on_key_rotation
    async def read() -> None:
        tries.append(1)
        raise error

    with pytest.raises(error):
        await read()
    assert len(tries) == count
