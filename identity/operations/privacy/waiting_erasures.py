"""Finds the erasures that wait for a hold and so keep identifiers of their people suppressed.

Invariant: while an erasure waits, no suppression of its person is lifted, by whatever identifier of the person. A call
let in would add to a person whom nobody can read, and the end of the hold would destroy the call.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from identity.planning.privacy.hold_refusals import ErasureWaits, waits_sentence
from identity.spaces.named_identifiers import read_identifier
from identity.spaces.space import Space
from identity.store.ingest.identifier_owners import owners as owners_of
from identity.store.postgres.database import Connection
from identity.store.postgres.tenant import Tenant
from identity.store.privacy import erase, erasures
from identity.store.profiles import snapshot_queries
from identity.values.errors import Suppressed
from identity.values.ids import BlindIndex, ErasureId, ProfileId, RequestId
from identity.values.unknown_names import EntryFault


class WaitingErasure(Struct, frozen=True):
    """An erasure that waits for a hold, and its request."""

    id: ErasureId
    request_id: RequestId


async def waiting_erasures(
    connection: Connection, tenant: Tenant, keys: Sequence[BlindIndex], owners: Mapping[BlindIndex, ProfileId]
) -> dict[BlindIndex, WaitingErasure]:
    """The oldest waiting erasure of the person of each of these identifiers, or of the identifier where nobody has it.

    An identifier without such an erasure is left out.
    """
    found = await _by_key(connection, tenant, keys)
    origins = sorted({owners[key] for key in keys if key in owners and key not in found})
    on_hold = await erase.profiles_on_hold(connection, tenant, origins) if origins else set()
    if not on_hold:
        return found
    root_of = {row.id: row.root for row in await snapshot_queries.origins(connection, tenant, origins)}
    rows = await snapshot_queries.identifiers(connection, tenant, sorted(root_of))
    by_key = await _by_key(connection, tenant, [row.key for row in rows])
    by_root = {root_of[row.origin]: by_key[row.key] for row in rows if row.key in by_key}
    for key in keys:
        origin = owners.get(key)
        if key not in found and origin in on_hold and (root := root_of.get(origin)) in by_root:
            found[key] = by_root[root]
    return found


async def require_none_waiting(space: Space, connection: Connection, keys: Sequence[BlindIndex]) -> None:
    """Refuse to lift the suppression of identifiers while an erasure of their people waits. ErasureWaits."""
    owners = await owners_of(connection, space.tenant, keys)
    waiting = await waiting_erasures(connection, space.tenant, keys, owners)
    faults = [
        EntryFault(at, ErasureWaits.code, waits_sentence(waiting[key].id, waiting[key].request_id))
        for at, key in enumerate(keys)
        if key in waiting
    ]
    if faults:
        error = ErasureWaits(f"{faults[0].detail} Nothing was done.")
        error.entries = faults
        raise error


async def suppression_of(space: Space, ref: str) -> Suppressed:
    """The refusal of a request about a suppressed `type:value`, with what has to happen before the request."""
    named = await read_identifier(space, ref)
    key = space.keys.identifier(named.type, named.value)
    async with space.database.reading() as connection:
        owners = await owners_of(connection, space.tenant, [key])
        waiting = (await waiting_erasures(connection, space.tenant, [key], owners)).get(key)
    if waiting is None:
        return Suppressed()
    sentence = waits_sentence(waiting.id, waiting.request_id)
    return Suppressed(f"The identifier is suppressed, so Onefold records nothing about it. {sentence}")


async def _by_key(
    connection: Connection, tenant: Tenant, keys: Sequence[BlindIndex]
) -> dict[BlindIndex, WaitingErasure]:
    rows = await erasures.on_hold(connection, tenant, keys)
    return {key: WaitingErasure(id_, request) for key, id_, request in reversed(rows)}
