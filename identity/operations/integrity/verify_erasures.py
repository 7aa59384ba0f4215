"""Compares the rows of privacy requests and erasures with the journal, which a receipt is built from.

A row and its entry are committed together, and the journal follows. So the end of the ledger that the journal lacks
counts too, in the snapshot of the rows: entries with a MAC prove the same there.
"""

from collections.abc import AsyncIterator

from identity.planning.integrity.discrepancies import Discrepancies
from identity.planning.privacy.erasures_of_journal import ErasureFacts, RecordedErasures, RequestFacts
from identity.store.integrity.verify import ERASURES, REQUESTS, destination_numbers, snapshot, stream
from identity.store.ledger import ledger
from identity.store.postgres.database import Connection, Database
from identity.store.postgres.tenant import Tenant
from identity.values.ids import ErasureId, RequestId, public
from identity.vault.journal import Journal
from identity.vault.space_keys import SpaceKeys
from identity.vault.threads import in_key_store
from identity.vault.vouching.ledger_entries import is_vouched_entry

_PAGE = 1_000


async def check_erasures(
    database: Database, tenant: Tenant, keys: SpaceKeys, journal: Journal, findings: Discrepancies
) -> None:
    """Add requests and erasures that differ from the journal, or that it alone has. KeyUnavailable, LedgerBroken."""
    recorded = RecordedErasures()
    last = await in_key_store(_read_journal, recorded, keys, journal)
    stored: set[ErasureId] = set()
    async with snapshot(database) as connection:
        while entries := await ledger.after(connection, tenant, last, _PAGE):
            for each in entries:
                recorded.take(each.entry, genuine=is_vouched_entry(keys, each.entry))
            last = entries[-1].seq
        destinations = await destination_numbers(connection, tenant)
        async for row in _rows(connection, tenant):
            stored.add(row.id)
            if recorded.differs(row, destinations):
                findings.add("erasure_differs", public("ers", row.id))
        requests: set[RequestId] = set()
        async for page in stream(connection, REQUESTS, tenant):
            for id_, *fields in page:
                request = RequestFacts(RequestId(bytes(id_)), *fields)
                requests.add(request.id)
                if recorded.request_differs(request):
                    findings.add("request_differs", public("req", request.id))
    for request_id in sorted(recorded.missing_requests(requests)):
        findings.add("request_missing", public("req", request_id))
    for id_ in sorted(recorded.missing(stored)):
        findings.add("erasure_missing", public("ers", id_))


def _read_journal(recorded: RecordedErasures, keys: SpaceKeys, journal: Journal) -> int:
    """Take the entries of a journal, those from before Onefold vouched for entries too; the number of the last."""
    older, last = journal.vouched_after(), 0
    for line in journal.after(0):
        recorded.take(line.entry, genuine=line.seq <= older or is_vouched_entry(keys, line.entry))
        last = line.seq
    return last


async def _rows(connection: Connection, tenant: Tenant) -> AsyncIterator[ErasureFacts]:
    async for page in stream(connection, ERASURES, tenant):
        for (
            id_,
            request,
            kind,
            regulation,
            state,
            hash_,
            commitment,
            received_at,
            internal_at,
            of,
            found,
            *more,
        ) in page:
            yield ErasureFacts(
                id=ErasureId(bytes(id_)),
                request_id=RequestId(bytes(request)),
                kind=kind,
                regulation=regulation,
                state=state,
                hash=bytes(hash_),
                commitment=bytes(commitment),
                received_at=received_at,
                internal_at=internal_at,
                duplicate_of=None if of is None else ErasureId(bytes(of)),
                found=found,
                backup_safe_at=more[0],
                informed=frozenset(more[1]),
            )
