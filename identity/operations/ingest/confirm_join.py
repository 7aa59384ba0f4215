"""Confirms a join that waits for proof, by a call of Onefold's own kind that is ingested like any other.

The call names both sides with a server key. So the planner links what fits, and a rebuild, a simulation and an
explanation find the call as evidence. Where the rules keep the sides apart, nothing is stored.
"""

from typing import Final

from identity.operations.ingest.queue import IngestQueue
from identity.operations.ingest.request import IngestRequest
from identity.operations.profiles.read_joins import ClaimedJoin, read_join, require_waiting
from identity.planning.corrections.waiting_claims import JoinDoesNotFit, JoinNotWaiting
from identity.planning.privacy.hold_refusals import UnderHold
from identity.planning.resolution.claimed_identifiers import lasting
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.planner import JOIN_NOT_WAITING, UNDER_HOLD
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.origin_rows import to_profile, unwrap_key
from identity.spaces.space import Space
from identity.store.privacy import holds
from identity.store.profiles import snapshot_queries
from identity.values.calls import Identifier, Source
from identity.values.ids import new_id, public
from identity.values.json import JsonObject
from identity.values.stamps import wall_time
from identity.vault.seal import IDENTIFIER

_MOST_NAMED: Final = 20


async def confirm_join(
    space: Space, queue: IngestQueue, id_: str, source: Source, *, reason: str | None = None
) -> ClaimedJoin:
    """Make a join. JoinNotFound, JoinNotWaiting; JoinDoesNotFit where the rules keep the sides apart; UnderHold."""
    join = await read_join(space, id_)
    require_waiting(join)
    named = await _claimant(space, join)
    now = wall_time()
    external = [
        {"id": each.value, "type": each.type, "collection": "users", "encoding": "none"}
        for each in (*named, Identifier(join.type, join.value))
    ]
    body: JsonObject = {
        "messageId": f"confirm-{new_id().hex()}",
        "join": public("jon", join.id),
        "reason": reason,
        "context": {"externalIds": external},
        "timestamp": format_time(now),
    }
    outcome = (await queue.submit(space, IngestRequest([body], source=source, received=now, kind="confirm")))[0]
    if outcome.reason == UNDER_HOLD:
        roots = [] if join.row.bearer_root is None else [join.row.bearer_root]
        async with space.database.reading() as connection:
            raise UnderHold(await holds.on_people(connection, space.tenant, roots))
    if outcome.reason == JOIN_NOT_WAITING:
        raise JoinNotWaiting
    if outcome.status != "accepted":
        raise JoinDoesNotFit(outcome.reason or outcome.status)
    return await read_join(space, id_)


@retry_on_key_rotation
async def _claimant(space: Space, join: ClaimedJoin) -> list[Identifier]:
    """Identifiers that name the profile that claims: one that is no claim itself, or all of the first ones."""
    rules, names = await space.rules(), await space.read_types()
    async with space.database.reading() as connection:
        rows = await snapshot_queries.origins(connection, space.tenant, [join.row.origin])
        found = await snapshot_queries.identifiers(connection, space.tenant, [row.id for row in rows])
        root = next((to_profile(row, names) for row in rows if row.id == row.root), None)
        waiting = {} if root is None else root.folded.unproven
        found.sort(key=lambda row: (row.retired, row.key in waiting, rules.rank(names[row.type]), row.key))
        found = found[:_MOST_NAMED]
        keys = await snapshot_queries.subject_keys(connection, space.tenant, sorted({row.origin for row in found}))
    subjects = {key.id: unwrap_key(space, key) for key in keys}
    known = [
        (row.key in waiting, Identifier(names[row.type], subjects[row.origin].open(
            IDENTIFIER, row.key[:16], 0, row.value).decode()))
        for row in found if row.origin in subjects
    ]  # fmt: skip
    proven = [each for claimed, each in known if not claimed]
    if not known:
        raise JoinNotWaiting
    return [lasting(proven, rules)] if proven else [each for _, each in known]
