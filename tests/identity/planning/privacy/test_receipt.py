"""The receipt of an erasure: its signed bytes follow from its values, and none of them names a person."""

import json
from hashlib import sha256
from typing import Any

import pytest
from msgspec import structs

from identity.planning.privacy.privacy_requests import DestroyedCounts, ErasureNotice, ErasureResult
from identity.planning.privacy.receipt import Receipt, bytes_to_sign, unsigned_receipt
from identity.values.enums import ErasureState, Law, NoticeState, RequestKind
from identity.values.ids import DestinationId, ErasureId, RequestId, public
from identity.values.stamps import Micros

NOON = Micros(1_769_860_800_000_000)
CRM, ADS = DestinationId(b"c" * 16), DestinationId(b"a" * 16)
RESULT = ErasureResult(
    id=ErasureId(b"e" * 16), request_id=RequestId(b"r" * 16), nr=1, kind=RequestKind.DELETE_ONLY, regulation=Law.GDPR,
    state=ErasureState.FINISHED, type="user_id", commitment=b"c" * 32, received_at=NOON, due_at=None, extended_at=None,
    internal_at=NOON, closed_at=NOON, epoch=1, backup_safe_at=NOON, duplicate_of=None, ledger_seq=2**60,
    counts=DestroyedCounts(keys=2, key_ids_root="f0", rows={"evidence": 3}, exports=1),
    notices=[ErasureNotice(destination=CRM, name="crm", state=NoticeState.DONE, at=NOON, ack=b"yes")],
    salt="secret salt", identifier="user_id:ann",
)  # fmt: skip


def receipt(now: int = NOON, scan: dict[str, Any] | None = None, **changed: Any) -> Receipt:
    """The receipt of an erasure with these differences."""
    return unsigned_receipt(
        structs.replace(RESULT, **changed), "spc_1", "k1", "onefold 1", b"h" * 32, Micros(now), scan
    )


def test_the_signature_covers_every_field_but_itself() -> None:
    """In one form, whatever order the fields were set in; a large number is text, since JSON loses its last digits."""
    signed = bytes_to_sign(receipt())
    document = json.loads(signed)

    assert document.keys() == set(Receipt.__struct_fields__) - {"sig"}
    assert list(document) == sorted(document)
    assert bytes_to_sign(structs.replace(receipt(), sig="x")) == signed
    assert bytes_to_sign(structs.replace(receipt(), keys_shredded=3)) != signed
    assert document["ledger_seq"] == str(2**60)


def test_the_person_is_only_in_the_commitment() -> None:
    """The salt and the identifier are for the answer to the request alone."""
    signed = bytes_to_sign(receipt())

    assert b"ann" not in signed
    assert b"secret salt" not in signed
    assert (b"c" * 32).hex().encode() in signed


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({}, "safe"),
        ({"backup_safe_at": Micros(NOON + 1)}, "pending"),
        ({"backup_safe_at": None}, "pending"),
        ({"backup_safe_at": None, "counts": DestroyedCounts()}, "safe"),
    ],
)
def test_backups_are_safe_from_the_time_when_none_opens(changed: dict[str, Any], state: str) -> None:
    """At once where no key was destroyed."""
    assert receipt(**changed).backups.state == state


def test_what_is_unknown_is_null() -> None:
    """Nothing destroyed, nobody asked, and a scan of an older program."""
    bare = receipt(counts=None, notices=(), ledger_seq=None, scan={"tool": "onefold", "more": 1})

    assert (bare.keys_shredded, bare.key_ids_merkle_root, bare.rows_deleted, bare.exports_destroyed) == (0, None, {}, 0)
    assert (bare.destinations, bare.found, bare.ledger_seq) == ([], None, "0")
    assert bare.scan is not None
    assert (bare.scan.tool, bare.scan.hits) == ("onefold", None)
    assert receipt().scan is None


def test_a_destination_is_shown_with_the_hash_of_its_answer() -> None:
    """The answer itself may be long; one that never came has no hash."""
    silent = ErasureNotice(destination=ADS, name="ads", state=NoticeState.SENT, at=NOON)
    answered, quiet = receipt(notices=[*RESULT.notices, silent]).destinations

    assert (answered.id, answered.status, answered.ack_sha256) == (
        public("dst", CRM),
        "done",
        sha256(b"yes").hexdigest(),
    )
    assert (quiet.status, quiet.ack_sha256) == ("sent", None)
