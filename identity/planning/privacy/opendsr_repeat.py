"""Compares an OpenDSR request with the stored request of its id, which may differ in no field.

Invariant: a request that differs in any field is never answered as the stored one. A row from before a field was kept
is not compared in this field.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from identity.planning.privacy.opendsr import ERASURE, Subject
from identity.values.enums import RequestKind
from identity.values.stamps import Micros


class StoredRequest(Struct, frozen=True, kw_only=True):
    """What the row of an OpenDSR request keeps. `same_identities`: its hash is that of the new identities."""

    kind: int
    regulation: int
    received_at: Micros
    same_identities: bool
    details: Mapping[str, Any]


def request_kind(subject: Subject) -> RequestKind:
    """The kind of the request of an OpenDSR type."""
    return RequestKind.SUPPRESS_WITH_DELETE if subject.type == ERASURE else RequestKind.ACCESS


def differing_fields(stored: StoredRequest, subject: Subject, hashes: Mapping[str, str]) -> list[str]:
    """The fields in which a request differs from the stored one; `hashes` are those of its further members."""
    details = stored.details
    # A time ahead of the clock is stored as the time of the receipt.
    submitted_at = min(subject.submitted_at, details.get("received", subject.submitted_at))
    kept = details.get("hashes", {})
    differs = {
        "subject_request_type": (request_kind(subject), subject.type)
        != (stored.kind, details.get("type", subject.type)),
        "regulation": subject.regulation != stored.regulation,
        "subject_identities": not stored.same_identities,
        "submitted_time": submitted_at != stored.received_at,
        "status_callback_urls": sorted(subject.callbacks) != sorted(details.get("callbacks", [])),
        "controller_id": subject.controller != details.get("controller_id", ""),
        "api_version": kept.get("version", hashes["version"]) != hashes["version"],
        "another member, such as extensions": kept.get("others", hashes["others"]) != hashes["others"],
    }
    return [name for name, unlike in differs.items() if unlike]
