"""Everybody that an erasure is about, opened: who they are called, which keys they have, what names them.

Read under the gate held alone, so it is all there is. What cannot be opened is not guessed: the
erasure waits until it can be.
"""

from collections.abc import Sequence
from typing import Final

from identity.operations.privacy.orphaned_calls import asleep
from identity.planning.privacy.erasure_entry import Gone
from identity.planning.resolution.document import unpack as unpack_document
from identity.planning.resolution.stored_calls import split_keys
from identity.spaces.exclusive_transaction import ExclusiveSpace
from identity.spaces.profile_rows import unwrap_key
from identity.store.postgres.rows import EvidenceRow, KeyRow, OriginRow
from identity.store.privacy import erase
from identity.store.profiles import snapshot_queries
from identity.values.enums import StoredKind
from identity.vault.seal import DOCUMENT, EVIDENCE, IDENTIFIER
from identity.vault.subject_keys import SubjectKey

UNMERGE: Final = StoredKind.UNMERGE


class Person:
    """A canonical profile and all it folds; nobody where `rows` is empty."""

    def __init__(
        self, exclusive: ExclusiveSpace, rows: Sequence[OriginRow], held: Sequence[snapshot_queries.HeldRow]
    ) -> None:
        self.exclusive = exclusive
        self.rows = rows
        self.held = held
        self.ids = sorted(row.id for row in rows)
        self.subjects: dict[bytes, SubjectKey] = {}
        self.key_ids: list[bytes] = []
        self.groups: set[bytes] = set()

    @property
    def head(self) -> OriginRow:
        """The row of the head."""
        return next(row for row in self.rows if row.head == row.id)

    @property
    def keys(self) -> set[bytes]:
        """The blind indexes of all identifiers, retired ones too."""
        return {row.key for row in self.held}

    def unlock(self, keys: Sequence[KeyRow]) -> None:
        """Takes the subject keys in, and the groups that the documents under them speak of."""
        space = self.exclusive.space
        for key in keys:
            subject = self.subjects[key.id] = unwrap_key(space, key)
            self.key_ids.append(key.key_id)
            if key.document is not None and key.version is not None:
                document = unpack_document(subject.open(DOCUMENT, key.id, key.version, key.document))
                self.groups |= {space.keys.group(name) for name in document.groups}

    def identifiers(self) -> list[tuple[str, str]]:
        """Every identifier as (type, value)."""
        names = self.exclusive.space.names
        return [
            (names[row.type], self.subjects[row.origin].open(IDENTIFIER, row.key[:16], 0, row.value).decode())
            for row in self.held
        ]

    def gone(self, key: bytes, hash_: bytes) -> Gone:
        """All that goes, and the identifier it was asked for, which may be nobody's."""
        hashes = {self.exclusive.space.keys.suppression(*each) for each in self.identifiers()}
        return Gone(self.ids, self.key_ids, sorted(self.keys | {key}), sorted(hashes | {hash_}))

    async def acts(self) -> list[EvidenceRow]:
        """The unmerges that lie here, for those to keep who were parted then and live on."""
        exclusive, space, tenant = self.exclusive, self.exclusive.space, self.exclusive.space.tenant
        acts = await snapshot_queries.evidence(exclusive.connection, tenant, self.ids, [UNMERGE])
        named = sorted({key for act in acts for key in split_keys(act.kept)})
        owners = await erase.owners(exclusive.connection, tenant, named) if named else {}
        homes = {}
        for act in acts:
            living = sorted({owners[key] for key in split_keys(act.kept) if key in owners} - set(self.ids))
            if living:
                homes[act] = living[0]
        keys = (
            await snapshot_queries.subject_keys(exclusive.connection, tenant, sorted(set(homes.values())))
            if homes
            else []
        )
        subjects = {key.id: unwrap_key(space, key) for key in keys}
        kept = []
        for act, home in homes.items():
            plain = self.subjects[act.origin].open(EVIDENCE, act.origin, act.stamp, act.payload)
            payload = subjects[home].seal(EVIDENCE, home, act.stamp, plain)
            kept.append(EvidenceRow(home, act.stamp, act.kind, act.kept, act.demoted, payload, act.rules_version))
        return kept


async def open_person(exclusive: ExclusiveSpace, key: bytes) -> Person:
    """Whoever bears an identifier, with what is kept of them at ids that are asleep; nobody if none does."""
    connection, tenant = exclusive.connection, exclusive.space.tenant
    origin = exclusive.owners.get(key)
    rows = [] if origin is None else await snapshot_queries.origins(connection, tenant, [origin])
    ids = sorted(row.id for row in rows)
    person = Person(exclusive, rows, await snapshot_queries.identifiers(connection, tenant, ids) if ids else [])
    if ids:
        person.unlock(await snapshot_queries.subject_keys(connection, tenant, ids))
    sleeping = await asleep(exclusive, person.keys | {key})
    person.ids += [row.id for row in sleeping]
    person.unlock(sleeping)
    return person
