"""Brings profiles and groups under the newest version of the index key, each whole or not at all.

Invariants, while a rotation is under way: everything that lies at the origins of a canonical profile bears
names of one version, and so do a group and all that belong to it. They are changed under the gate held
alone; whoever writes to one first brings it under the newest version, in a transaction that holds the
gate, and no name under an older one is ever written again. So a writer that finds neither an older nor a
newer name of an identifier may give it the newer one: nobody can give it another.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from identity.planning.corrections import rekey_rows
from identity.planning.resolution.document import unpack as unpack_document
from identity.planning.resolution.stored_calls import split_keys, unpack
from identity.spaces.profile_rows import unwrap_key
from identity.spaces.space import Space
from identity.spaces.stored_call_identifiers import identifiers_of
from identity.store.corrections import connected_profiles
from identity.store.keys import rekey_sql
from identity.store.postgres.database import Connection
from identity.store.postgres.rows import OriginRow
from identity.store.privacy import erase
from identity.store.profiles import snapshot_queries
from identity.values.calls import ACTS, STORED_KINDS, Identifier
from identity.values.enums import StoredKind
from identity.values.errors import BadCall
from identity.vault.seal import DOCUMENT, EVIDENCE, GROUP_ID, IDENTIFIER
from identity.vault.subject_keys import SubjectKey

AT_ONCE: Final = 64
_REMOVE = StoredKind.REMOVE
_UNMERGE = StoredKind.UNMERGE


def older_names(space: Space, identifiers: Iterable[Identifier], since: int) -> dict[bytes, bytes]:
    """What these identifiers were called under each version from one on: older key -> newest key."""
    older = space.keys.older(since)
    return {
        index.identifier(each.type, each.value): space.keys.identifier(each.type, each.value)
        for each in (identifiers if older else ())
        for index in older
    }


async def rekey_hashes(space: Space, connection: Connection, names: Mapping[bytes, bytes]) -> None:
    """Gives what only a hash was kept of its newest name, now that somebody has named it."""
    await rekey_sql.rename_keys(connection, space.tenant, names, remember=False)


async def rekey_groups(space: Space, connection: Connection, after: bytes) -> bytes | None:
    """Brings the next groups under the newest version; the last of them, None where there is none left."""
    names = {}
    found = await rekey_sql.list_groups(connection, space.tenant, after, AT_ONCE)
    for row, key in found:
        name = unwrap_key(space, key).open(GROUP_ID, row.account_id, 0, row.group_id).decode()
        if space.keys.group(name) != row.key:
            names[row.key] = space.keys.group(name)
    await rekey_sql.rename_groups(connection, space.tenant, names)
    return found[-1][0].account_id if found else None


async def rekey_profiles(
    space: Space, connection: Connection, origins: Collection[bytes], begun: frozenset[bytes] = frozenset()
) -> None:
    """Brings the canonical profiles of these origins under the newest version; the gate is held alone."""
    rows = await snapshot_queries.origins(connection, space.tenant, sorted(origins))
    moving = _Moving(space, connection)
    ids = await moving.pending(rows)
    if not ids:
        return
    await moving.read(ids)
    others = await moving.parted(begun | ids)
    if others:
        # Those who were parted from it once are named by its acts, and no row of its own says how.
        await rekey_sql.rename_keys(connection, space.tenant, moving.names, remember=True)
        await rekey_profiles(space, connection, others, begun | ids)
        await moving.ask()
    await moving.write([row for row in rows if row.id in ids])


class _Moving:
    """Some canonical profiles on their way; `names` are all that is known of what they name."""

    def __init__(self, space: Space, connection: Connection) -> None:
        self.space = space
        self.connection = connection
        self.names: dict[bytes, bytes] = {}
        self.groups: dict[bytes, bytes] = {}
        self.subjects: dict[bytes, SubjectKey] = {}
        self.held: list[tuple[bytes, bytes, bytes, bytes]] = []
        self.seen: dict[bytes, dict[int, dict[bytes, int]]] = {}
        self.evidence: list[snapshot_queries.LainRow] = []

    async def pending(self, rows: list[OriginRow]) -> frozenset[bytes]:
        """Opens the identifiers; returns the origins of the profiles that are not under the newest version yet."""
        space, tenant, ids = self.space, self.space.tenant, sorted(row.id for row in rows)
        if not ids:
            return frozenset()
        keys = await snapshot_queries.subject_keys(self.connection, tenant, ids)
        self.subjects = {key.id: unwrap_key(space, key) for key in keys}
        head = {row.id: row.head for row in rows}
        behind, there = set(), set()
        held = await snapshot_queries.identifiers(self.connection, tenant, ids)
        if any(each.type not in space.names for each in held):
            await space.read_types()
        for each in held:
            subject, type_ = self.subjects[each.origin], space.names[each.type]
            value = subject.open(IDENTIFIER, each.key[:16], 0, each.value)
            new = space.keys.identifier(type_, value.decode())
            there.add(head[each.origin])
            if not each.retired:
                self.seen.setdefault(head[each.origin], {}).setdefault(each.type, {})[new] = each.last_seen
            if new != each.key:
                behind.add(head[each.origin])
                self.names[each.key] = new
                sealed = subject.seal(IDENTIFIER, new[:16], 0, value)
                self.held.append((each.origin, each.key, new, sealed))
                self._also(type_, value.decode())
        # Of one that has no identifier only what it was told says whom it named.
        pending = frozenset(id_ for id_ in ids if head[id_] in behind or head[id_] not in there)
        for key in keys:
            if key.id in pending and key.document is not None and key.version is not None:
                plain = self.subjects[key.id].open(DOCUMENT, key.id, key.version, key.document)
                for name in unpack_document(plain).groups:
                    own, *before = space.keys.groups(name)
                    self.groups |= dict.fromkeys(before, own)
        return pending

    def _also(self, type_: str, value: str) -> None:
        versions = self.space.keys.versions
        self.names |= older_names(self.space, [Identifier(type_, value)], versions.oldest)

    async def read(self, origins: frozenset[bytes]) -> None:
        """Opens the evidence: what it names, kept or not, is known by its value."""
        space, ids = self.space, sorted(origins)
        self.evidence = await snapshot_queries.evidence(self.connection, space.tenant, ids)
        self.history = await snapshot_queries.history(self.connection, space.tenant, ids)
        self.sightings = await snapshot_queries.sightings(self.connection, space.tenant, ids)
        for row in self.evidence:
            if STORED_KINDS[row.kind] in ACTS and row.kind != _REMOVE:
                continue
            kept = unpack(self.subjects[row.origin].open(EVIDENCE, row.origin, row.stamp, row.payload))
            if row.kind == _REMOVE:
                self._also(*kept.body["identifier"])
                continue
            try:
                named = identifiers_of(kept, await space.rules(row.rules_version))
            except BadCall:
                continue
            for each in named:
                self._also(each.type, each.value)
        await self.ask()

    async def ask(self) -> None:
        """Asks what the rotation has found out about names that nothing here explains."""
        unknown = {key for row in self.evidence for key in split_keys(row.kept)}
        unknown |= {key for row in self.history for key in rekey_rows.named(row.kind, row.keys)}
        unknown -= self.names.keys()
        unknown -= set(self.names.values())
        self.names |= await rekey_sql.known_new_keys(self.connection, self.space.tenant, sorted(unknown))

    async def parted(self, begun: frozenset[bytes]) -> set[bytes]:
        """The origins of others that the unmerges here name, under names that are not known yet."""
        named = {key for row in self.evidence if row.kind == _UNMERGE for key in split_keys(row.kept)}
        found = await erase.owners(self.connection, self.space.tenant, sorted(named - self.names.keys()))
        return set(found.values()) - begun

    async def write(self, rows: list[OriginRow]) -> None:
        """Everything under its new names."""
        names, types = self.names, self.space.names
        evidence: list[tuple[bytes, int, bytes, bytes | None]] = []
        sets: dict[tuple[bytes, bytes], bytes] = {}
        for row in self.evidence:
            kept = rekey_rows.keys(row.kept, names)
            demoted = None if row.demoted is None else rekey_rows.demoted(row.demoted, names)
            if (kept, demoted) != (row.kept, row.demoted):
                evidence.append((row.origin, row.stamp, kept, demoted))
            if STORED_KINDS[row.kind] not in ACTS:
                seen = rekey_rows.sets([(row.kept, row.demoted)], names, types.__getitem__)
                sets |= {(row.origin, old): new for old, new in seen.items()}
        history = []
        for line in self.history:
            keys = rekey_rows.line(line.kind, line.keys, names)
            if keys != line.keys:
                history.append((line.profile, line.stamp, line.seq, keys))
        changed = []
        for origin in rows:
            own = rekey_rows.counters(origin.own, names)
            folded = origin.folded and rekey_rows.counters(origin.folded, names, self.seen.get(origin.head, {}))
            if (own, folded) != (origin.own, origin.folded):
                changed.append((origin.id, own, folded))
        seen_at = [
            (each.origin, each.set_key, sets[each.origin, each.set_key])
            for each in self.sightings
            if sets.get((each.origin, each.set_key), each.set_key) != each.set_key
        ]
        renamed = rekey_sql.RekeyedRows(self.held, changed, seen_at, evidence, history)
        await rekey_sql.write(self.connection, self.space.tenant, renamed)
        await rekey_sql.rename_keys(self.connection, self.space.tenant, names, remember=True)
        await rekey_sql.rename_groups(self.connection, self.space.tenant, self.groups)


async def rekey_all(space: Space, connection: Connection) -> None:
    """Brings a whole space under the newest version in the transaction of the connection, gate held alone."""
    after: bytes | None = bytes(16)
    while after is not None:
        after = await rekey_groups(space, connection, after)
    after = bytes(16)
    while page := await connected_profiles.list_origins(connection, space.tenant, after, AT_ONCE):
        after = page[-1][0]
        await rekey_profiles(space, connection, [id_ for id_, _ in page])
