"""The one place where a read meets a rotation of the index key.

A read that opens what it finds is decorated with `retry_on_key_rotation`. A read of several statements that
compares blind indexes across them runs in `reading_one_version`. Nothing else of a rotation concerns a read.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from identity.spaces.space import Space
from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection
from identity.values.errors import KeyRenamed, KeyUnavailable

P = ParamSpec("P")
R = TypeVar("R")


def retry_on_key_rotation(read: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Repeats a read once that met a missing key, under the versions of the index key that are in force then.

    A key disappears between the reading of a row and its opening when a roll destroys the old epoch, when an
    unmerge replaces the key of what it splits, and when a rotation of the index key renames everything.
    """

    @wraps(read)
    async def reading(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await read(*args, **kwargs)
        except KeyUnavailable:
            for given in args:
                if isinstance(given, Space):
                    await given.refresh_versions()
            return await read(*args, **kwargs)

    return reading


async def require_index_version(space: Space, connection: Connection, newest: int) -> None:
    """KeyRenamed where a newer version of the index key is in force: rows may bear names under that."""
    if (await space_lock.read(connection, space.tenant.id)).newest != newest:
        raise KeyRenamed


@asynccontextmanager
async def reading_one_version(space: Space) -> AsyncIterator[Connection]:
    """A connection for reads that all happen under one version of the index key. KeyRenamed otherwise."""
    async with space.database.reading() as connection:
        newest = space.keys.versions.newest
        yield connection
        await require_index_version(space, connection, newest)
