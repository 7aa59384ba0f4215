"""Moves the due date of an erasure once, as the law allows.

The ledger records a keyed hash of the reason; the reason itself is for the person and is not kept.
"""

from identity.operations.privacy.read_requests import get_erasure
from identity.planning.privacy.deadlines import extended_due_date
from identity.planning.privacy.privacy_requests import ErasureResult
from identity.spaces.space import Space
from identity.store.ledger import ledger
from identity.store.privacy import erasures, requests
from identity.values.errors import AlreadyExtended, NotExtensible
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import wall_time


async def extend_erasure(space: Space, erasure_id: str, reason: str, actor: str) -> ErasureResult:
    """Move the due date of an erasure. ErasureNotFound, AlreadyExtended, NotExtensible."""
    found = await get_erasure(space, erasure_id)
    if found.due_at is None:
        raise NotExtensible
    now = wall_time()
    due_at = extended_due_date(found.regulation, found.received_at)
    entry = {"reason": space.keys.mac(b"reason", reason.encode()).hex(), "until": due_at}
    async with space.database.transaction() as connection:
        if not await erasures.extend(connection, space.tenant, found.id, now, due_at):
            raise AlreadyExtended
        await requests.reset_state(connection, space.tenant, found.request_id)
        await ledger.append(
            connection, space.tenant.id, *ledger.entry(actor, LedgerAction.ERASURE_EXTENDED, erasure_id, now, entry)
        )
    await space.publish()
    return await get_erasure(space, erasure_id)
