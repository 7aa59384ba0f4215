"""Receipts: signed proof of an erasure, built from the journal for each request.

Invariant: a receipt states what entries of the journal prove, which a database writer cannot write or alter.
"""

from typing import Final

import msgspec

from identity.operations.privacy.recorded_entries import recorded_entries
from identity.planning.privacy.privacy_requests import ErasureResult
from identity.planning.privacy.receipt import Receipt, bytes_to_sign, unsigned_receipt
from identity.planning.privacy.recorded_erasure import recorded_erasure
from identity.planning.resolution.event_time import format_time
from identity.spaces.space import Space, Spaces
from identity.values.enums import ErasureState
from identity.values.errors import ReceiptPending
from identity.values.ids import public
from identity.values.stamps import wall_time
from identity.vault.signing import PublicKey, text
from identity.vault.threads import in_key_store

_WITHOUT: Final = {
    ErasureState.ON_HOLD: "The erasure waits for a litigation hold, so there is no receipt yet; release the hold, or"
    " cancel the request with DELETE /v1/regulations/{request_id}.",
    ErasureState.CANCELLED: "The erasure was cancelled: nothing was erased, so there is no receipt.",
}


async def issue_receipt(spaces: Spaces, space: Space, erasure: ErasureResult, software: str) -> Receipt:
    """The signed receipt of an erasure. LedgerBroken without its entries.

    ReceiptPending until the erasure is done, and where it was cancelled.
    """
    if erasure.state not in (ErasureState.FINISHED, ErasureState.DUPLICATE):
        raise ReceiptPending(_WITHOUT.get(erasure.state))
    signer = await in_key_store(lambda: spaces.keyring.signer)
    await space.publish()
    entries = await in_key_store(recorded_entries, space, erasure)
    proven = recorded_erasure(erasure, entries.request, entries.outcome, entries.safe_at)
    if proven.state == ErasureState.FINISHED:
        proven = msgspec.structs.replace(proven, ledger_seq=entries.seq)
    scan = entries.scan
    if scan is not None:
        scan["at"] = format_time(scan["at"])
    head = entries.hash if proven.ledger_seq else b""
    now = wall_time()
    receipt = unsigned_receipt(proven, public("spc", space.public_id), signer.kid, software, head, now, scan)
    return msgspec.structs.replace(receipt, sig=text(signer.sign(bytes_to_sign(receipt))))


async def published_keys(spaces: Spaces) -> list[PublicKey]:
    """The public keys that verify receipts, former ones included."""
    signer = await in_key_store(lambda: spaces.keyring.signer)
    return signer.published()
