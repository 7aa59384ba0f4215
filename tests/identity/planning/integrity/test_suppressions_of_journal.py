"""What the suppression list has to hold after the entries of a journal."""

import json
from typing import Any

import pytest

from identity.planning.integrity.suppressions_of_journal import suppressed_hashes

A, B = b"a" * 32, b"b" * 32


def entry(action: str, *hashes: bytes, **more: Any) -> bytes:
    """An entry as the ledger holds it."""
    named = {"action": action, "hashes": [each.hex() for each in hashes], **more}
    return json.dumps(named, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("entries", "left"),
    [
        ([], set()),
        ([entry("suppress", A, B, subject="req_1")], {A, B}),
        ([entry("suppress", A, B), entry("suppress.lift", A)], {B}),
        ([entry("suppress.lift", A), entry("suppress", A)], {A}),
        ([entry("erase", A, whole=True, subject="ers_1")], {A}),
        ([entry("erase", A, whole=False, subject="ers_1")], set()),
        ([entry("suppress", A), entry("erase", A, whole=False, subject="ers_1")], {A}),
        ([entry("suppress", A, subject="ers_1"), entry("withhold.end", A, subject="ers_1")], set()),
        ([entry("suppress", A, subject="ers_1"), entry("erase", A, whole=False, subject="ers_1")], set()),
        ([entry("suppress", A, subject="ers_1"), entry("erase", A, whole=True, subject="ers_1")], {A}),
        (
            [
                entry("suppress", A, B, subject="ers_1"),
                entry("erase", A, B, whole=False, subject="ers_1", lifted=[B.hex()]),
            ],
            {A},
        ),
        ([entry("suppress", A), b'{"action":"read","subject":"suppress"}', entry("key.revoke")], {A}),
    ],
)
def test_the_suppressions_that_are_left(entries: list[bytes], left: set[bytes]) -> None:
    """Suppressions, lifts, erasures with and without one, and holds that end either way."""
    assert suppressed_hashes(entries) == left
