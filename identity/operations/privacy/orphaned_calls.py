"""Orphaned calls: the rules leave their person no profile, so they are stored at an id without identifiers.

A person whose identifiers are all blocked by now has no profile to erase, and has data all the same. A
dormant id is erased with the first person whom any of its calls names.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, Rules
from identity.planning.resolution.stored_calls import StoredCall, source, unpack
from identity.spaces.exclusive_transaction import ExclusiveSpace
from identity.spaces.origin_rows import unwrap_key
from identity.spaces.space import Space
from identity.store.postgres.database import Connection
from identity.store.postgres.rows import KeyRow
from identity.store.privacy import erase
from identity.store.profiles import evidence as evidence_queries
from identity.store.profiles import snapshot_queries
from identity.values.calls import ACTS, STORED_KINDS, demoted_identifiers
from identity.values.errors import BadCall
from identity.values.ids import ProfileId
from identity.vault.seal import EVIDENCE

_PAGE: Final = 500


class OrphanedCalls:
    """The identifiers that the calls of dormant ids name: read once for all erasures of a request.

    `read` does so before any lock is held. What changed since, as another key of the id shows, is read under the lock.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._under: tuple[int, int] | None = None
        self._named: dict[tuple[bytes, bytes], frozenset[bytes]] = {}

    async def read(self) -> None:
        """Read all dormant ids, beside the calls that arrive."""
        rules = await self._space.rules()
        async with self._space.database.reading() as connection:
            await self._read(connection, rules)

    async def keys(self, exclusive: ExclusiveSpace, named: AbstractSet[bytes]) -> list[KeyRow]:
        """The key rows of dormant ids with a call that names one of these blind indexes."""
        held = await self._read(exclusive.connection, exclusive.rules)
        return [key for key in held if not named.isdisjoint(self._named[key.id, key.key_id])]

    async def _read(self, connection: Connection, rules: Rules) -> list[KeyRow]:
        space = self._space
        under = (rules.version, space.keys.versions.newest)
        if under != self._under:
            self._under, self._named = under, {}
        ids = await erase.retired_ids(connection, space.tenant)
        held = await snapshot_queries.subject_keys(connection, space.tenant, ids) if ids else []
        new = {key.id: key for key in held if (key.id, key.key_id) not in self._named}
        for at in range(0, len(new), _PAGE):
            page = [ProfileId(id_) for id_ in sorted(new)[at : at + _PAGE]]
            named: dict[ProfileId, set[bytes]] = {id_: set() for id_ in page}
            subjects = {id_: unwrap_key(space, new[id_]) for id_ in page}
            for row in await evidence_queries.by_origins(connection, space.tenant, page):
                if STORED_KINDS[row.kind] not in ACTS:
                    kept = unpack(subjects[row.origin].open(EVIDENCE, row.origin, row.stamp, row.payload))
                    named[row.origin].update(_named(space, kept, rules))
            self._named |= {(id_, new[id_].key_id): frozenset(keys) for id_, keys in named.items()}
        return sorted(held, key=lambda key: key.id)


def _named(space: Space, kept: StoredCall, rules: Rules) -> Iterator[bytes]:
    """The blind indexes that a stored call names, also those that rules have blocked since."""
    kind = STORED_KINDS[kept.kind]
    for read in (rules, DEFAULT_RULES):
        try:
            call = extract(
                kept.body,
                kind=kind,
                rules=read,
                received=kept.received,
                sent_at=None,
                source=source(kept),
                token=kept.token,
            )
        except BadCall:
            continue
        named = [*call.identifiers, *demoted_identifiers(call), *call.unlinked]
        if call.alias is not None:
            named += [each for each in (call.alias.user, call.alias.anonymous) if each is not None]
        yield from (space.keys.identifier(each.type, each.value) for each in named)
