"""Adds to opened profiles the withdrawals of consent that the journal records and a document lacks.

A database writer can put a former document back, with a grant that was withdrawn since. The journal names the origin
and the stamp of each withdrawal, and the call is kept as evidence, sealed under the stamp. Folding the statements of
the call into a document that has them changes nothing; where they withdraw something, the document was put back, or is
older than a withdrawal of this moment. Evidence that is gone was moved by a correction or erased: its statements are
not added.

An origin without a document may be one whose document somebody deleted, with a denial that never was a withdrawal. Such
an origin has the consent that its calls state, as in `GET /v1/consent`. That costs a statement only for profiles with
an origin that has no document, as that of a device which stated nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import structlog

from identity.operations.profiles.profile import OpenedProfile
from identity.planning.consent.withdrawals import consent_entries, withdraws
from identity.planning.resolution import fold_documents
from identity.planning.resolution.extract import content
from identity.planning.resolution.stored_calls import StoredCall, unpack
from identity.spaces.space import Space
from identity.store.profiles import evidence
from identity.values.calls import ACTS, MICRO, STORED_KINDS
from identity.values.documents import Document
from identity.values.ids import ProfileId
from identity.values.stamps import Stamp, stamp_time, wall_time
from identity.vault.seal import EVIDENCE

DOCUMENT_ROLLED_BACK: Final = "document_rolled_back"
DOCUMENT_MISSING: Final = "document_missing"
_CONCURRENT: Final = 60 * MICRO
"""The document may have been read before a withdrawal that is younger."""
_NO_CONSENT: Final = consent_entries(Document())
_log = structlog.get_logger(__name__)


async def add_recorded_withdrawals(space: Space, profiles: Iterable[OpenedProfile]) -> None:
    """Make the documents of these profiles as strict as the journal records; a missing one, as the evidence states."""
    holders = {ProfileId(origin.id): opened for opened in profiles for origin in opened.origins}
    await _add_missing_documents(space, holders)
    recorded = space.recorded.withdrawals
    places = sorted((origin, stamp) for origin in holders for stamp in recorded.get(bytes(origin), ()))
    if not places:
        return
    async with space.database.reading() as connection:
        found = await evidence.by_stamps(connection, space.tenant, places)
    for row in sorted(found, key=lambda row: row.stamp):
        opened = holders[row.origin]
        call = unpack(opened.subjects[row.origin].open(EVIDENCE, row.origin, row.stamp, row.payload))
        document = opened.documents.setdefault(row.origin, Document())
        if _fold(document, call, row.stamp) and stamp_time(row.stamp) < wall_time() - _CONCURRENT:
            _log.error("space.rolled_back", space=space.name_in_logs, reason=DOCUMENT_ROLLED_BACK)


async def _add_missing_documents(space: Space, holders: Mapping[ProfileId, OpenedProfile]) -> None:
    """Give each origin without a document one with the consent that its calls state."""
    missing = [id_ for id_, opened in holders.items() if id_ not in opened.documents]
    if not missing:
        return
    async with space.database.reading() as connection:
        found = await evidence.by_origins(connection, space.tenant, missing)
    for row in found:
        if STORED_KINDS[row.kind] in ACTS:
            continue
        opened = holders[row.origin]
        call = unpack(opened.subjects[row.origin].open(EVIDENCE, row.origin, row.stamp, row.payload))
        document = opened.documents.get(row.origin, Document())
        _fold(document, call, row.stamp)
        if consent_entries(document) != _NO_CONSENT:
            if row.origin not in opened.documents and stamp_time(row.stamp) < wall_time() - _CONCURRENT:
                _log.error("space.rolled_back", space=space.name_in_logs, reason=DOCUMENT_MISSING)
            opened.documents[row.origin] = document


def _fold(document: Document, call: StoredCall, stamp: Stamp) -> bool:
    """Fold the statements of a call into a document; whether the document lacked a withdrawal among them."""
    before = consent_entries(document)
    stated = content(
        call.body,
        STORED_KINDS[call.kind],
        server=call.server,
        proven=call.proof is not None,
        received=call.received,
        time=call.time,
    )
    if stated.consent:
        fold_documents.merge_decisions(
            document, stated.consent, call.time, stamp, server=call.for_person, device=stated.device
        )
    if stated.signals:
        fold_documents.merge_signals(document, stated.signals, stamp, device=stated.device)
    return withdraws(before, document)
