"""Receipts: signed proof of an erasure, built from the ledger for each request."""

import msgspec

from identity.planning.privacy.privacy_requests import ErasureResult
from identity.planning.privacy.receipt import Receipt, bytes_to_sign, unsigned_receipt
from identity.planning.resolution.event_time import format_time
from identity.spaces.space import Space, Spaces
from identity.store.ledger import ledger
from identity.values.enums import ErasureState
from identity.values.errors import ReceiptPending
from identity.values.ids import public
from identity.values.stamps import wall_time
from identity.vault.signing import PublicKey, text
from identity.vault.threads import in_key_store


async def issue_receipt(spaces: Spaces, space: Space, erasure: ErasureResult, software: str) -> Receipt:
    """The signed receipt of an erasure. ReceiptPending until the erasure is done."""
    if erasure.state not in (ErasureState.FINISHED, ErasureState.DUPLICATE):
        raise ReceiptPending
    signer = await in_key_store(lambda: spaces.keyring.signer)
    async with space.database.reading() as connection:
        hash_ = await ledger.hash_at(connection, space.tenant, erasure.ledger_seq or 0)
        scanned = await ledger.last_scan(connection, space.tenant, erasure.ledger_seq or 0)
    now = wall_time()
    scan = None if scanned is None else msgspec.json.decode(scanned)
    if scan is not None:
        scan["at"] = format_time(scan["at"])
    receipt = unsigned_receipt(erasure, public("spc", space.public_id), signer.kid, software, hash_, now, scan)
    return msgspec.structs.replace(receipt, sig=text(signer.sign(bytes_to_sign(receipt))))


async def published_keys(spaces: Spaces) -> list[PublicKey]:
    """The public keys that verify receipts, former ones included."""
    signer = await in_key_store(lambda: spaces.keyring.signer)
    return signer.published()
