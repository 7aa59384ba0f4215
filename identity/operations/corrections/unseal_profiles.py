"""Unseals a canonical profile for a correction: as values to plan on and as plain bytes to seal again."""

from bisect import bisect_left
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from identity.planning.corrections.profile_snapshot import (
    Evidence,
    OriginContent,
    ProfileSnapshot,
    SnapshotIdentifier,
    UserIdRename,
    shown,
)
from identity.planning.corrections.unmerge import mixed_origins
from identity.planning.resolution.extract import stated_group
from identity.planning.resolution.fold_documents import unpack as unpack_document
from identity.planning.resolution.planner_state import Sighting
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import StoredCall, split_keys, unpack, unpack_demoted, unpack_events
from identity.planning.resolution.working_set import set_key
from identity.spaces.exclusive_transaction import SpaceReader
from identity.spaces.origin_rows import to_profile, unwrap_key
from identity.spaces.stored_call_identifiers import alias_keys, plain_call_keys
from identity.store.corrections import rules as stored_rules
from identity.store.ingest import constraints
from identity.store.postgres.rows import EvidenceRow, HistoryRow, IdentifierRow, OriginRow
from identity.store.profiles import evidence as evidence_queries
from identity.store.profiles import snapshot_queries
from identity.values.calls import ACTS, STORED_KINDS
from identity.values.documents import Document
from identity.values.enums import SpaceMark, StoredKind
from identity.values.ids import BlindIndex, ProfileId, SetKey
from identity.values.stamps import Stamp
from identity.vault.seal import DOCUMENT, EVENT, EVIDENCE, IDENTIFIER
from identity.vault.subject_keys import SubjectKey

ALIAS = StoredKind.ALIAS


class UnsealedProfiles:
    """Canonical profiles under the space lock.

    `snapshot` is what a plan works on; `open` adds everything that is stored under some origins. `event_keys`
    are the identifiers of each plain call under the rules of its time.
    """

    def __init__(self, exclusive: SpaceReader, rows: Sequence[OriginRow], identifiers: Sequence[IdentifierRow]) -> None:
        names = exclusive.space.names
        self.exclusive = exclusive
        self.rows = {row.id: row for row in rows}
        self.identifiers = {row.key: row for row in identifiers}
        self.subjects: dict[bytes, SubjectKey] = {}
        self.documents: dict[ProfileId, Document] = {}
        self.evidence: dict[ProfileId, list[tuple[EvidenceRow, bytes]]] = {}
        self.events: dict[ProfileId, list[tuple[Stamp, Stamp, StoredCall]]] = {}
        self.event_keys: dict[Stamp, list[BlindIndex]] = {}
        self.history: dict[ProfileId, list[HistoryRow]] = {}
        self.snapshot = ProfileSnapshot(
            profiles={row.id: to_profile(row, names) for row in rows},
            links={row.key: _link(row, names[row.type]) for row in identifiers},
            lock_stamp=exclusive.lock_row.stamp,
        )

    def groups(self, id_: ProfileId) -> list[str]:
        """The groups that an opened origin joined or left."""
        document = self.documents.get(id_)
        return [] if document is None else list(document.groups)

    def value(self, key: BlindIndex) -> bytes:
        """The value of an identifier of an opened origin."""
        row = self.identifiers[key]
        return self.subjects[row.origin].open(IDENTIFIER, key[:16], 0, row.value)

    async def unlock(self, id_: ProfileId) -> None:
        """Unwraps the key of an origin, unless that was done."""
        if id_ not in self.subjects:
            space = self.exclusive.space
            for key in await snapshot_queries.subject_keys(self.exclusive.connection, space.tenant, [id_]):
                self.subjects[id_] = unwrap_key(space, key)

    async def open(self, origins: AbstractSet[ProfileId]) -> None:
        """Adds everything that is stored under these origins."""
        connection, tenant, space = self.exclusive.connection, self.exclusive.space.tenant, self.exclusive.space
        wanted = sorted(origins)
        for key in await snapshot_queries.subject_keys(connection, tenant, wanted):
            subject = self.subjects[key.id] = unwrap_key(space, key)
            if key.document is not None and key.version is not None:
                plain = subject.open(DOCUMENT, key.id, key.version, key.document)
                self.documents[ProfileId(key.id)] = unpack_document(plain)
        changes = await stored_rules.changes(connection, tenant.id)
        contents = self.snapshot.contents = {origin: OriginContent() for origin in wanted}
        for row in await evidence_queries.by_origins(connection, tenant, wanted):
            plain = self.subjects[row.origin].open(EVIDENCE, row.origin, row.stamp, row.payload)
            self.evidence.setdefault(row.origin, []).append((row, plain))
            rules = await space.rules(row.rules_version, connection)
            contents[row.origin].evidence.append(_evidence(row, unpack(plain), space.names, rules))
        for packed in await snapshot_queries.events(connection, tenant, wanted):
            plain = self.subjects[packed.origin].open(EVENT, packed.origin, packed.stamp, packed.payload)
            for stamp, call in unpack_events(plain):
                # A change at this very stamp came after every call that bears a smaller one.
                at = bisect_left(changes, stamp, key=lambda change: change.stamp)
                rules = await space.rules(changes[at - 1].version if at else 0, connection)
                self.events.setdefault(packed.origin, []).append((packed.stamp, stamp, call))
                keys = self.event_keys[stamp] = plain_call_keys(space, call, rules)
                contents[packed.origin].events.append((stamp, keys[0] if keys else None))
        for seen in await snapshot_queries.sightings(connection, tenant, wanted):
            sources = tuple(int.from_bytes(seen.sources[at : at + 4], "big") for at in range(0, len(seen.sources), 4))
            contents[seen.origin].sightings[seen.set_key] = Sighting(
                seen=seen.seen,
                days=seen.days,
                last_day=seen.last_day,
                first_seen=seen.first_seen,
                last_seen=seen.last_seen,
                sources=sources,
            )
        for line in await snapshot_queries.history(connection, tenant, wanted):
            self.history.setdefault(line.origin, []).append(line)

    async def follow_renamings(self) -> None:
        """Adds the alias calls that retired user ids, if any are retired."""
        if not any(link.retired for link in self.snapshot.links.values()):
            return
        connection, space = self.exclusive.connection, self.exclusive.space
        aliases = await evidence_queries.by_origins(connection, space.tenant, sorted(self.rows), [ALIAS])
        origins = sorted({alias.origin for alias in aliases})
        subjects = {
            key.id: unwrap_key(space, key)
            for key in await snapshot_queries.subject_keys(connection, space.tenant, origins)
        }
        for alias in aliases:
            call = unpack(subjects[alias.origin].open(EVIDENCE, alias.origin, alias.stamp, alias.payload))
            previous, to = alias_keys(space, call, await space.rules(alias.rules_version, connection))
            kept = set(split_keys(alias.kept))
            linked = [key for key in previous if key in kept and key != to]
            if linked and to in kept and to is not None:
                self.snapshot.renamings.append(UserIdRename(alias.stamp, linked[0], to))


async def unseal_profiles(exclusive: SpaceReader, *ids: ProfileId) -> UnsealedProfiles:
    """The canonical profiles that origins belong to: their origins, identifiers and cuts."""
    connection, tenant = exclusive.connection, exclusive.space.tenant
    rows = await snapshot_queries.origins(connection, tenant, ids)
    identifiers = await snapshot_queries.identifiers(connection, tenant, sorted(row.id for row in rows))
    found = UnsealedProfiles(exclusive, rows, identifiers)
    if exclusive.lock_row.marks & SpaceMark.CUTS:
        for key, cut, side in await constraints.cuts(connection, tenant, sorted(found.snapshot.links)):
            found.snapshot.cuts.setdefault(key, []).append((cut, side))
    return found


async def unseal_for_unmerge(
    exclusive: SpaceReader, id_: ProfileId, named: AbstractSet[BlindIndex]
) -> UnsealedProfiles:
    """A canonical profile with everything that an unmerge of these identifiers has to see."""
    found = await unseal_profiles(exclusive, id_)
    if named <= found.snapshot.links.keys():
        await found.open(mixed_origins(found.snapshot.links.values(), named))
        await found.follow_renamings()
    return found


def _link(row: IdentifierRow, type_: str) -> SnapshotIdentifier:
    return SnapshotIdentifier(
        key=row.key,
        type=type_,
        origin=row.origin,
        retired=row.retired,
        linked_at=row.linked_at,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        source=row.source,
    )


def _evidence(row: EvidenceRow, call: StoredCall, names: dict[int, str], rules: Rules) -> Evidence:
    kind = STORED_KINDS[row.kind]
    # An act shows nothing: it was no sighting.
    shown_set = SetKey(b"") if kind in ACTS else set_key(shown_keys(row, names))
    return Evidence(
        stamp=row.stamp,
        kept=split_keys(row.kept),
        shown=shown_set,
        call=call,
        group=stated_group(call.body, kind, rules),
    )


def shown_keys(row: EvidenceRow, names: dict[int, str]) -> list[BlindIndex]:
    """The identifiers that a stored call showed together."""
    return shown(split_keys(row.kept), unpack_demoted(row.demoted or b"", names.__getitem__))
