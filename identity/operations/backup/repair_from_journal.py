"""Publishes ledgers into their journals, and repairs a restored database from its journal.

A database that is older than its journal repeats every erasure, suppression, lift, hold, revocation, removal of an
identifier, and change of rules, purposes and destinations that the journal lists since, under the space lock, in one
transaction; the space is served only after that. Requests and erasures become rows again, as they were answered, and
destinations are notified again. A rotation of the index key is repeated too, because later entries name people by the
newer keys. Other acknowledged writes are lost with the database; their entries stay, as the record that they happened.
Every destination is paused until an administrator resumes it.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog

from identity.operations.backup.lost_profiles import LostProfiles
from identity.operations.backup.repeat_erasure import repeating_erasure
from identity.operations.corrections.rejoin_profiles import rejoin_profiles
from identity.operations.corrections.repeat_removal import repeat_removal
from identity.operations.ingest.repeat_group_deletion import repeat_group_deletion
from identity.operations.keys.restore_consent import restore_withdrawal
from identity.operations.keys.restore_settings import REPLAYED
from identity.spaces.fold_groups import fold_stored_groups
from identity.spaces.ledger_publication import chained_hash, publish, require_published
from identity.spaces.rekey_space import rotate_up_to
from identity.spaces.space import Space, Spaces
from identity.store.destinations import feed
from identity.store.keys import epoch_key_roll
from identity.store.ledger import ledger
from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection
from identity.store.postgres.pipeline import PipelineConnection
from identity.store.postgres.tenant import Tenant
from identity.store.privacy import erase, erasures, group_rows, holds, restore_erasures, restore_requests
from identity.store.spaces import spaces_and_keys
from identity.values.enums import ErasureState, SpaceMark
from identity.values.errors import LedgerBroken, OnefoldError, Quarantined
from identity.values.ids import ProfileId, SpaceId, SpaceNumber, new_id, private, public
from identity.values.json import JsonObject
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import Micros, Stamp, first_stamp
from identity.vault.journal import Journal
from identity.vault.seal import HOLD
from identity.vault.threads import in_key_store

RESTORED: Final = "restored"
_CHANGES_GROUPS: Final = frozenset({LedgerAction.ERASED, LedgerAction.SUPPRESSED, LedgerAction.WAITING_ENDED})
_log = structlog.get_logger(__name__)
Replay = Callable[[PipelineConnection, Tenant, JsonObject], Awaitable[None]]


async def publish_or_repair(
    spaces: Spaces, known: dict[int, int], failing: dict[int, str] | None = None
) -> dict[SpaceNumber, LostProfiles]:
    """Checks every space once; `known` holds the last entry number up to which ledger and journal were equal.

    Returns what each repaired space lost. `failing` holds the code of the error of each space that cannot be served;
    the log has a line when a code changes.
    """
    failing = {} if failing is None else failing
    repaired: dict[SpaceNumber, LostProfiles] = {}
    async with spaces.database.of_all_spaces.reading() as connection:
        heads = await ledger.last_entries(connection)
        found = await spaces_and_keys.list_spaces(connection)
    for row in found:
        seq = heads.get(row.id, 0)
        if known.get(row.id) == seq:
            continue
        tenant = Tenant(row.id, row.bucket_base, row.spread)
        try:
            journal = await in_key_store(spaces.keyring.journal, row.public_id)
            try:
                await require_published(spaces.database, tenant, journal)
            except Quarantined:
                spaces.forget(row.id)
                lost = repaired[row.id] = LostProfiles()
                done = await repair_space(spaces, tenant, row.public_id, journal, lost)
                _log.warning(
                    "space.restored",
                    space=public("spc", row.public_id),
                    count=done,
                    profiles_lost=len(lost.ids()),
                    profiles=lost.shown(),
                )
            known[row.id] = await publish(spaces.database, tenant, journal)
            failing.pop(row.id, None)
        except Exception as error:  # noqa: BLE001 (one space that fails, for any reason, must not hold up the others)
            if isinstance(error, LedgerBroken):
                spaces.forget(row.id)
            code = error.code if isinstance(error, OnefoldError) else type(error).__name__
            if failing.get(row.id) != code:
                failing[row.id] = code
                _log.error("space.not_level", space=public("spc", row.public_id), code=code)
    return repaired


async def repair_space(spaces: Spaces, tenant: Tenant, public_id: SpaceId, journal: Journal, lost: LostProfiles) -> int:
    """Repeats the entries of the journal that the ledger lacks, and returns their number. LedgerBroken.

    `lost` takes up the profiles that are erased with others.
    """
    # An earlier attempt that was rolled back may have left an index key in memory that is not in force.
    spaces.keyring.forget(public_id)
    space = await spaces.restored(tenant.id)
    connection = await space.database.writer()
    parted: set[ProfileId] = set()
    actions: dict[str, Replay] = {
        LedgerAction.REQUEST_RECEIVED: _ask,
        LedgerAction.ERASED: repeating_erasure(lost, parted),
        LedgerAction.ERASURE_EXTENDED: _extend,
        LedgerAction.ERASURE_CANCELLED: _cancel,
        LedgerAction.SUPPRESSED: _suppress,
        LedgerAction.SUPPRESSION_LIFTED: _lift,
        LedgerAction.WAITING_ENDED: _show,
        LedgerAction.KEYS_ROLLED: _roll,
        LedgerAction.KEY_REVOKED: _revoke,
        LedgerAction.HOLD_PLACED: _holding(spaces, public_id),
        LedgerAction.HOLD_RELEASED: _release,
        LedgerAction.GROUP_DELETED: _deleting_group(space),
        LedgerAction.INDEX_ROTATED: _rotating(space),
        LedgerAction.CONSENT_WITHDRAWN: _withdrawing(space),
        LedgerAction.IDENTIFIER_REMOVED: _removing(space),
        **REPLAYED,
    }
    done = 0
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL statement_timeout = 0")
            stamp: Stamp = (await space_lock.take_exclusive(connection, tenant.id)).stamp
            head = await ledger.read_head(connection, tenant)
            if head.seq and head.hash != await _hash_in(journal, head.seq):
                raise LedgerBroken
            # Destinations start their feed anew: they hear which profiles exist, and drop all others.
            await feed.restart(connection, tenant)
            await rotate_up_to(space, connection, 0, Micros(0))
            hash_ = head.hash
            for line in await in_key_store(lambda: list(journal.after(head.seq))):
                hash_ = chained_hash(hash_, line.entry)
                if hash_ != line.hash:
                    raise LedgerBroken
                entry = msgspec.json.decode(line.entry)
                lost.take(entry)
                again = actions.get(entry["action"])
                if again is not None:
                    await _repeat(space, connection, again, {**entry, "seq": line.seq})
                stamp = max(stamp, Stamp(entry.get("stamp", 0)))
                await ledger.restore(connection, tenant, ledger.LedgerEntryRow(*line))
                done += 1
            # After all erasures: what was erased is not joined again.
            await rejoin_profiles(space, connection, parted)
            await fold_stored_groups(space, connection, await group_rows.keys_without_row(connection, tenant))
            # What was repeated may have raised the stamp; the marks are set with a greater one.
            stamp = max(stamp, (await space_lock.read(connection, tenant.id)).stamp)
            await space_lock.raise_stamp(
                connection, tenant.id, Stamp(stamp + 1), SpaceMark.SUPPRESSED | SpaceMark.BLOCKED
            )
            lost.keep(await restore_erasures.stored_profiles(connection, tenant, lost.ids()))
            await note_restore(connection, tenant)
    finally:
        await connection.close()
    return done


async def note_restore(connection: Connection, tenant: Tenant) -> None:
    """Record that the database of a space was restored; its destinations are paused until each is resumed."""
    await ledger.note(
        connection, tenant.id, ledger.OPERATOR, LedgerAction.SPACE_RESTORED, None, {"restore": new_id().hex()}
    )


async def _repeat(space: Space, connection: PipelineConnection, again: Replay, entry: JsonObject) -> None:
    """Repeat an entry; groups lose, or have again, what the calls of its people gave them."""
    groups = []
    if entry["action"] in _CHANGES_GROUPS:
        groups = await group_rows.affected_groups(connection, space.tenant, entry)
    await again(connection, space.tenant, entry)
    await fold_stored_groups(space, connection, groups)


async def _hash_in(journal: Journal, seq: int) -> bytes:
    def find() -> bytes:
        return next((line.hash for line in journal.after(seq - 1)), b"")

    return await in_key_store(find)


async def _ask(connection: PipelineConnection, tenant: Tenant, entry: JsonObject) -> None:
    id_ = private("req", entry["subject"])
    if id_ is not None:
        await restore_requests.restore_request(connection, tenant, id_, entry)


async def _suppress(connection: PipelineConnection, tenant: Tenant, entry: JsonObject) -> None:
    await restore_erasures.replay_suppression(connection, tenant, entry)
    held = private("ers", entry["subject"] or "")
    if held is None:
        return await _settle(connection, tenant, entry)
    profiles = [ProfileId(bytes.fromhex(id_)) for id_ in entry.get("profiles", ())]
    await erasures.set_state(connection, tenant, held, ErasureState.ON_HOLD, found=bool(profiles))
    await restore_erasures.replay_hold(connection, tenant, profiles, first_stamp(entry["at"]))
    return None


async def _show(connection: PipelineConnection, tenant: Tenant, entry: JsonObject) -> None:
    await restore_erasures.replay_lift(connection, tenant, entry)
    profiles = [ProfileId(bytes.fromhex(id_)) for id_ in entry["profiles"]]
    await restore_erasures.replay_show(connection, tenant, profiles, first_stamp(entry["at"]))


async def _lift(connection: PipelineConnection, tenant: Tenant, entry: JsonObject) -> None:
    await restore_erasures.replay_lift(connection, tenant, entry)
    await _settle(connection, tenant, entry)


async def _settle(connection: PipelineConnection, tenant: Tenant, entry: JsonObject) -> None:
    """The rows of a request to suppress or to lift a suppression."""
    id_ = private("req", entry["subject"] or "")
    if id_ is not None:
        waiting = await restore_requests.waiting(connection, tenant, id_)
        nothing = msgspec.json.encode({"keys": 0, "rows": {}})
        await restore_requests.restore_outcome(
            connection, tenant, waiting, entry["at"], entry["seq"], nothing, found=entry.get("found")
        )


async def _extend(connection: PipelineConnection, tenant: Tenant, entry: JsonObject) -> None:
    id_ = private("ers", entry["subject"])
    if id_ is not None and "until" in entry:
        await erasures.extend(connection, tenant, id_, entry["at"], entry["until"])


async def _cancel(connection: PipelineConnection, tenant: Tenant, entry: JsonObject) -> None:
    id_ = private("req", entry["subject"])
    if id_ is not None:
        await erasures.cancel(connection, tenant, id_, entry["at"])


def _deleting_group(space: Space) -> Replay:
    async def delete(connection: PipelineConnection, _tenant: Tenant, entry: JsonObject) -> None:
        await repeat_group_deletion(space, connection, bytes.fromhex(entry["group"]), entry["at"])

    return delete


async def _roll(connection: PipelineConnection, tenant: Tenant, entry: JsonObject) -> None:
    if "safe_at" in entry:
        await epoch_key_roll.set_safe(connection, tenant.id, entry["epoch"], entry["safe_at"])


async def _revoke(connection: PipelineConnection, tenant: Tenant, entry: JsonObject) -> None:
    await spaces_and_keys.replay_revocation(connection, tenant.id, entry["subject"])


def _holding(spaces: Spaces, public_id: SpaceId) -> Replay:
    """Repeats a hold; its reason was only in the database that was lost."""

    async def hold(connection: PipelineConnection, tenant: Tenant, entry: JsonObject) -> None:
        id_ = private("hld", entry["subject"])
        if id_ is not None:
            reason = spaces.keyring.space(public_id).seal(HOLD, id_, 0, RESTORED.encode())
            indexes = [bytes.fromhex(index) for index in entry["indexes"]]
            await holds.add(
                connection,
                tenant,
                holds.HoldRow(id=id_, created_at=entry["at"], actor=entry["actor"], reason=reason, identifiers=0),
                indexes,
            )

    return hold


def _rotating(space: Space) -> Replay:
    async def rotate(connection: PipelineConnection, _tenant: Tenant, entry: JsonObject) -> None:
        await rotate_up_to(space, connection, entry["version"], entry["at"])

    return rotate


def _withdrawing(space: Space) -> Replay:
    async def withdraw(connection: PipelineConnection, _tenant: Tenant, entry: JsonObject) -> None:
        await restore_withdrawal(space, connection, entry)

    return withdraw


def _removing(space: Space) -> Replay:
    async def remove(connection: PipelineConnection, _tenant: Tenant, entry: JsonObject) -> None:
        await repeat_removal(space, connection, entry)

    return remove


async def _release(connection: PipelineConnection, tenant: Tenant, entry: JsonObject) -> None:
    id_ = private("hld", entry["subject"])
    if id_ is not None:
        await holds.remove(connection, tenant, id_)
        # Of a hold from before the backup: the key of the reason.
        await erase.destroy_key(connection, tenant, id_)
