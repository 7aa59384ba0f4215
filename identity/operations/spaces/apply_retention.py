"""Deletes message ids, rejections and ended jobs past their retention time, in small steps.

Any process may sweep at any time: rows that another process deleted are not found again.
"""

import asyncio
import time

from identity.store.postgres.database import Database
from identity.store.spaces import jobs, retention
from identity.values.calls import DAY
from identity.values.stamps import SLOT_BITS

PAUSE = 0.02


async def sweep_old(database: Database, *, message_days: int, rejection_days: int) -> None:
    """Sweep once; ended jobs have the retention time of rejections.

    DatabaseUnavailable; the next sweep continues.
    """
    now = time.time_ns() // 1000
    async with database.reading() as connection:
        pages = await retention.pages(connection)
    for page in range(0, pages, retention.PAGES):
        async with database.reading() as connection:
            await retention.messages(connection, page, now - message_days * DAY << SLOT_BITS)
        await asyncio.sleep(PAUSE)
    gone = retention.ROWS
    while gone == retention.ROWS:
        async with database.reading() as connection:
            gone = await retention.rejections(connection, now - rejection_days * DAY << SLOT_BITS)
        await asyncio.sleep(PAUSE)
    async with database.reading() as connection:
        await jobs.sweep(connection, rejection_days)
