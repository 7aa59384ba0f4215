"""Cursors: a position in a list, opaque to the client and bound to the list and the space it was made for."""

from base64 import b64decode, urlsafe_b64encode
from hmac import compare_digest
from typing import Final

from identity.values.errors import BadCursor
from identity.vault.space_keys import SpaceKeys

_MAC: Final = 16


def write_cursor(keys: SpaceKeys, domain: bytes, position: bytes) -> str:
    """The cursor of a position; `domain` names the list."""
    return urlsafe_b64encode(keys.mac(domain, position) + position).decode()


def read_cursor(keys: SpaceKeys, domain: bytes, cursor: str) -> bytes:
    """The position of a cursor. BadCursor for one of another list or space, and for anything else."""
    try:
        raw = b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError as error:
        raise BadCursor from error
    if not compare_digest(raw[:_MAC], keys.mac(domain, raw[_MAC:])):
        raise BadCursor
    return raw[_MAC:]
