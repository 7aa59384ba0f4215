"""Refuses a join that waits for proof: the claim links nothing and is not shown again as waiting.

The refusal is evidence of the side that claims, so a rebuild, a split and a rotation of keys carry it along.
"""

from identity.operations.corrections.seal_profiles import act_record, history, seal_act
from identity.operations.corrections.unseal_profiles import unseal_profiles
from identity.operations.profiles.read_joins import ClaimedJoin, find_join, read_join, require_waiting
from identity.planning.resolution.plan import HistoryNote
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.ledger.ledger import entry
from identity.values.calls import Source
from identity.values.enums import HistoryKind
from identity.values.ids import public, public_profile
from identity.values.json import JsonObject
from identity.values.stamps import stamp_time


async def refuse_join(space: Space, id_: str, source: Source, *, actor: str, reason: str | None = None) -> ClaimedJoin:
    """Refuse a join for good. JoinNotFound, JoinNotWaiting."""

    async def decide(exclusive: ExclusiveSpace) -> SpaceChange[None]:
        join = await find_join(space, exclusive.connection, id_)
        require_waiting(join)
        row = join.row
        opened = await unseal_profiles(exclusive, row.origin)
        await opened.unlock(row.origin)
        # Every call after the refusal has a later stamp: the space lock is raised to that of the refusal.
        stamp = exclusive.stamps(max(exclusive.lock_row.stamp, *(origin.stamp for origin in opened.rows.values())))
        body: JsonObject = {"identifier": [join.type, join.value], "join": public("jon", join.id), "reason": reason}
        record = act_record("refuse", source, stamp_time(stamp), body)
        writes = Writes(lock_stamp=stamp, lane=exclusive.lane)
        seal_act(writes, opened.subjects[row.origin], row.origin, stamp, [row.key], record, exclusive.rules.version)
        note = HistoryNote(origin=row.origin, stamp=stamp, kind=HistoryKind.JOIN_REFUSED, keys=[row.key])
        writes.history = history([note], exclusive.rules.version, source.key_number)
        writes.ledger = [entry(actor, "join.refuse", public_profile(join.claimed_by), stamp_time(stamp))]
        return SpaceChange(None, writes, (row.origin, stamp))

    await run_exclusive(space, [], decide)
    return await read_join(space, id_)
