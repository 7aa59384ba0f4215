"""The receipt of an erasure: what was destroyed, when, how surely, who knew. It names nobody.

Pure. Canonical JSON (RFC 8785), so that whoever has the values has the bytes that were signed; no
floats, and numbers beyond 2^53 as text.
"""

from hashlib import sha256
from typing import Any, Final

import rfc8785

from identity.planning.privacy.request_kinds import Erased, Notice
from identity.planning.privacy.request_status import backups
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public

VERSION: Final = 1
STRENGTH: Final = "best_effort_media"
"""How surely a destroyed epoch key is gone: from a file, as surely as its medium lets go of it."""


# What a receipt carries of a scan for personal data.
_SCANNED: Final = ("tool", "version", "targets", "hits", "positive_control")


def unsigned(
    erased: Erased,
    space: str,
    kid: str,
    software: str,
    ledger_head: bytes,
    now: int,
    scan: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The receipt of a finished erasure, without its signature; `now` says whether backups are safe.

    `ledger_head` is the hash of its entry and of all before it, `scan` what the last scan since found,
    where there was one.
    """
    counts = erased.counts or {}
    return {
        "v": VERSION,
        "receipt_id": public("ers", erased.id).replace("ers_", "rct_"),
        "erasure_id": public("ers", erased.id),
        "space": space,
        "regulation": erased.regulation.label,
        "received_at": format_time(erased.received_at),
        "internal_done_at": _time(erased.internal_at),
        "backup_safe_at": backups(erased, now)["safe_at"],
        "backups": backups(erased, now),
        "erasure_strength": STRENGTH,
        "subject_commitment": erased.commitment.hex(),
        "keys_shredded": counts.get("keys", 0),
        "key_ids_merkle_root": counts.get("key_ids_root"),
        "rows_deleted": counts.get("rows", {}),
        "exports_destroyed": counts.get("exports", 0),
        "kept": "values that calls of other people carried stay with those people",
        "destinations": [_told(notice) for notice in erased.notices],
        "duplicate_of": None if erased.duplicate_of is None else public("ers", erased.duplicate_of),
        "ledger_seq": str(erased.ledger_seq or 0),
        "ledger_head": ledger_head.hex(),
        "scan": None if scan is None else {name: scan.get(name) for name in (*_SCANNED, "at")},
        "software": software,
        "kid": kid,
    }


def _told(notice: Notice) -> dict[str, Any]:
    """A destination that had to be told, and the hash of what it signed when it was done."""
    return {
        "id": notice.destination,
        "name": notice.name,
        "status": notice.state.label,
        "at": format_time(notice.at),
        "ack_sha256": None if notice.ack is None else sha256(notice.ack).hexdigest(),
    }


def canonical(receipt: dict[str, Any]) -> bytes:
    """The bytes that are signed: all but the signature."""
    return rfc8785.dumps({name: value for name, value in receipt.items() if name != "sig"})


def _time(moment: int | None) -> str | None:
    return None if moment is None else format_time(moment)
