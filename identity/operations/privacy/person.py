"""Opens everything of a person that an erasure needs: identifiers, keys, groups and evidence.

Read while the space lock is held alone, so it is complete. Data that cannot be opened now is not guessed:
the erasure waits until it can be opened.
"""

from collections.abc import Sequence

from identity.operations.privacy.orphaned_calls import OrphanedCalls
from identity.planning.privacy.erasure_entry import ErasedRefs
from identity.planning.resolution.fold_documents import unpack as unpack_document
from identity.planning.resolution.stored_calls import split_keys
from identity.spaces.exclusive_transaction import ExclusiveSpace
from identity.spaces.fold_groups import stated_by
from identity.spaces.origin_rows import unwrap_key
from identity.store.ingest.identifier_owners import owners as owners_of
from identity.store.postgres.rows import EvidenceRow, IdentifierRow, KeyRow, OriginRow
from identity.store.profiles import evidence as evidence_queries
from identity.store.profiles import snapshot_queries
from identity.values.calls import Identifier
from identity.values.enums import StoredKind
from identity.values.ids import BlindIndex, ProfileId
from identity.vault.seal import DOCUMENT, EVIDENCE, IDENTIFIER
from identity.vault.subject_keys import SubjectKey


class Person:
    """A canonical profile with all its origins and orphaned calls; without a profile, `origins` is empty."""

    def __init__(
        self, exclusive: ExclusiveSpace, origins: Sequence[OriginRow], identifier_rows: Sequence[IdentifierRow]
    ) -> None:
        self.exclusive = exclusive
        self.origins = origins
        self.identifier_rows = identifier_rows
        self.origin_ids = sorted(row.id for row in origins)
        self.subjects: dict[bytes, SubjectKey] = {}
        self.key_ids: list[bytes] = []
        self.groups: set[bytes] = set()

    @property
    def root(self) -> OriginRow:
        """The row of the canonical profile."""
        return next(row for row in self.origins if row.root == row.id)

    @property
    def indexes(self) -> set[BlindIndex]:
        """The blind indexes of all identifiers, retired ones too."""
        return {row.key for row in self.identifier_rows}

    def unlock(self, key_rows: Sequence[KeyRow]) -> None:
        """Unwrap these subject keys, and note the groups named in the documents under them."""
        space = self.exclusive.space
        for key in key_rows:
            subject = self.subjects[key.id] = unwrap_key(space, key)
            self.key_ids.append(key.key_id)
            if key.document is not None and key.version is not None:
                document = unpack_document(subject.open(DOCUMENT, key.id, key.version, key.document))
                self.groups |= {space.keys.group(name) for name in document.groups}

    def identifiers(self) -> list[Identifier]:
        """Every identifier, opened."""
        names = self.exclusive.space.names
        return [
            Identifier(names[row.type], self.subjects[row.origin].open(IDENTIFIER, row.key[:16], 0, row.value).decode())
            for row in self.identifier_rows
        ]

    def refs(self, index: BlindIndex, hash_: bytes) -> ErasedRefs:
        """References to all that an erasure destroys, its own identifier included, held by a profile or not."""
        suppression = self.exclusive.space.keys.suppression
        hashes = {suppression(each.type, each.value) for each in self.identifiers()}
        return ErasedRefs(
            origins=self.origin_ids,
            key_ids=self.key_ids,
            indexes=sorted(self.indexes | {index}),
            hashes=sorted(hashes | {hash_}),
        )

    async def stated_groups(self) -> dict[bytes, set[int]]:
        """The groups that the person joined or left, each with the stamps of the calls that join."""
        stated = await stated_by(self.exclusive.space, self.exclusive.connection, self.origin_ids)
        return {key: stated.get(key, set()) for key in self.groups | stated.keys()}

    async def surviving_acts(self) -> list[EvidenceRow]:
        """The unmerges stored here, sealed again for a profile that was split off by them and lives on."""
        connection, space = self.exclusive.connection, self.exclusive.space
        acts = await evidence_queries.by_origins(connection, space.tenant, self.origin_ids, [StoredKind.UNMERGE])
        named = sorted({index for act in acts for index in split_keys(act.kept)})
        owners = await owners_of(connection, space.tenant, named) if named else {}
        homes = {}
        for act in acts:
            living = sorted({owners[index] for index in split_keys(act.kept) if index in owners} - set(self.origin_ids))
            if living:
                homes[act] = living[0]
        key_rows = (
            await snapshot_queries.subject_keys(connection, space.tenant, sorted(set(homes.values()))) if homes else []
        )
        subjects = {key.id: unwrap_key(space, key) for key in key_rows}
        kept = []
        for act, home in homes.items():
            plain = self.subjects[act.origin].open(EVIDENCE, act.origin, act.stamp, act.payload)
            payload = subjects[home].seal(EVIDENCE, home, act.stamp, plain)
            kept.append(
                EvidenceRow(
                    origin=home,
                    stamp=act.stamp,
                    kind=act.kind,
                    kept=act.kept,
                    demoted=act.demoted,
                    payload=payload,
                    rules_version=act.rules_version,
                )
            )
        return kept


async def open_person(exclusive: ExclusiveSpace, index: BlindIndex, orphans: OrphanedCalls) -> Person:
    """The person with an identifier, with their orphaned calls; without a profile where no profile holds it."""
    connection, tenant = exclusive.connection, exclusive.space.tenant
    origin = exclusive.owners.get(index)
    rows = [] if origin is None else await snapshot_queries.origins(connection, tenant, [origin])
    ids = sorted(row.id for row in rows)
    person = Person(exclusive, rows, await snapshot_queries.identifiers(connection, tenant, ids) if ids else [])
    if ids:
        person.unlock(await snapshot_queries.subject_keys(connection, tenant, ids))
    orphaned = await orphans.keys(exclusive, person.indexes | {index})
    person.origin_ids += [ProfileId(row.id) for row in orphaned]
    person.unlock(orphaned)
    return person
