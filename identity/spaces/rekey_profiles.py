"""Rekeys profiles and groups: brings them under the newest version of the index key, each whole or not at all.

Invariants while a rotation is under way: all rows of a canonical profile bear blind indexes of one version, and so
do a group and its members. They change only under the space lock held alone. A writer rekeys a profile before it
writes to it, and never writes a blind index of an older version. So a writer that finds neither an older nor a
newer blind index of an identifier may write the newer one: no other writer can have written the older one.
"""

from collections.abc import Collection, Mapping
from typing import Final

from identity.planning.corrections import rekey_rows
from identity.planning.corrections.waiting_claims import claim_id, gather_claims
from identity.planning.resolution.fold_documents import unpack as unpack_document
from identity.planning.resolution.stored_calls import split_keys, unpack
from identity.spaces.blind_indexes import older_keys
from identity.spaces.origin_rows import unwrap_key
from identity.spaces.space import Space
from identity.spaces.stored_call_identifiers import identifiers_of
from identity.store.corrections import connected_profiles
from identity.store.ingest.identifier_owners import owners as owners_of
from identity.store.keys import rekey_sql
from identity.store.postgres.database import Connection
from identity.store.postgres.rows import EvidenceRow, OriginRow
from identity.store.profiles import evidence as evidence_queries
from identity.store.profiles import groups, snapshot_queries
from identity.values.calls import ACTS, STORED_KINDS, Identifier
from identity.values.enums import StoredKind
from identity.values.errors import BadCall
from identity.values.ids import FIRST_PROFILE, BlindIndex, ProfileId
from identity.vault.seal import DOCUMENT, EVIDENCE, GROUP_ID, IDENTIFIER
from identity.vault.subject_keys import SubjectKey

AT_ONCE: Final = 64
_NAMING = (StoredKind.REMOVE, StoredKind.REFUSE)
"""The acts whose bodies hold the identifier that they are about."""
_UNMERGE = StoredKind.UNMERGE


async def rekey_hashes(space: Space, connection: Connection, older_to_newest: Mapping[BlindIndex, BlindIndex]) -> None:
    """Rekeys bare hashes of identifiers, whose values a call has just named."""
    await rekey_sql.rename_keys(connection, space.tenant, older_to_newest, remember=False)


async def rekey_groups(space: Space, connection: Connection, after: bytes) -> bytes | None:
    """Rekeys the next groups and returns the id of the last one, or None once there is none left."""
    older_to_newest = {}
    found = await groups.list_groups(connection, space.tenant, after, AT_ONCE)
    for row, key in found:
        name = unwrap_key(space, key).open(GROUP_ID, row.account_id, 0, row.group_id).decode()
        if space.keys.group(name) != row.key:
            older_to_newest[row.key] = space.keys.group(name)
    await rekey_sql.rename_groups(connection, space.tenant, older_to_newest)
    return found[-1][0].account_id if found else None


async def rekey_profiles(
    space: Space, connection: Connection, origins: Collection[ProfileId], begun: frozenset[ProfileId] = frozenset()
) -> None:
    """Rekeys the canonical profiles of these origins; the space lock is held alone."""
    rows = await snapshot_queries.origins(connection, space.tenant, sorted(origins))
    rekeying = _Rekeying(space, connection)
    ids = await rekeying.pending(rows)
    if not ids:
        return
    await rekeying.read(ids)
    others = await rekeying.parted(begun | ids)
    if others:
        # Its unmerges name identifiers that left, whose values only the rows of the other profiles hold.
        await rekey_sql.rename_keys(connection, space.tenant, rekeying.older_to_newest, remember=True)
        await rekey_profiles(space, connection, others, begun | ids)
        await rekeying.ask()
    await rekeying.write([row for row in rows if row.id in ids])


class _Rekeying:
    """Some canonical profiles while they are rekeyed; `older_to_newest` maps the known older blind indexes."""

    def __init__(self, space: Space, connection: Connection) -> None:
        self.space = space
        self.connection = connection
        self.older_to_newest: dict[BlindIndex, BlindIndex] = {}
        self.groups: dict[bytes, bytes] = {}
        self.subjects: dict[bytes, SubjectKey] = {}
        self.held: list[tuple[bytes, bytes, bytes, bytes]] = []
        self.seen: dict[ProfileId, dict[int, dict[BlindIndex, int]]] = {}
        self.evidence: list[EvidenceRow] = []

    async def pending(self, rows: list[OriginRow]) -> frozenset[ProfileId]:
        """Unseals the identifiers and returns the origins of the profiles that are not under the newest version yet."""
        space, tenant, ids = self.space, self.space.tenant, sorted(row.id for row in rows)
        if not ids:
            return frozenset()
        keys = await snapshot_queries.subject_keys(self.connection, tenant, ids)
        self.subjects = {key.id: unwrap_key(space, key) for key in keys}
        root = {row.id: row.root for row in rows}
        behind, there = set(), set()
        held = await snapshot_queries.identifiers(self.connection, tenant, ids)
        if any(each.type not in space.names for each in held):
            await space.read_types(self.connection)
        for each in held:
            subject, type_ = self.subjects[each.origin], space.names[each.type]
            value = subject.open(IDENTIFIER, each.key[:16], 0, each.value)
            new = space.keys.identifier(type_, value.decode())
            there.add(root[each.origin])
            if not each.retired:
                self.seen.setdefault(root[each.origin], {}).setdefault(each.type, {})[new] = each.last_seen
            if new != each.key:
                behind.add(root[each.origin])
                self.older_to_newest[each.key] = new
                sealed = subject.seal(IDENTIFIER, new[:16], 0, value)
                self.held.append((each.origin, each.key, new, sealed))
                self._also(type_, value.decode())
        # A profile without identifiers is known only by what its calls named.
        pending = frozenset(id_ for id_ in ids if root[id_] in behind or root[id_] not in there)
        for key in keys:
            if key.id in pending and key.document is not None and key.version is not None:
                plain = self.subjects[key.id].open(DOCUMENT, key.id, key.version, key.document)
                for name in unpack_document(plain).groups:
                    own, *before = space.keys.groups(name)
                    self.groups |= dict.fromkeys(before, own)
        return pending

    def _also(self, type_: str, value: str) -> None:
        versions = self.space.keys.versions
        self.older_to_newest |= older_keys(self.space.keys, [Identifier(type_, value)], versions.oldest)

    async def read(self, origins: frozenset[ProfileId]) -> None:
        """Unseals the evidence, which holds the values of the identifiers that it names."""
        space, ids = self.space, sorted(origins)
        self.evidence = await evidence_queries.by_origins(self.connection, space.tenant, ids)
        self.history = await snapshot_queries.history(self.connection, space.tenant, ids)
        self.sightings = await snapshot_queries.sightings(self.connection, space.tenant, ids)
        for row in self.evidence:
            if STORED_KINDS[row.kind] in ACTS and row.kind not in _NAMING:
                continue
            kept = unpack(self.subjects[row.origin].open(EVIDENCE, row.origin, row.stamp, row.payload))
            if row.kind in _NAMING:
                self._also(*kept.body["identifier"])
                continue
            try:
                named = identifiers_of(kept, await space.rules(row.rules_version, self.connection))
            except BadCall:
                continue
            for each in named:
                self._also(each.type, each.value)
        await self.ask()

    async def ask(self) -> None:
        """Looks up blind indexes whose values nothing here holds among those that the rotation has found so far."""
        unknown = {key for row in self.evidence for key in split_keys(row.kept)}
        unknown |= {key for row in self.history for key in rekey_rows.keys_of_history(row.kind, row.keys)}
        unknown -= self.older_to_newest.keys()
        unknown -= set(self.older_to_newest.values())
        self.older_to_newest |= await rekey_sql.known_new_keys(self.connection, self.space.tenant, sorted(unknown))

    async def parted(self, begun: frozenset[ProfileId]) -> set[ProfileId]:
        """The origins of other profiles that the unmerges here name by blind indexes that are not known yet."""
        named = {key for row in self.evidence if row.kind == _UNMERGE for key in split_keys(row.kept)}
        found = await owners_of(self.connection, self.space.tenant, sorted(named - self.older_to_newest.keys()))
        return set(found.values()) - begun

    async def write(self, rows: list[OriginRow]) -> None:
        """Writes all rows under their new blind indexes."""
        older_to_newest, types = self.older_to_newest, self.space.names
        evidence: list[tuple[bytes, int, bytes, bytes | None]] = []
        sets: dict[tuple[bytes, bytes], bytes] = {}
        claims: set[tuple[bytes, bytes, bytes, bytes]] = set()
        for row in self.evidence:
            kept = rekey_rows.rekey_keys(row.kept, older_to_newest)
            demoted = None if row.demoted is None else rekey_rows.demoted(row.demoted, older_to_newest)
            if (kept, demoted) != (row.kept, row.demoted):
                evidence.append((row.origin, row.stamp, kept, demoted))
            for claim in gather_claims([row[:5]]):
                new = older_to_newest.get(claim.key, claim.key)
                if new != claim.key:
                    claims.add((row.origin, claim.key, new, claim_id(row.origin, new)))
            if STORED_KINDS[row.kind] not in ACTS:
                seen = rekey_rows.rekey_observations([(row.kept, row.demoted)], older_to_newest, types.__getitem__)
                sets |= {(row.origin, old): new for old, new in seen.items()}
        history = []
        for line in self.history:
            keys = rekey_rows.rekey_history_keys(line.kind, line.keys, older_to_newest)
            if keys != line.keys:
                history.append((line.origin, line.stamp, line.seq, keys))
        changed = []
        for origin in rows:
            own = rekey_rows.counters(origin.own, older_to_newest)
            folded = origin.folded and rekey_rows.counters(
                origin.folded, older_to_newest, self.seen.get(origin.root, {})
            )
            if (own, folded) != (origin.own, origin.folded):
                changed.append((origin.id, own, folded))
        seen_at = [
            (each.origin, each.set_key, sets[each.origin, each.set_key])
            for each in self.sightings
            if sets.get((each.origin, each.set_key), each.set_key) != each.set_key
        ]
        renamed = rekey_sql.RekeyedRows(
            identifiers=self.held,
            counters=changed,
            sightings=seen_at,
            evidence=evidence,
            claims=sorted(claims),
            history=history,
        )
        await rekey_sql.write(self.connection, self.space.tenant, renamed)
        await rekey_sql.rename_keys(self.connection, self.space.tenant, older_to_newest, remember=True)
        await rekey_sql.rename_groups(self.connection, self.space.tenant, self.groups)


async def rekey_all(space: Space, connection: Connection) -> None:
    """Rekeys a whole space in the transaction of the connection, which holds the space lock alone."""
    after: bytes | None = bytes(16)
    while after is not None:
        after = await rekey_groups(space, connection, after)
    after_profile = FIRST_PROFILE
    while page := await connected_profiles.list_origins(connection, space.tenant, after_profile, AT_ONCE):
        after_profile = page[-1][0]
        await rekey_profiles(space, connection, [id_ for id_, _ in page])
