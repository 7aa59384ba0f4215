"""The comparison of an OpenDSR request with the stored one."""

import uuid
from typing import Any

import pytest

from identity.planning.privacy.opendsr import Subject, read
from identity.planning.privacy.opendsr_repeat import StoredRequest, differing_fields, request_kind
from identity.values.stamps import Micros

_NOW = Micros(1_790_000_000_000_000)
_HASHES = {"version": "aa", "others": "bb"}


def _subject(now: Micros = _NOW, **changed: Any) -> Subject:
    identities = [{"identity_type": "email", "identity_value": "ann@example.org", "identity_format": "raw"}]
    document = {
        "subject_request_id": str(uuid.uuid4()),
        "subject_request_type": "erasure",
        "submitted_time": "2026-01-02T03:04:05Z",
        "subject_identities": identities,
        **changed,
    }
    return read(document, now)


def _stored(subject: Subject, **details: Any) -> StoredRequest:
    kept = {"controller_id": subject.controller, "callbacks": subject.callbacks, "received": _NOW, **details}
    return StoredRequest(
        kind=request_kind(subject),
        regulation=subject.regulation,
        received_at=subject.submitted_at,
        same_identities=True,
        details=kept,
    )


def test_a_row_without_the_newer_details_is_the_same_request() -> None:
    """An older version kept neither the type nor the hashes."""
    subject = _subject(controller_id="shop", status_callback_urls=["https://a.invalid", "https://b.invalid"])
    assert differing_fields(_stored(subject), subject, _HASHES) == []


def test_a_time_ahead_of_the_clock_is_the_same_time_later() -> None:
    """The receipt stores its own time, and the repeat arrives once the submitted time is past."""
    ahead = "2026-09-21T14:14:00Z"
    first = _subject(submitted_time=ahead)
    assert first.submitted_at == _NOW
    later = _subject(Micros(_NOW + 600_000_000), submitted_time=ahead)
    assert later.submitted_at > _NOW
    assert differing_fields(_stored(first), later, _HASHES) == []


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"type": "access"}, "subject_request_type"),
        ({"callbacks": ["https://a.invalid"]}, "status_callback_urls"),
        ({"controller_id": "other"}, "controller_id"),
        ({"hashes": {"version": "cc", "others": "bb"}}, "api_version"),
        ({"hashes": {"version": "aa", "others": "cc"}}, "another member, such as extensions"),
    ],
)
def test_a_difference_is_named_by_its_field(details: dict[str, Any], field: str) -> None:
    """Each field that the row keeps is compared."""
    subject = _subject()
    assert differing_fields(_stored(subject, **details), subject, _HASHES) == [field]
