"""Verify a receipt of Onefold: python verify_receipt.py receipt.json onefold-keys.json

The keys are those of /.well-known/onefold-keys.json. Needs `cryptography` and nothing else.
"""

import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


receipt = json.load(open(sys.argv[1], encoding="utf-8"))
keys = {key["kid"]: raw(key["public_key"]) for key in json.load(open(sys.argv[2], encoding="utf-8"))["keys"]}
signature = raw(receipt.pop("sig", ""))
# RFC 8785: names in order, no spaces. A receipt holds ASCII names and no fractions, so this is all of it.
message = json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
try:
    Ed25519PublicKey.from_public_bytes(keys[receipt["kid"]]).verify(signature, message)
except (KeyError, InvalidSignature):
    sys.exit("NOT VALID: this receipt was not signed by these keys, or it was altered.")
print(f"valid: {receipt['erasure_id']}, {receipt['keys_shredded']} keys destroyed at {receipt['internal_done_at']}")
