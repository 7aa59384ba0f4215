"""Finds the write key of a body before the body is parsed.

Nothing but the names on the way to the key is read into objects, so an unknown key costs a scan of the bytes and no
parse. A body that is no JSON may hold values that `mended_json` mends: there every text beside the name `writeKey` is
a candidate, and the parsed body decides later.
"""

import re
from typing import Final

import msgspec
from msgspec import Raw, Struct, field

MOST_CANDIDATES: Final = 4
_NULL: Final = b"null"
_NAMED: Final = re.compile(rb'"writeKey"\s*:\s*"([A-Za-z0-9_-]{1,200})"')


class _Keyed(Struct, gc=False):
    write_key: Raw = field(name="writeKey", default=Raw(_NULL))
    batch: Raw = Raw(_NULL)


_keyed = msgspec.json.Decoder(_Keyed).decode
_items = msgspec.json.Decoder(list[Raw]).decode
_text = msgspec.json.Decoder(str).decode


def write_keys(raw: bytes) -> list[str]:
    """The candidates for the write key of a body: of the body itself, else of the first call of its batch.

    One at most where the body is JSON; none where it names no key or a value that is no text.
    """
    try:
        body = _keyed(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return list(dict.fromkeys(found.decode("ascii") for found in _NAMED.findall(raw)))[:MOST_CANDIDATES]
    try:
        if bytes(body.write_key) != _NULL:
            return [_text(body.write_key)]
        items = _items(body.batch)
        return [_text(_keyed(items[0]).write_key)] if items else []
    except (msgspec.MsgspecError, ValueError):
        return []
