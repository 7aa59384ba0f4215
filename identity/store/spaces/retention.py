"""Deletes rows that are kept for a time only and are not partitioned: message ids and rejections.

An index of message ids by age would slow down every call, so the table is walked page by page. On Citus each shard
would be walked.
"""

from identity.store.postgres.database import Connection, row
from identity.values.stamps import Stamp

PAGES = 1_000
ROWS = 5_000


async def pages(connection: Connection) -> int:
    """The number of pages of the table of message ids."""
    found = await row(connection, "SELECT pg_relation_size('message') / current_setting('block_size')::int8")
    return 0 if found is None else int(found[0])


async def messages(connection: Connection, page: int, before: Stamp) -> int:
    """Delete the message ids on the next PAGES pages that were stored before a stamp; returns how many."""
    gone = await connection.execute(
        """
        DELETE FROM message
        WHERE ctid >= format('(%s,0)', $1::int8)::tid AND ctid < format('(%s,0)', $1::int8 + $2::int8)::tid
          AND batch < $3::int8
        """,
        [page, PAGES, before],
    )
    return gone.rowcount


async def rejections(connection: Connection, before: Stamp) -> int:
    """Delete up to ROWS rejections from before a stamp; returns how many."""
    gone = await connection.execute(
        """
        DELETE FROM rejection WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM rejection WHERE stamp < $1::int8 LIMIT $2::int8))
        """,
        [before, ROWS],
    )
    return gone.rowcount
