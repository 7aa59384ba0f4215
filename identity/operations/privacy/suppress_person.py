"""Suppressing identifiers, and lifting it: at once, for every call from then on, in one transaction.

The list holds hashes under a key of its own. Lifting never brings anything back, and what happened
before an erasure stays out even then.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive_with
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.ledger import ledger
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import erasures, suppressions
from identity.store.privacy.erasures import ErasureRow
from identity.values.calls import Identifier
from identity.values.enums import ErasureState, SpaceMark
from identity.values.ids import public
from identity.values.stamps import stamp_time


async def change(
    writer: WriterConnection,
    space: Space,
    rows: Sequence[ErasureRow],
    actor: str,
    named: Sequence[Identifier],
    *,
    on: bool,
) -> None:
    """Suppresses the identifiers of a request (`named` where they are known), or lifts that; done again it is done."""
    await run_exclusive_with(writer, space, named, _deciding(rows, actor, known=bool(named), on=on))


def _deciding(
    rows: Sequence[ErasureRow], actor: str, *, known: bool, on: bool
) -> Callable[[ExclusiveSpace], Awaitable[SpaceChange[None]]]:
    async def decide(exclusive: ExclusiveSpace) -> SpaceChange[None]:
        connection, tenant = exclusive.connection, exclusive.space.tenant
        now = await erasures.by_requests(connection, tenant, [rows[0].request_id])
        await exclusive.load_owners([row.key for row in now])
        now = await erasures.by_requests(connection, tenant, [rows[0].request_id])
        waiting = [row for row in now if row.state == ErasureState.RECEIVED]
        if not waiting:
            return SpaceChange(None)
        if not known:
            await exclusive.require_known([row.key for row in waiting])
        stamp = exclusive.stamps(exclusive.gate.stamp)
        at = stamp_time(stamp)
        hashes = sorted({row.hash for row in waiting})
        writes = Writes(gate=stamp, marks=SpaceMark.SUPPRESSED)
        if on:
            writes.suppressed = [(hash_, True, None) for hash_ in hashes]
            # What calls of others named of somebody unknown must not come to life in a rebuild.
            writes.forgotten = [(key, stamp) for key in sorted({r.key for r in waiting} - exclusive.owners.keys())]
        else:
            await suppressions.lift(connection, tenant, hashes)
        more: dict[str, Any] = {"hashes": [hash_.hex() for hash_ in hashes]}
        action = "suppress" if on else "suppress.lift"
        said = ledger.entry(actor, action, public("req", rows[0].request_id), at, more)
        seq = await ledger.append(connection, tenant.id, *said)
        for row in waiting:
            await erasures.finish(
                connection,
                tenant,
                row.id,
                state=ErasureState.FINISHED,
                at=at,
                closed_at=at,
                epoch=None,
                ledger_seq=seq,
                counts=msgspec.json.encode({"keys": 0, "rows": {}}),
                aside=None,
            )
        return SpaceChange(None, writes)

    return decide
