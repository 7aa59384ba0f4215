"""Makes the ledger entries of withdrawals: a restore of an older backup repeats them from the journal.

Invariant: the statements of the person are sealed under the subject key of the origin, so an erasure destroys them in
the journal too. In clear are the id of the origin, blind indexes and times.
"""

from base64 import b64encode
from collections.abc import Iterable

from msgspec import structs

from identity.operations.ingest.seal import Sealer
from identity.planning.consent.withdrawals import consent_body
from identity.planning.resolution.plan import RecordedCall
from identity.planning.resolution.stored_calls import pack_stored, stored_call
from identity.store.ledger.ledger import entry
from identity.values.enums import StoredKind
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import Micros, stamp_time
from identity.vault.seal import EVIDENCE
from identity.vault.space_keys import SpaceKeys
from identity.vault.vouching.ledger_entries import vouch_for_entry


def withdrawal_entries(
    keys: SpaceKeys, sealer: Sealer, withdrawals: Iterable[RecordedCall]
) -> list[tuple[Micros, bytes]]:
    """The entries, in the order of the calls."""
    return [_entry(keys, sealer, record) for record in withdrawals]


def _entry(keys: SpaceKeys, sealer: Sealer, record: RecordedCall) -> tuple[Micros, bytes]:
    call = record.call
    stated = structs.replace(
        stored_call(call), kind=StoredKind.CONSENT.value, body=consent_body(call.body, call.consent)
    )
    sealed = sealer.subject(record.origin).seal(EVIDENCE, record.origin, record.stamp, pack_stored(stated))
    more = {
        "evidence": b64encode(sealed).decode(),
        "indexes": sorted(key.hex() for key in record.kept),
        "origin": record.origin.hex(),
        "server": call.source.server,
        "stamp": record.stamp,
    }
    return vouch_for_entry(
        keys,
        entry(f"key:{call.source.key_number}", LedgerAction.CONSENT_WITHDRAWN, None, stamp_time(record.stamp), more),
    )
