"""Opens every sealed value of a space: what somebody altered, exchanged or gave another version does not open.

Reads of such a row answer `seal_broken`. Values are opened in memory and dropped at once.
"""

from contextlib import suppress
from typing import Final, LiteralString, NamedTuple

from identity.operations.integrity.verify_memberships import MembershipCheck, membership_check
from identity.planning.integrity.discrepancies import Discrepancies
from identity.planning.resolution.extract import content
from identity.planning.resolution.stored_calls import StoredCall, unpack
from identity.store.integrity import sealed_values
from identity.store.integrity.sealed_values import SubjectValueRow
from identity.store.integrity.verify import snapshot
from identity.store.keys import key_tables
from identity.store.postgres.database import Connection, Database
from identity.store.postgres.tenant import Tenant
from identity.values.calls import STORED_KINDS
from identity.values.errors import KeyUnavailable, SealBroken
from identity.values.ids import ProfileId, public_profile
from identity.vault import seal
from identity.vault.seal import SealPlace
from identity.vault.space_keys import SpaceKeys
from identity.vault.subject_keys import SlotKey, SubjectKey

SEAL_BROKEN: Final = "seal_broken"


class _Column(NamedTuple):
    """A sealed column, and how a report names one of its values: by a word, and the prefix of the id beside it."""

    statement: LiteralString
    place: SealPlace
    label: str


_OF_SUBJECTS: Final = (
    _Column(sealed_values.DOCUMENTS, seal.DOCUMENT, "document of prf"),
    _Column(sealed_values.IDENTIFIERS, seal.IDENTIFIER, "identifier of prf"),
    _Column(sealed_values.EVIDENCE, seal.EVIDENCE, "evidence of prf"),
    _Column(sealed_values.EVENTS, seal.EVENT, "events of prf"),
    _Column(sealed_values.GROUP_IDS, seal.GROUP_ID, "id of group"),
    _Column(sealed_values.GROUP_TRAITS, seal.GROUP_TRAITS, "traits of group"),
    _Column(sealed_values.ASIDES, seal.ASIDE, "identifiers of ers"),
    _Column(sealed_values.EXPORT_PARTS, seal.EXPORT, "part of exp"),
    _Column(sealed_values.HOLD_REASONS, seal.HOLD_REASON, "reason of hld"),
)
_OF_SPACES: Final = (
    _Column(sealed_values.KEYLESS_HOLD_REASONS, seal.HOLD, "reason of hld"),
    _Column(sealed_values.REQUESTS, seal.REQUEST, "details of req"),
    _Column(sealed_values.JOBS, seal.JOB, "job"),
    _Column(sealed_values.DESTINATIONS, seal.DESTINATION, "document of dst"),
    _Column(sealed_values.REJECTIONS, seal.REJECTION, "rejections at stamp"),
    _Column(sealed_values.RULES, seal.RULES, "rules, version"),
    _Column(sealed_values.PURPOSES, seal.PURPOSES, "purposes, version"),
    _Column(sealed_values.IDENTITY_KEYS, seal.IDENTITY_KEYS, "identity keys, version"),
    _Column(sealed_values.TYPE_NAMES, seal.TYPE_NAME, "name of identifier type"),
)


async def check_seals(database: Database, tenant: Tenant, keys: SpaceKeys, findings: Discrepancies) -> None:
    """Add the values that do not open, in one snapshot."""
    async with snapshot(database) as connection:
        check = _SealCheck(connection, tenant, keys, findings)
        await check.read_slots()
        memberships = await membership_check(connection, tenant, keys, findings)
        for column in _OF_SUBJECTS:
            await check.subject_values(column, memberships if column.place is seal.DOCUMENT else None)
        await memberships.finish(opened_all=not check.broken_documents)
        await check.documents()
        for column in _OF_SPACES:
            await check.space_values(column)


class _SealCheck:
    """Opens values with the keys of one snapshot: a key roll meanwhile takes none of them away."""

    def __init__(self, connection: Connection, tenant: Tenant, keys: SpaceKeys, findings: Discrepancies) -> None:
        self._connection = connection
        self._tenant = tenant
        self._keys = keys
        self._findings = findings
        self._slots: dict[int, SlotKey] = {}
        self._broken: set[bytes] = set()
        self.broken_documents = False

    async def read_slots(self) -> None:
        """Unwrap the slot keys. One whose epoch key is missing has a finding of its own, `epoch_missing`."""
        for row in await key_tables.slot_keys(self._connection, self._tenant):
            try:
                self._slots[row.slot] = self._keys.slot(row.slot, row.epoch, bytes(row.wrapped))
            except SealBroken:
                self._findings.add(SEAL_BROKEN, f"slot key {row.slot}")
            except KeyUnavailable:
                continue

    async def subject_values(self, column: _Column, memberships: MembershipCheck | None = None) -> None:
        """Open the values of a column under subject keys; documents are compared with the rows of memberships."""
        async for page in sealed_values.subject_values(self._connection, self._tenant, column.statement):
            subjects: dict[bytes, SubjectKey | None] = {}
            opened = []
            for row in page:
                if row.subject not in subjects:
                    subjects[row.subject] = self._unwrap(row)
                subject = subjects[row.subject]
                # An identifier without a value has a finding of its own, `value_missing`.
                if memberships is not None and subject is None:
                    self.broken_documents = True
                if subject is None or (column.place is seal.IDENTIFIER and not row.value):
                    continue
                try:
                    value = subject.open(column.place, row.row_id, row.version, row.value)
                except SealBroken:
                    self.broken_documents |= memberships is not None
                    self._findings.add(SEAL_BROKEN, f"{column.label}_{row.subject.hex()}")
                else:
                    if memberships is not None:
                        opened.append((ProfileId(row.subject), value))
            if memberships is not None:
                await memberships.take(opened)

    async def documents(self) -> None:
        """Add the origins that have no document, and a call that states something for one."""
        missing: set[bytes] = set()
        async for page in sealed_values.subject_values(
            self._connection, self._tenant, sealed_values.CALLS_WITHOUT_DOCUMENT
        ):
            for row in page:
                subject = None if row.subject in missing else self._unwrap(row)
                if subject is None:
                    continue
                # A call that does not open has a finding of its own.
                with suppress(SealBroken):
                    if _states_something(unpack(subject.open(seal.EVIDENCE, row.row_id, row.version, row.value))):
                        missing.add(row.subject)
                        self._findings.add("document_missing", public_profile(ProfileId(row.subject)))

    async def space_values(self, column: _Column) -> None:
        """Open the values of a column under the key of the space."""
        async for page in sealed_values.space_values(self._connection, self._tenant, column.statement):
            for row in page:
                try:
                    self._keys.open(column.place, row.row_id or self._keys.id, row.version, row.value)
                except SealBroken:
                    label = f" {row.version}" if row.row_id is None else f"_{row.row_id.hex()}"
                    self._findings.add(SEAL_BROKEN, column.label + label)

    def _unwrap(self, row: SubjectValueRow) -> SubjectKey | None:
        """The key of a subject; None where it does not open, which is one finding, or its slot key is missing."""
        slot = self._slots.get(row.slot)
        if slot is None or row.subject in self._broken:
            return None
        try:
            return slot.unwrap(row.key_id, row.wrapped)
        except SealBroken:
            self._broken.add(row.subject)
            self._findings.add(SEAL_BROKEN, f"subject key {row.subject.hex()}")
            return None


def _states_something(call: StoredCall) -> bool:
    """Whether a stored call makes a document: it states traits or consent. Memberships have rows of their own."""
    stated = content(
        call.body,
        STORED_KINDS[call.kind],
        server=call.server,
        proven=call.proof is not None,
        received=call.received,
        time=call.time,
    )
    return bool(stated.traits or stated.consent or stated.signals)
