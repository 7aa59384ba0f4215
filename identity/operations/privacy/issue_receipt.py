"""Receipts: signed proof of an erasure, made when it is asked for from what the ledger holds."""

import asyncio
import time
from typing import Any

import msgspec

from identity.planning.privacy.receipt import canonical, unsigned
from identity.planning.privacy.request_kinds import Erased
from identity.planning.resolution.event_time import format_time
from identity.spaces.space import Space, Spaces
from identity.store.ledger import ledger
from identity.values.enums import ErasureState
from identity.values.errors import ReceiptPending
from identity.values.ids import public
from identity.vault.signing import text


async def receipt(spaces: Spaces, space: Space, erased: Erased, software: str) -> dict[str, Any]:
    """The receipt of an erasure. ReceiptPending while it is not done."""
    if erased.state not in (ErasureState.FINISHED, ErasureState.DUPLICATE):
        raise ReceiptPending
    signer = await asyncio.to_thread(lambda: spaces.keyring.signer)
    async with space.database.reading() as connection:
        hash_ = await ledger.hash_at(connection, space.tenant, erased.ledger_seq or 0)
        scanned = await ledger.last_scan(connection, space.tenant, erased.ledger_seq or 0)
    now = time.time_ns() // 1000
    scan = None if scanned is None else msgspec.json.decode(scanned)
    if scan is not None:
        scan["at"] = format_time(scan["at"])
    made = unsigned(erased, public("spc", space.public_id), signer.kid, software, hash_, now, scan)
    return {**made, "sig": text(signer.sign(canonical(made)))}


async def published(spaces: Spaces) -> list[dict[str, str]]:
    """The public keys that receipts are checked with, those of old too."""
    return await asyncio.to_thread(_published, spaces)


def _published(spaces: Spaces) -> list[dict[str, str]]:
    return spaces.keyring.signer.published()
