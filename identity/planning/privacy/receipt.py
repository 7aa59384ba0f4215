"""Builds the receipt of an erasure: the destroyed data, the times, the strength and the notified destinations.

A receipt names no person. The values alone determine the signed bytes, because the signature covers canonical JSON
(RFC 8785): no floats, and numbers beyond 2^53 as text. The struct is the published document, version 2. Version 1
lacks `found`; its receipts stay valid, because the signature covers whatever fields a receipt has.
"""

from hashlib import sha256
from typing import Final, Literal

import msgspec
import rfc8785
from msgspec import Struct

from identity.planning.privacy.privacy_requests import DestroyedCounts, ErasureNotice, ErasureResult
from identity.planning.privacy.request_status import backup_safety
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public
from identity.values.json import JsonObject
from identity.values.stamps import Micros

VERSION: Final = 2
STRENGTH: Final = "best_effort_media"
"""An epoch key was a file, so its destruction is as strong as the erasure of files on its medium."""


class ReceiptBackups(Struct, frozen=True):
    """Whether a backup with the erased data can still be opened, and the time from which none can."""

    state: Literal["pending", "safe"]
    safe_at: str | None


class ReceiptDestination(Struct, frozen=True):
    """A notified destination, its state and the hash of its acknowledgement."""

    id: str
    name: str
    status: str
    at: str
    ack_sha256: str | None


class ReceiptScan(Struct, frozen=True):
    """The last leak scan after the erasure; a field that its ledger entry lacks is null."""

    tool: str | None
    version: str | None
    targets: list[str] | None
    hits: int | None
    positive_control: str | None
    at: str | None


class Receipt(Struct, frozen=True, kw_only=True):
    """Signed proof of an erasure; docs/verify_receipt.py checks it offline.

    `found` is false where nobody had the identifier, so nothing was destroyed; null where this was not recorded.
    """

    v: int
    receipt_id: str
    erasure_id: str
    space: str
    regulation: str
    received_at: str
    internal_done_at: str | None
    backup_safe_at: str | None
    backups: ReceiptBackups
    erasure_strength: str
    subject_commitment: str
    found: bool | None
    keys_shredded: int
    key_ids_merkle_root: str | None
    rows_deleted: dict[str, int]
    exports_destroyed: int
    kept: str
    destinations: list[ReceiptDestination]
    duplicate_of: str | None
    ledger_seq: str
    ledger_head: str
    scan: ReceiptScan | None
    software: str
    kid: str
    sig: str = ""


def unsigned_receipt(
    result: ErasureResult,
    space: str,
    kid: str,
    software: str,
    ledger_head: bytes,
    now: Micros,
    scan: JsonObject | None = None,
) -> Receipt:
    """The receipt of a finished erasure without its signature; `now` decides whether backups are safe.

    `ledger_head` is the hash of the ledger up to the entry of the erasure. `scan` is the result of the last leak scan
    after the erasure, or None.
    """
    counts = result.counts or DestroyedCounts()
    safety = backup_safety(result, now)
    return Receipt(
        v=VERSION,
        receipt_id=public("ers", result.id).replace("ers_", "rct_"),
        erasure_id=public("ers", result.id),
        space=space,
        regulation=result.regulation.label,
        received_at=format_time(result.received_at),
        internal_done_at=_time(result.internal_at),
        backup_safe_at=_time(safety.safe_at),
        backups=ReceiptBackups("safe" if safety.safe else "pending", _time(safety.safe_at)),
        erasure_strength=STRENGTH,
        subject_commitment=result.commitment.hex(),
        found=result.found,
        keys_shredded=counts.keys,
        key_ids_merkle_root=counts.key_ids_root or None,
        rows_deleted=counts.rows,
        exports_destroyed=counts.exports or 0,
        kept="values that calls of other people carried stay with those people",
        destinations=[_destination(notice) for notice in result.notices],
        duplicate_of=None if result.duplicate_of is None else public("ers", result.duplicate_of),
        ledger_seq=str(result.ledger_seq or 0),
        ledger_head=ledger_head.hex(),
        scan=None if scan is None else ReceiptScan(**{name: scan.get(name) for name in ReceiptScan.__struct_fields__}),
        software=software,
        kid=kid,
    )


def _destination(notice: ErasureNotice) -> ReceiptDestination:
    return ReceiptDestination(
        id=public("dst", notice.destination),
        name=notice.name,
        status=notice.state.label,
        at=format_time(notice.at),
        ack_sha256=None if notice.ack is None else sha256(notice.ack).hexdigest(),
    )


def bytes_to_sign(receipt: Receipt) -> bytes:
    """The signed bytes: canonical JSON of every field except the signature."""
    document = msgspec.to_builtins(receipt)
    return rfc8785.dumps({name: value for name, value in document.items() if name != "sig"})


def _time(moment: Micros | None) -> str | None:
    return None if moment is None else format_time(moment)
