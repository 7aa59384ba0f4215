"""A change of a space in one transaction that holds the space lock alone, as an unmerge or an erasure.

Invariant: no other writer commits in between. So a change sees every call that was answered before it, and
every later call is planned on what the change left. The identifiers that it names are under the newest version
of the index key before it reads them. An error before the commit rolls all of it back, and the change is decided
again; if the answer to a commit is lost, the evidence that the change wrote shows whether it happened.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from identity.planning.corrections.waiting_claims import gather_claims
from identity.planning.resolution.resolution_rules import Rules
from identity.spaces.blind_indexes import older_keys
from identity.spaces.new_subject_keys import NewSubjectKeys, random_key_slot
from identity.spaces.rekey_profiles import rekey_hashes, rekey_profiles
from identity.spaces.retry import repeat_write, writer_policy
from identity.spaces.space import Space
from identity.store.destinations import disclosures
from identity.store.ingest import load
from identity.store.ingest.identifier_owners import owners as owners_of
from identity.store.ingest.write import Writes, apply
from identity.store.keys import index_key_rotation, rekey_sql
from identity.store.postgres.database import Connection
from identity.store.postgres.pipeline import PipelineConnection, commit, rollback
from identity.store.postgres.space_lock import SpaceLockRow
from identity.store.postgres.tenant import Tenant
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import access_exports, holds
from identity.store.profiles import evidence as evidence_queries
from identity.store.spaces import spaces_and_keys
from identity.values.calls import Identifier
from identity.values.errors import Conflict, KeyUnavailable
from identity.values.ids import BlindIndex, HoldId, ProfileId, public
from identity.values.not_ready import RolledBack
from identity.values.stamps import Stamp

T = TypeVar("T")
_POLICY = writer_policy(attempts=12, outage_attempts=12)


class SpaceReader:
    """A space as one transaction reads it: its connection, the space lock as it was read, the rules to read under."""

    def __init__(self, space: Space, connection: Connection, lock_row: SpaceLockRow, rules: Rules) -> None:
        self.space = space
        self.connection = connection
        self.lock_row = lock_row
        self.rules = rules


class ExclusiveSpace(SpaceReader):
    """A space that nobody else writes to: the space lock is held alone.

    `owners` are the origins of the identifiers that the change names.
    """

    connection: PipelineConnection

    def __init__(
        self,
        space: Space,
        connection: PipelineConnection,
        first: load.BatchClaim,
        rules: Rules,
        writer: WriterConnection,
    ) -> None:
        super().__init__(space, connection, first.lock_row, rules)
        self.owners = first.owners
        self._writer = writer

    def stamps(self, after: Stamp) -> Stamp:
        """A stamp after this one. Conflict if the lease on the writer slot has to be extended first."""
        if not self._writer.covers(after):
            raise Conflict
        return self._writer.clock.next(after)

    @property
    def lane(self) -> int:
        """The lane of the change feed that this writer appends to."""
        return self._writer.clock.slot % spaces_and_keys.LANES

    async def new_subject_keys(self) -> NewSubjectKeys:
        """New subject keys, under a key slot that is locked to the end of the transaction."""
        key_slot = random_key_slot()
        second = await load.lock(self.connection, self.space.tenant, (), set(), (), (), key_slot)
        return NewSubjectKeys(self.space, self.lock_row.epoch, key_slot, second.slot_key)

    async def load_owners(self, keys: Sequence[BlindIndex]) -> None:
        """Adds the owners of more identifiers to `owners`, by keys that were read from a row.

        While a rotation is under way their profiles are rekeyed first, and the row with them.
        """
        found = await owners_of(self.connection, self.space.tenant, keys)
        if found and self.lock_row.live < self.lock_row.newest:
            await rekey_profiles(self.space, self.connection, set(found.values()))
            older_to_newest = await rekey_sql.known_new_keys(self.connection, self.space.tenant, keys)
            found = {older_to_newest.get(key, key): origin for key, origin in found.items()}
        self.owners.update(found)

    async def require_known(self, keys: Sequence[BlindIndex]) -> None:
        """Raises KeyUnavailable while a key rotation leaves open whether any profile holds these blind indexes.

        Without its value, an identifier's older or newer blind index cannot be computed from the one at hand.
        """
        unknown = set(keys) - self.owners.keys()
        if not unknown or self.lock_row.oldest == self.lock_row.newest:
            return
        if self.lock_row.live < self.lock_row.newest or await index_key_rotation.any_unresolved(
            self.connection, self.space.tenant, sorted(unknown)
        ):
            raise KeyUnavailable

    async def holds_on(self, keys: Sequence[BlindIndex]) -> list[HoldId]:
        """The holds on any of these identifiers. RolledBack where the database lacks a hold of the journal.

        Such a hold may be on anybody: without it no answer is safe, for which nothing is destroyed.
        """
        found = await holds.on_identifiers(self.connection, self.space.tenant, keys)
        if not found:
            await self.require_recorded_holds()
        return found

    async def require_recorded_holds(self) -> None:
        """RolledBack where the database lacks a hold that the journal records."""
        await self.space.read_heads()
        if any(self.space.heads.holds.values()) and await self._lost_holds():
            # The entry of a release may be in the ledger only, for a moment.
            await self.space.publish()
            if await self._lost_holds():
                raise RolledBack

    async def _lost_holds(self) -> list[str]:
        stored = await holds.named_keys(self.connection, self.space.tenant)
        return self.space.heads.lost_holds({public("hld", id_): keys for id_, keys in stored.items()})

    async def rekey_named(self, identifiers: Sequence[Identifier]) -> None:
        """Rekeys everything that bears an older blind index of these identifiers."""
        if self.lock_row.oldest == self.lock_row.newest:
            return
        older_to_newest = older_keys(self.space.keys, identifiers, self.lock_row.oldest)
        await self.load_owners([*older_to_newest, *older_to_newest.values()])
        await rekey_hashes(self.space, self.connection, older_to_newest)


class SpaceChange(Struct, Generic[T]):
    """What a decision changes: the answer, the rows to write, and the (origin, stamp) of its evidence.

    Without rows nothing is written.
    """

    answer: T
    writes: Writes | None = None
    proof: tuple[ProfileId, Stamp] | None = None


async def run_exclusive(
    space: Space, identifiers: Sequence[Identifier], decide: Callable[[ExclusiveSpace], Awaitable[SpaceChange[T]]]
) -> T:
    """Runs one exclusive transaction on a writer connection of its own; see `run_exclusive_with`."""
    writer = WriterConnection(space.database)
    try:
        return await run_exclusive_with(writer, space, identifiers, decide)
    finally:
        await writer.close()


async def run_exclusive_with(
    writer: WriterConnection,
    space: Space,
    identifiers: Sequence[Identifier],
    decide: Callable[[ExclusiveSpace], Awaitable[SpaceChange[T]]],
) -> T:
    """Runs one exclusive transaction. `identifiers` are the identifiers whose origins `decide` finds in `owners`.

    `decide` computes their blind indexes in every attempt: the version of the index key may have changed.

    Raises what `decide` raises, or Unavailable: then the change happened once or not at all, and is safe to repeat.
    """
    tried: list[SpaceChange[T]] = []

    async def attempt(connection: PipelineConnection) -> T:
        return await _attempt(space, connection, writer, identifiers, decide, tried)

    async with space.changes:
        return await repeat_write(_POLICY, space.database, writer, attempt)


async def _attempt(
    space: Space,
    connection: PipelineConnection,
    writer: WriterConnection,
    identifiers: Sequence[Identifier],
    decide: Callable[[ExclusiveSpace], Awaitable[SpaceChange[T]]],
    tried: list[SpaceChange[T]],
) -> T:
    lease = writer.lease
    if lease is None:
        raise Conflict
    keys = {space.keys.identifier(each.type, each.value) for each in identifiers}
    first = await load.begin(connection, space.tenant, (), sorted(keys), Stamp(0), lease, exclusive=True)
    for before in tried:
        if before.proof is not None and await evidence_queries.exists(connection, space.tenant, *before.proof):
            await rollback(connection)
            return before.answer
    if first.lock_row.versions != space.keys.versions:
        space.set_versions(first.lock_row.versions)
        raise Conflict
    space.heads.require_rules(first.lock_row.rules_version)
    # Not from the pool: all its connections may wait for this lock.
    rules = await space.rules(first.lock_row.rules_version, connection)
    await space.read_types(connection)
    exclusive = ExclusiveSpace(space, connection, first, rules, writer)
    await exclusive.rekey_named(identifiers)
    done = await decide(exclusive)
    if done.writes is None:
        await rollback(connection)
        return done.answer
    await write_change(connection, space.tenant, done.writes)
    tried.append(done)
    await commit(connection)
    return done.answer


async def write_change(connection: PipelineConnection, tenant: Tenant, writes: Writes) -> None:
    """Write the rows of a change, and what follows from them for access exports and disclosures. Conflict."""
    changed = {*writes.lifted, *(row.id for row, _ in writes.touched)}
    if changed:
        # An access export of a profile that is split holds data of another person from now on.
        await access_exports.drop_containing(connection, tenant, sorted(changed))
    writes.claims = list(gather_claims(row[:5] for row in writes.evidence))
    if writes.inherits:
        await disclosures.copy_to_twins(connection, tenant, writes.inherits)
    await apply(connection, tenant, writes)
