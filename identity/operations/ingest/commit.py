"""One batch of one space through load, plan and apply, in one transaction.

Invariant: a batch is in the database once or not at all, and nothing acknowledged is lost. A batch is planned on
locked rows only. An error before the commit rolls all of it back, and the batch is planned again. The same happens
where the calls were read under rules or an index key that are no longer in force (the space lock names those in force).
If the answer to a commit is lost, the rows that name the batch, those of its messages and of its rejections, show
whether the commit happened.
"""

from collections.abc import Sequence
from typing import Final

from identity.operations.ingest.record_rejections import rejection_row
from identity.operations.ingest.recorded_limits import add_recorded_limits
from identity.operations.ingest.rekey_on_write import up_to_date
from identity.operations.ingest.request import IngestRequest
from identity.operations.ingest.seal import Sealer
from identity.operations.ingest.unseal import (
    UnsealedBatch,
    fill_windows,
    missing_windows,
    wanted_documents,
    wanted_sets,
)
from identity.operations.ingest.withdrawal_entries import withdrawal_entries
from identity.operations.profiles.read_joins import decided_joins
from identity.planning.resolution.plan import Plan
from identity.planning.resolution.planner import plan as make_plan
from identity.planning.resolution.planner_state import PlannerState
from identity.planning.resolution.resolution_rules import Rules
from identity.spaces.new_subject_keys import random_key_slot
from identity.spaces.retry import Again, repeat_write, writer_policy
from identity.spaces.space import Space
from identity.store.ingest import load
from identity.store.ingest.write import apply
from identity.store.ledger.ledger import entry
from identity.store.postgres.database import Database
from identity.store.postgres.pipeline import PipelineConnection, commit, rollback
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import access_exports, holds
from identity.store.spaces import spaces_and_keys
from identity.values.calls import Call
from identity.values.errors import Conflict
from identity.values.ids import new_profile_id, public_profile
from identity.values.stamps import Clock, Stamp, stamp_time

_POLICY = writer_policy(attempts=12, outage_attempts=5)
_SHARED_ATTEMPTS: Final = 6
"""Attempts beside other writers; the next ones hold the space lock alone, so no other writer makes them fail."""


class _Batch:
    """The requests of one commit, and what its attempts found out.

    `tried` are the plans whose commit may have happened, by their batch stamps; `exclusive` says
    that the next attempt needs the space lock for itself. `attempts` counts those that began.
    """

    __slots__ = ("attempts", "exclusive", "requests", "space", "tried")

    def __init__(self, space: Space, requests: Sequence[IngestRequest]) -> None:
        self.space = space
        self.requests = requests
        self.tried: dict[Stamp, Plan] = {}
        self.attempts = 0
        # A decision on a join is made alone, so two that come at once do not both find the join waiting.
        self.exclusive = any(
            call.alias is not None or call.kind == "confirm" for request in requests for _, call in request.calls
        )


class BatchWriter:
    """Commits batches, one after the other. Used by one task at a time.

    With `keeps=False` nothing is stored: the outcomes say what a commit would do.
    """

    def __init__(self, database: Database, *, keeps: bool = True) -> None:
        self._database = database
        self._writer = WriterConnection(database)
        self._keeps = keeps

    @property
    def clock(self) -> Clock:
        """The clock of the writer slot."""
        return self._writer.clock

    @property
    def lease_seconds(self) -> float:
        """How long the lease of the writer slot lasts; 0 without a lease."""
        return self._writer.lease_seconds

    async def close(self) -> None:
        """Gives the writer slot back."""
        await self._writer.close()

    async def write(self, space: Space, requests: Sequence[IngestRequest]) -> None:
        """Commits the calls of these requests and sets their outcomes.

        Raises Unavailable (nothing is stored, or stored and safe to send again) while the database
        or a key is missing, SpaceNotFound for a space that was deleted.
        """
        batch = _Batch(space, requests)
        await repeat_write(_POLICY, self._database, self._writer, lambda connection: self._attempt(connection, batch))

    async def _attempt(self, connection: PipelineConnection, batch: _Batch) -> Again | None:
        """Loads, plans and commits the batch once."""
        space, requests, tried = batch.space, batch.requests, batch.tried
        calls = [call for request in requests for _, call in request.calls]
        batch_stamp = self.clock.next()
        lease = self._writer.lease
        if lease is None:
            raise Conflict
        batch.attempts += 1
        first = await load.begin(
            connection,
            space.tenant,
            list({call.message_key for call in calls}),
            list({key for request in requests for key in request.keys}),
            batch_stamp,
            lease,
            # A commit whose answer was lost may still be under way: it holds the space lock until it is done.
            exclusive=batch.exclusive or bool(tried) or batch.attempts > _SHARED_ATTEMPTS,
        )
        if tried:
            # Before the calls are read again, which would give those without a message id another one.
            committed = await load.committed_batch(
                connection, space.tenant, [call.message_key for call in calls], list(tried)
            )
            if committed is not None:
                await rollback(connection)
                _answer(requests, tried[committed])
                return None
        current = await up_to_date(connection, space, requests, first)
        if current is None:
            return Again.AGAIN
        first = current
        rules = await space.rules(first.lock_row.rules_version, connection)
        opened, key_slot, slot_key = await self._open(connection, space, calls, rules, first)
        if not self._writer.covers(max(first.lock_row.stamp, opened.newest)):
            # The clock of another host is ahead: the lease has to reach beyond the stamps that it gave.
            await rollback(connection)
            return Again.AGAIN
        made = make_plan(opened.state, calls, rules, self.clock.next, new_profile_id, public_profile)
        if made.assumes_unknown and not batch.exclusive:
            await rollback(connection)
            batch.exclusive = True
            return Again.AGAIN
        if not self._keeps:
            await rollback(connection)
            _answer(requests, made)
            return None
        sealer = Sealer(opened, first.lock_row, rules, key_slot, slot_key)
        writes = sealer.seal(made)
        writes.unclaimed_message_keys = list(first.new_message_keys - made.message_keys)
        writes.lock_stamp = self.clock.last_stamp if made.assumes_unknown else Stamp(0)
        writes.lane = self.clock.slot % spaces_and_keys.LANES
        decided = made.forced or made.confirmed
        actors = await spaces_and_keys.source_ids(connection, space.tenant.id) if decided else {}
        writes.ledger = [
            entry(
                actors.get(record.call.source.key_number, str(record.call.source.key_number)),
                action,
                public_profile(record.origin),
                stamp_time(record.stamp),
            )
            for action, records in (("alias.force", made.forced), ("join.confirm", made.confirmed))
            for record in records
        ]
        if made.withdrawn:
            withdrawals = [record for record in made.evidence if record.stamp in made.withdrawn]
            writes.ledger += withdrawal_entries(space.keys, sealer, withdrawals)
        writes.rejection = rejection_row(space, requests, made, batch_stamp)
        if writes.detached:
            # An access export would hold an identifier that belongs to another person now.
            origins = sorted({origin for origin, _ in writes.detached})
            await access_exports.drop_containing(connection, space.tenant, origins)
        await apply(connection, space.tenant, writes)
        tried[batch_stamp] = made
        await commit(connection)
        _answer(requests, made)
        return None

    async def _open(
        self, connection: PipelineConnection, space: Space, calls: Sequence[Call], rules: Rules, first: load.BatchClaim
    ) -> tuple[UnsealedBatch, int, tuple[int, bytes] | None]:
        """Locks the rows that the first round trip found, and unseals them."""
        groups = {call.group_key for call in calls if call.group is not None}
        known = first.owners
        may_mint = bool(groups) or any(i.key not in known for call in calls for i in call.identifiers)
        key_slot = random_key_slot()
        limited = first.lock_row.marks or space.recorded
        marked = await self._marks(connection, space, calls, first) if limited else PlannerState()
        second = await load.lock(
            connection,
            space.tenant,
            set(known.values()),
            wanted_documents(calls, known),
            wanted_sets(calls, known, lambda call: marked.hidden(call) | marked.blocked),
            list(groups),
            key_slot if may_mint or any(call.alias is not None for call in calls) else None,
        )
        try:
            opened = UnsealedBatch(space, first, second)
        except KeyError:
            await space.read_types(connection)
            opened = UnsealedBatch(space, first, second)
        opened.state.message_keys = {call.message_key for call in calls} - first.new_message_keys
        opened.state.decided_joins = await decided_joins(space, connection, calls)
        opened.state.suppressed, opened.state.erased = marked.suppressed, marked.erased
        opened.state.blocked, opened.state.cuts = marked.blocked, marked.cuts
        if opened.state.may_part(calls):
            # A hold is placed while the space lock is held alone: before this batch, or after its commit.
            roots = sorted({row.root for row in second.profiles})
            opened.state.under_hold = await holds.held_profiles(connection, space.tenant, roots)
        scans = missing_windows(opened.state, rules, space.codes)
        if scans:
            found = await load.scan_windows(connection, space.tenant, scans)
            fill_windows(opened.state, scans, found, space.names)
        return opened, key_slot, second.slot_key

    async def _marks(
        self, connection: PipelineConnection, space: Space, calls: Sequence[Call], first: load.BatchClaim
    ) -> PlannerState:
        """The suppressions, erasures, blocks and cuts of the identifiers that these calls name."""
        named = {i.key: i for call in calls for i in (*call.identifiers, *call.unlinked)}
        for call in calls:
            if call.alias is not None:
                named |= {i.key: i for i in (call.alias.user, call.alias.anonymous) if i is not None}
        hashes = {space.keys.suppression(i.type, i.value): key for key, i in named.items()}
        suppressed, blocked, cuts = await load.constraints(
            connection, space.tenant, first.lock_row, list(hashes), list(named)
        )
        marked = PlannerState(blocked=blocked)
        for hash_, for_good, until in suppressed:
            if for_good:
                marked.suppressed.add(hashes[hash_])
            elif until is not None:
                marked.erased[hashes[hash_]] = until
        await add_recorded_limits(space, hashes, marked)
        for key, cut, side in cuts:
            marked.cuts.setdefault(key, []).append((cut, side))
        return marked


def _answer(requests: Sequence[IngestRequest], made: Plan) -> None:
    outcomes = iter(made.outcomes)
    for request in requests:
        for at, _ in request.calls:
            request.outcomes[at] = next(outcomes)
