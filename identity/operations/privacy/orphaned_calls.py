"""Orphaned calls: the rules leave their person no profile, so they are stored at an id without identifiers.

A person whose identifiers are all blocked by now has no profile to erase, and has data all the same. A
dormant id is erased with the first person whom any of its calls names.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, Rules
from identity.planning.resolution.stored_calls import StoredCall, source, unpack
from identity.spaces.exclusive_transaction import ExclusiveSpace
from identity.spaces.profile_rows import unwrap_key
from identity.spaces.space import Space
from identity.store.postgres.rows import KeyRow
from identity.store.privacy import erase
from identity.store.profiles import evidence as evidence_queries
from identity.store.profiles import snapshot_queries
from identity.values.calls import ACTS, STORED_KINDS, refused_identifiers
from identity.values.errors import BadCall
from identity.vault.seal import EVIDENCE


async def orphaned_keys(exclusive: ExclusiveSpace, keys: AbstractSet[bytes]) -> list[KeyRow]:
    """The key rows of dormant ids with a call that names one of these blind indexes."""
    connection, space = exclusive.connection, exclusive.space
    ids = await erase.retired_ids(connection, space.tenant)
    if not ids:
        return []
    held = {key.id: key for key in await snapshot_queries.subject_keys(connection, space.tenant, ids)}
    subjects = {id_: unwrap_key(space, key) for id_, key in held.items()}
    found = set()
    for row in await evidence_queries.by_origins(connection, space.tenant, sorted(held)):
        if row.origin in found or STORED_KINDS[row.kind] in ACTS:
            continue
        kept = unpack(subjects[row.origin].open(EVIDENCE, row.origin, row.stamp, row.payload))
        if not keys.isdisjoint(_named(space, kept, exclusive.rules)):
            found.add(row.origin)
    return [held[id_] for id_ in sorted(found)]


def _named(space: Space, kept: StoredCall, rules: Rules) -> Iterator[bytes]:
    """The blind indexes that a stored call names, also those that rules have blocked since."""
    kind = STORED_KINDS[kept.kind]
    for read in (rules, DEFAULT_RULES):
        try:
            call = extract(kept.body, kind=kind, rules=read, received=kept.received, sent_at=None, source=source(kept))
        except BadCall:
            continue
        named = [*call.identifiers, *refused_identifiers(call), *call.unlinked]
        if call.alias is not None:
            named += [each for each in (call.alias.user, call.alias.anonymous) if each is not None]
        yield from (space.keys.identifier(each.type, each.value) for each in named)
