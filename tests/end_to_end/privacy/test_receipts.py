"""Receipts: signed, canonical, verified by a script without Onefold, and without any identifier."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import convert, structs, to_builtins

from identity.operations.privacy.issue_receipt import issue_receipt, published_keys
from identity.operations.privacy.read_requests import get_erasure
from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy.erasure_entry import commitment
from identity.planning.privacy.privacy_requests import ErasureNotice, NewRequest
from identity.planning.privacy.receipt import Receipt, bytes_to_sign, unsigned_receipt
from identity.values.enums import Law, NoticeState, RequestInterface, RequestKind
from identity.values.ids import DestinationId, public
from identity.values.stamps import Micros
from identity.vault.signing import text as text_of
from tests.conftest import ROOT
from tests.support.processes.writer_processes import Lab, ingesting, run

SCRIPT = ROOT / "docs" / "verify_receipt.py"
LONGEST = 36
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


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "usage: python verify_receipt.py receipt.json onefold-keys.json"),
        (["receipt.json"], "usage: python verify_receipt.py receipt.json onefold-keys.json"),
        (["nothing.json", "keys.json"], "cannot read nothing.json: No such file or directory"),
        ([".", "keys.json"], "cannot read .: Is a directory"),
    ],
)
def test_the_script_says_what_it_needs(tmp_path: Path, given: list[str], message: str) -> None:
    """In one line, with status 1, and never as a receipt that is not valid."""
    (tmp_path / "keys.json").write_text("{}")
    done = subprocess.run([sys.executable, SCRIPT, *given], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", message + "\n")


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
    mail, ads = DestinationId(b"m" * 16), DestinationId(b"a" * 16)
    notices = [
        ErasureNotice(destination=mail, name="mail", state=NoticeState.DONE, at=Micros(0), ack=b"signed"),
        ErasureNotice(destination=ads, name="ads", state=NoticeState.QUEUED, at=Micros(0)),
    ]
    receipt = unsigned_receipt(
        structs.replace(done, notices=notices, backup_safe_at=1), "spc_1", "kid", "onefold 1", b"", Micros(0)
    )
    assert to_builtins(receipt.destinations) == [
        {
            "id": public("dst", mail),
            "name": "mail",
            "status": "done",
            "at": EPOCH,
            "ack_sha256": sha256(b"signed").hexdigest(),
        },
        {"id": public("dst", ads), "name": "ads", "status": "queued", "at": EPOCH, "ack_sha256": None},
    ]
    assert (receipt.backup_safe_at, receipt.backups.state) == (EPOCH, "pending")
    scan = {"tool": "t", "version": "1", "targets": ["rows"], "hits": 0, "positive_control": "found", "at": EPOCH}
    receipt = unsigned_receipt(done, "spc_1", "kid", "onefold 1", b"", Micros(0), {**scan, "more": 1})
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
