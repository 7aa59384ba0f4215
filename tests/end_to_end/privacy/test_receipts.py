"""Receipts: signed, canonical, verified by a script without Onefold, and without any identifier."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert, structs, to_builtins

from identity.operations.privacy.issue_receipt import issue_receipt, published_keys
from identity.operations.privacy.read_requests import get_erasure
from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy.erasure_entry import commitment
from identity.planning.privacy.merkle import merkle_root
from identity.planning.privacy.privacy_requests import ErasureNotice, NewRequest
from identity.planning.privacy.receipt import Receipt, bytes_to_sign, unsigned_receipt
from identity.values.enums import Law, NoticeState, RequestInterface, RequestKind
from identity.vault.signing import text as text_of
from tests.conftest import ROOT
from tests.support.processes.writer_processes import Lab, ingesting, run

SCRIPT = ROOT / "docs" / "verify_receipt.py"
LONGEST = 30
EPOCH = "1970-01-01T00:00:00.000Z"


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


def made(lab: Lab) -> tuple[dict[str, Any], list[dict[str, str]], Any]:
    """A receipt as JSON, the published keys, and what the requester was answered."""

    async def main() -> tuple[dict[str, Any], list[dict[str, str]], Any]:
        async with ingesting(lab) as ingest:
            await ingest.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@example.org"}})
            asked = NewRequest(
                front=RequestInterface.NATIVE,
                kind=RequestKind.SUPPRESS_WITH_DELETE,
                regulation=Law.GDPR,
                identifiers=["email:Ann@example.org"],
                actor="test",
            )
            done = (await request_erasure(ingest.space, asked)).erasures[0]
            kept = await get_erasure(ingest.space, "ers_" + done.id.hex())
            return (
                to_builtins(await issue_receipt(ingest.spaces, ingest.space, kept, "onefold 1")),
                to_builtins(await published_keys(ingest.spaces)),
                done,
            )

    result: tuple[dict[str, Any], list[dict[str, str]], Any] = run(main())
    return result


def verify(folder: Path, text: bytes, keys: list[dict[str, str]]) -> subprocess.CompletedProcess[str]:
    """Runs the published script."""
    (folder / "receipt.json").write_bytes(text)
    (folder / "keys.json").write_text(json.dumps({"keys": keys}))
    return subprocess.run(
        [sys.executable, SCRIPT, folder / "receipt.json", folder / "keys.json"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip


def test_the_script_verifies_a_receipt_offline(lab: Lab, tmp_path: Path) -> None:
    """The script says yes to the receipt and no to one that differs in any byte, or to other keys."""
    proof, keys, done = made(lab)
    text = json.dumps(proof).encode()
    verified = verify(tmp_path, text, keys)
    assert verified.returncode == 0, verified.stderr
    assert proof["erasure_id"] in verified.stdout
    assert len(SCRIPT.read_text().splitlines()) <= LONGEST
    assert verify(tmp_path, text.replace(b'"keys_shredded": 1', b'"keys_shredded": 2'), keys).returncode == 1
    assert verify(tmp_path, text.replace(b"gdpr", b"ccpa"), keys).returncode == 1
    other = [{**key, "public_key": "A" * 43} for key in keys]
    assert verify(tmp_path, text, other).returncode == 1
    assert verify(tmp_path, text, []).returncode == 1
    assert b"ann" not in text
    salt = bytes.fromhex(done.salt)
    assert proof["subject_commitment"] == commitment(salt, "email:ann@example.org").hex()
    assert (proof["keys_shredded"], proof["regulation"], proof["backups"]["state"]) == (1, "gdpr", "pending")


FIELDS = {
    "v", "receipt_id", "erasure_id", "space", "regulation", "received_at", "internal_done_at", "backup_safe_at",
    "erasure_strength", "subject_commitment", "keys_shredded", "key_ids_merkle_root", "rows_deleted", "destinations",
    "scan", "ledger_seq", "ledger_head", "software", "kid", "sig",
}  # fmt: skip


def test_a_receipt_of_version_1_still_verifies(tmp_path: Path) -> None:
    """Receipts from before `found` have no such field, and the script of today accepts their signature."""
    key = Ed25519PrivateKey.generate()
    old = dict.fromkeys(sorted(FIELDS - {"sig"}), "x") | {"v": 1, "keys_shredded": 1, "kid": "k1"}
    message = json.dumps(old, sort_keys=True, separators=(",", ":")).encode()
    receipt = {**old, "sig": text_of(key.sign(message))}
    keys = [{"kid": "k1", "alg": "Ed25519", "public_key": text_of(key.public_key().public_bytes_raw())}]
    verified = verify(tmp_path, json.dumps(receipt).encode(), keys)
    assert (verified.returncode, "nobody" in verified.stdout) == (0, False)
    assert verify(tmp_path, json.dumps({**receipt, "found": False}).encode(), keys).returncode == 1


def test_a_receipt_has_every_field(lab: Lab) -> None:
    """All that the design names is there; a destination's signed word is in it by its hash."""
    proof, _, done = made(lab)
    assert proof.keys() >= {*FIELDS, "found"}
    assert (proof["v"], proof["found"]) == (2, True)
    assert proof["rows_deleted"]["subject_key"] == 1
    assert proof["ledger_head"] == lab.query("SELECT encode(hash, 'hex') FROM ledger ORDER BY seq DESC LIMIT 1")[0][0]
    notices = [
        ErasureNotice(destination="dst_1", name="mail", state=NoticeState.DONE, at=0, ack=b"signed"),
        ErasureNotice(destination="dst_2", name="ads", state=NoticeState.QUEUED, at=0),
    ]
    receipt = unsigned_receipt(
        structs.replace(done, notices=notices, backup_safe_at=1), "spc_1", "kid", "onefold 1", b"", 0
    )
    assert to_builtins(receipt.destinations) == [
        {"id": "dst_1", "name": "mail", "status": "done", "at": EPOCH, "ack_sha256": sha256(b"signed").hexdigest()},
        {"id": "dst_2", "name": "ads", "status": "queued", "at": EPOCH, "ack_sha256": None},
    ]
    assert (receipt.backup_safe_at, receipt.backups.state) == (EPOCH, "pending")
    scan = {"tool": "t", "version": "1", "targets": ["rows"], "hits": 0, "positive_control": "found", "at": EPOCH}
    receipt = unsigned_receipt(done, "spc_1", "kid", "onefold 1", b"", 0, {**scan, "more": 1})
    assert to_builtins(receipt.scan) == scan


def test_a_receipt_holds_no_floats(lab: Lab) -> None:
    """A receipt holds text, whole numbers, nothing and lists of these, in one form only."""
    proof, _, _ = made(lab)

    def plain(value: Any) -> bool:
        if isinstance(value, dict):
            return all(isinstance(name, str) and name.isascii() and plain(each) for name, each in value.items())
        if isinstance(value, list):
            return all(plain(each) for each in value)
        return value is None or isinstance(value, str) or (isinstance(value, int) and abs(value) < 1 << 53)

    assert plain(proof)
    with pytest.raises(Exception, match=r"(?i)integer|domain"):
        bytes_to_sign(convert({**proof, "keys_shredded": 1 << 60}, Receipt))


def test_merkle_root_equals_the_vectors_of_rfc_6962() -> None:
    """The vectors of RFC 6962's reference implementation."""
    leaves = [bytes.fromhex(each) for each in ("", "00", "10", "2021", "3031", "40414243")]
    roots = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    }
    assert {count: merkle_root(leaves[:count]).hex() for count in roots} == roots


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=20), st.data())
def test_merkle_root_says_each(leaves: list[bytes], data: st.DataObject) -> None:
    """Another value in any place gives another root."""
    at = data.draw(st.integers(0, len(leaves) - 1))
    other = [*leaves[:at], leaves[at] + b"x", *leaves[at + 1 :]]
    assert merkle_root(leaves) != merkle_root(other)
