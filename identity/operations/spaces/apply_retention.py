"""Deletes message ids, rejections and ended jobs past their retention time, in small steps.

Any process may sweep at any time: rows that another process deleted are not found again.
"""

import asyncio

from identity.store.postgres.database import Database
from identity.store.spaces import jobs, retention
from identity.values.calls import DAY
from identity.values.stamps import Micros, first_stamp, wall_time

PAUSE = 0.02


async def sweep_old(database: Database, *, message_days: int, rejection_days: int) -> None:
    """Sweep once; ended jobs have the retention time of rejections.

    DatabaseUnavailable; the next sweep continues.
    """
    now, rows = wall_time(), database.of_all_spaces
    async with rows.reading() as connection:
        pages = await retention.pages(connection)
    for page in range(0, pages, retention.PAGES):
        async with rows.reading() as connection:
            await retention.messages(connection, page, first_stamp(Micros(now - message_days * DAY)))
        await asyncio.sleep(PAUSE)
    gone = retention.ROWS
    while gone == retention.ROWS:
        async with rows.reading() as connection:
            gone = await retention.rejections(connection, first_stamp(Micros(now - rejection_days * DAY)))
        await asyncio.sleep(PAUSE)
    async with rows.reading() as connection:
        await jobs.sweep(connection, rejection_days)
