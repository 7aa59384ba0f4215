"""Verify a receipt of Onefold: python verify_receipt.py receipt.json onefold-keys.json

The keys are those of /.well-known/onefold-keys.json. Needs `cryptography` and nothing else.
"""

import base64
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def raw(text: str) -> bytes:
    made = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return made if base64.urlsafe_b64encode(made).decode().rstrip("=") == text else b""  # one way to write it


if len(sys.argv) != 3:
    sys.exit("usage: python verify_receipt.py receipt.json onefold-keys.json")
try:
    files = [Path(name).read_bytes() for name in sys.argv[1:]]
except OSError as error:
    sys.exit(f"cannot read {error.filename}: {error.strerror}")
try:
    receipt = json.loads(files[0])
    keys = {key["kid"]: raw(key["public_key"]) for key in json.loads(files[1])["keys"]}
    signature = raw(receipt.pop("sig"))
    # RFC 8785: sorted names, no spaces; a receipt has ASCII names and no fractions.
    message = json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    Ed25519PublicKey.from_public_bytes(keys[receipt["kid"]]).verify(signature, message)
except (ValueError, LookupError, TypeError, AttributeError, InvalidSignature):
    sys.exit("NOT VALID: this receipt was not signed by these keys, or it was altered.")
found = ", nobody had this identifier" if receipt.get("found") is False else ""  # version 1 does not state it
print(f"valid: {receipt['erasure_id']}{found}, {receipt['keys_shredded']} keys destroyed at {receipt['internal_done_at']}")
