"""Verifies that the stored rows of a space agree with each other and with the evidence they come from.

All rows are read in one snapshot, so ingest may continue. An audit writes nothing. Of the key store it reads which
epoch keys there are. With the keyring it also checks the MACs of rows, compares rows with the journal, and opens every
sealed value (`verify_vouchers`); without the root key it leaves these out. During a rotation of the index key every row
is read under the newest blind indexes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import LiteralString

from msgspec import Struct, structs

from identity.operations.integrity.verify_rows_of_spaces import spaces_without_audit
from identity.operations.integrity.verify_vouchers import foreign_rows
from identity.planning.corrections import rekey_rows
from identity.planning.destinations.feed_pages import is_valid_position
from identity.planning.integrity.claim_check import ClaimCheck
from identity.planning.integrity.counter_check import CounterCheck
from identity.planning.integrity.discrepancies import Discrepancies, Discrepancy, identifier_label
from identity.planning.integrity.evidence_check import REMOVE, UNMERGE, EvidenceCheck, Reversals
from identity.planning.integrity.row_index import RowIndex
from identity.spaces.choose_spaces import choose_spaces
from identity.spaces.ledger_publication import chained_hash
from identity.store.integrity import verify as verify_queries
from identity.store.keys import key_tables
from identity.store.ledger import ledger
from identity.store.postgres.database import Connection, Database
from identity.store.postgres.tenant import Tenant
from identity.store.profiles import evidence as evidence_queries
from identity.store.spaces import spaces_and_keys
from identity.values.enums import HistoryKind
from identity.values.errors import KeyUnavailable, LedgerBroken
from identity.values.ids import BlindIndex, DestinationNumber, ProfileId, public, public_profile
from identity.values.stamps import Stamp
from identity.vault.epoch_key_store import epochs_in
from identity.vault.keyring import Keyring

Progress = Callable[[str, int], None]
"""Called with the name of a part and the number of its rows read so far."""
PARTS = (
    "profiles",
    "identifiers",
    "reverse rows",
    "evidence",
    "counters",
    "events",
    "feed",
    "disclosures",
    "keys",
    "ledger",
)


class Report(Struct, frozen=True):
    """The result of an audit of a space; `looked_at` counts the rows of each part.

    `found_keys` says whether there was a key store to compare the database with, `found_macs` whether its keys could be
    opened, and the MACs of rows were checked.
    """

    space_id: str
    looked_at: dict[str, int]
    findings: list[Discrepancy]
    found_keys: bool = False
    found_macs: bool = False


async def verify(
    url: str,
    space_ids: Sequence[str],
    progress: Progress,
    key_store: Path | None = None,
    keyring: Keyring | None = None,
) -> AsyncIterator[Report]:
    """Audit these spaces, or all where none is named. SpaceNotFound before the first audit."""
    database = Database(url, readers=1)
    await database.open()
    try:
        closed = await spaces_without_audit(database, space_ids, keyring)
        for id_, found in closed.items():
            yield Report(space_id=id_, looked_at={}, findings=[found], found_keys=True, found_macs=True)
        left = [each for each in space_ids if each not in closed]
        for space in await choose_spaces(database, left) if left or not space_ids else ():
            report = await verify_space(database, space, progress)
            if key_store is not None:
                report = await _with_epochs(report, database, space, key_store)
            yield report if keyring is None else await _with_vouchers(report, database, space, keyring)
    finally:
        await database.close()


async def verify_space(database: Database, space: spaces_and_keys.SpaceRow, progress: Progress) -> Report:
    """Audit one space."""
    tenant = Tenant(space.id, space.bucket_base, space.spread)
    async with verify_queries.snapshot(database.of_space(space.id)) as connection:
        audit = _Audit(connection, tenant, progress)
        await audit.run()
    return Report(space_id=public("spc", space.public_id), looked_at=audit.looked_at, findings=list(audit.findings))


async def _with_epochs(report: Report, database: Database, space: spaces_and_keys.SpaceRow, key_store: Path) -> Report:
    """Add whether the key store holds the epoch keys that the slot keys are wrapped under now."""
    tenant = Tenant(space.id, space.bucket_base, space.spread)
    missing: set[int] | None = None
    # A roll destroys an epoch key once no slot key needs it: an epoch is missing if the slots name it afterwards too.
    for _ in range(2):
        async with database.of_space(space.id).reading() as connection:
            used = await key_tables.slot_epochs(connection, tenant)
        held = await asyncio.to_thread(epochs_in, key_store, space.public_id)
        if held is None:
            return report
        missing = used - held if missing is None else missing & (used - held)
    labels = [f"epoch {epoch}" for epoch in sorted(missing or ())]
    found = [Discrepancy("epoch_missing", len(labels), labels)] if labels else []
    return structs.replace(report, findings=[*found, *report.findings], found_keys=True)


async def _with_vouchers(
    report: Report, database: Database, space: spaces_and_keys.SpaceRow, keyring: Keyring
) -> Report:
    """Add the rows that Onefold did not store as they are; nothing where keys or journal cannot be read."""
    try:
        found = await foreign_rows(database, space, keyring)
    except (KeyUnavailable, LedgerBroken):
        return report
    return structs.replace(report, findings=[*report.findings, *found], found_macs=True)


class _Audit:
    def __init__(self, connection: Connection, tenant: Tenant, progress: Progress) -> None:
        self.connection = connection
        self.tenant = tenant
        self.findings = Discrepancies()
        self.looked_at: dict[str, int] = {}
        self._progress = progress
        self._index = RowIndex(self.findings)
        self._names: dict[BlindIndex, BlindIndex] = {}

    async def run(self) -> None:
        """Check all parts; each part relies on those before it."""
        index = self._index
        await self._read(None, verify_queries.RENAMED, self._names.__setitem__)
        await self._read("profiles", verify_queries.PROFILES, index.read_profile, counters=(9,))
        await self._read("identifiers", verify_queries.FORWARD, index.read_forward, keys=(0,))
        await self._read("reverse rows", verify_queries.REVERSE, index.read_reverse, keys=(1,))
        index.resolve_pointers()
        evidence = await self._evidence()
        counter_check = CounterCheck(index, self.findings)
        await self._read(None, verify_queries.CUTS, counter_check.read_cut, keys=(0,))
        await self._read("counters", verify_queries.COUNTERS, counter_check.read_counters, counters=(1, 2))
        await self._read("events", verify_queries.EVENTS, counter_check.read_events)
        lanes = await verify_queries.lanes(self.connection, self.tenant)
        for lane in lanes:
            counter_check.read_lane(*lane)
        await self._read("feed", verify_queries.FEED_STATE, counter_check.read_feed_version)
        counter_check.check(evidence)
        await self._destinations(lanes)
        await self._keys(forgotten=counter_check.truncated)
        await self._ledger()

    async def _destinations(self, lanes: Sequence[verify_queries.LaneCheckRow]) -> None:
        """Check the erasures in the feed, the positions of destinations in it, and disclosures."""
        add, heads = self.findings.add, {lane.lane: lane.seq or 0 for lane in lanes}

        def delivery(destination: DestinationNumber, both: bool, *packed_positions: bytes | None) -> None:  # noqa: FBT001 (a row)
            if not both:
                add("delivery_missing", f"destination {destination}")
            if not all(each is None or is_valid_position(each, heads) for each in packed_positions):
                add("place_beyond", f"destination {destination}")

        def disclosed(id_: ProfileId, destination: DestinationNumber, both: bool) -> None:  # noqa: FBT001 (a row)
            if not both:
                add("disclosure_orphaned", f"{public_profile(id_)} to destination {destination}")

        # An entry without a profile is of a profile on hold, or was restored from a journal without ids.
        await self._read(None, verify_queries.ERASED, lambda id_: add("erasure_unknown", public_profile(id_)))
        await self._read(None, verify_queries.DELIVERIES, delivery)
        await self._read("disclosures", verify_queries.DISCLOSED, disclosed)

    async def _ledger(self) -> None:
        """Check the hash chain from its first entry; after a break the check continues from the stored hash."""
        number, end = 0, b""

        def walk(seq: int, entry: bytes, hash_: bytes) -> None:
            nonlocal number, end
            if seq != number + 1 or chained_hash(end, entry) != hash_:
                self.findings.add("ledger_broken", f"entry {seq}")
            number, end = seq, hash_

        await self._read("ledger", verify_queries.LEDGER, walk)
        head = await ledger.read_head(self.connection, self.tenant)
        if (head.seq, head.hash) != (number, end):
            self.findings.add("ledger_broken", f"the end, {head.seq}")

    async def _evidence(self) -> Sequence[int]:
        """Check the evidence; returns the number of calls at each origin."""
        connection, tenant, index = self.connection, self.tenant, self._index
        forgotten: dict[BlindIndex, Stamp] = {}
        await self._read(None, verify_queries.FORGOTTEN, forgotten.__setitem__, keys=(0,))
        for key, until in forgotten.items():
            if key in index.keys and index.linked_at[index.keys[key]] <= until:
                self.findings.add("forgotten_linked", identifier_label(key))
        acts = [
            (row.stamp, row.kind, rekey_rows.rekey_keys(row.kept, self._names))
            for row in await evidence_queries.by_kinds(connection, tenant, [UNMERGE, REMOVE])
        ]
        evidence_check = EvidenceCheck(index, self.findings, Reversals(acts, forgotten))
        await self._read("evidence", verify_queries.EVIDENCE, evidence_check.read, keys=(3,))
        await self._claims(forgotten)
        evidence_check.check(await verify_queries.profiles_with_history(connection, tenant, HistoryKind.UNMERGED))
        return evidence_check.calls

    async def _claims(self, forgotten: Mapping[BlindIndex, Stamp]) -> None:
        """Compare claimed joins with the evidence, where refusals are."""
        check = ClaimCheck(forgotten)

        def claiming(origin: ProfileId, stamp: Stamp, kind: int, kept: bytes, demoted: bytes | None) -> None:
            newest = demoted and rekey_rows.demoted(demoted, self._names)
            check.read_evidence(origin, stamp, kind, kept, newest)

        await self._read(None, verify_queries.CLAIMING, claiming, keys=(3,))
        await self._read(None, verify_queries.CLAIMS, partial(check.read_claim, self.findings), keys=(0,))
        check.check(self.findings)

    async def _keys(self, *, forgotten: bool) -> None:
        """Check keys and rows without a profile, and profiles without keys."""
        index, add = self._index, self.findings.add

        def keyless(id_: ProfileId) -> None:
            number = index.origins.get(id_)
            if number is None or not index.leftover[number]:
                add("key_missing", public_profile(id_))

        await self._read(None, verify_queries.UNDOCUMENTED, lambda id_: add("document_missing", public_profile(id_)))
        await self._read(None, verify_queries.WITHHELD, lambda id_: add("withheld_differs", public_profile(id_)))
        await self._read("keys", verify_queries.KEYLESS, keyless)
        await self._read(None, verify_queries.OWNERLESS, lambda id_: add("key_orphaned", public_profile(id_)))
        await self._read(None, verify_queries.BLOCKED_LINKED, lambda key: add("blocked_linked", identifier_label(key)))
        async for table, ids in verify_queries.orphans(self.connection, self.tenant):
            if table == "change":
                self.findings.add_profiles("change_unknown", () if forgotten else ids)
            else:
                for id_ in ids:
                    add("row_orphaned", f"{table} of {public_profile(id_)}")

    async def _read(
        self,
        what: str | None,
        query: LiteralString,
        take: Callable[..., None],
        keys: Sequence[int] = (),
        counters: Sequence[int] = (),
    ) -> None:
        """Pass every row of a query to `take`; `what` names the part for the progress.

        `keys` are the columns with one or many blind indexes, `counters` the columns with counters.
        """
        names = self._names
        count = 0
        if what is not None:
            self._progress(what, 0)
        async for found in verify_queries.stream(self.connection, query, self.tenant):
            for row in found:
                if names and (keys or counters):
                    renamed = list(row)
                    for at in keys:
                        renamed[at] = rekey_rows.rekey_keys(renamed[at], names)
                    for at in counters:
                        renamed[at] = renamed[at] and rekey_rows.counters(renamed[at], names)
                    take(*renamed)
                else:
                    take(*row)
            count += len(found)
            if what is not None:
                self._progress(what, count)
        if what is not None:
            self.looked_at[what] = count
