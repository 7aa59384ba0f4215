"""Vouches for single entries of the ledger, so that an entry which a database writer appends proves nothing.

Invariant: an entry that Onefold vouches for ends with a MAC over all bytes before the MAC, under a key that the
database does not hold. The entries of a space up to the number in `Journal.vouched_after` are of an older version of
Onefold and have no MAC; a database writer cannot raise that number, as it is not in the database.
"""

from hmac import compare_digest
from typing import Final

from identity.values.stamps import Micros
from identity.vault.space_keys import SpaceKeys

_DOMAIN: Final = b"ledger|1"
_FRAME: Final = b',"mac":"'


def vouch_for_entry(keys: SpaceKeys, entry: tuple[Micros, bytes]) -> tuple[Micros, bytes]:
    """A new entry, its time and its bytes, with a MAC as its last field."""
    at, plain = entry
    return at, plain[:-1] + _FRAME + _mac(keys, plain) + b'"}'


def is_vouched_entry(keys: SpaceKeys, entry: bytes) -> bool:
    """Whether Onefold made an entry of this space as it is."""
    fields, frame, mac = entry.rpartition(_FRAME)
    return bool(frame) and compare_digest(_mac(keys, fields + b"}") + b'"}', mac)


def _mac(keys: SpaceKeys, plain: bytes) -> bytes:
    return keys.vouch(_DOMAIN, [plain]).hex().encode()
