"""Finds a member that a JSON object has more than once.

The parser of the server keeps the last value of a repeated name, so `{"identifiers": [...], "identifiers": [...]}`
would be carried out for half of what was sent. Native routes refuse such a body. The collection routes look for a
second list `batch` alone, of which every call would be lost: SDKs cannot write a repeated member, and the search costs
more than the parse.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from app.http.body import decode, decode_calls, too_deep
from app.http.error_responses import Unreadable
from app.http.mended_json import MendedBody, mend
from identity.values.unknown_names import shown

REPEATED: Final = "repeated_field"

_MOST_PLACES: Final = 3
_BATCH: Final = "batch"
_BATCH_LIST: Final = re.compile(rb'"batch"\s*+:\s*+\[')
Pairs = Sequence[tuple[str, Any]]


def decode_document(raw: bytes) -> Any:
    """Parse the body of a native route to plain values. Unreadable if it is no JSON or repeats a member."""
    document = decode(raw)
    try:
        repeated = repeated_members(raw)
    except RecursionError:
        raise too_deep() from None
    if repeated:
        fields = ", ".join(f"`{place}`" for place in repeated)
        raise Unreadable(REPEATED, f"The body has {fields} more than once; send each field once.", 422)
    return document


def decode_batch(raw: bytes) -> MendedBody:
    """Parse the body of a route for batches. Unreadable as `decode_calls` says, or if it has two lists `batch`."""
    mended = decode_calls(raw)
    if len(_BATCH_LIST.findall(raw)) > 1 and _has_two_batches(raw):
        raise Unreadable("batch_not_a_list", "The body has `batch` more than once; send one list with all calls.")
    return mended


def _has_two_batches(raw: bytes) -> bool:
    outermost: Pairs = ()

    def read(pairs: Pairs) -> dict[str, Any]:
        nonlocal outermost
        outermost = pairs
        return dict(pairs)

    try:
        json.loads(mend(raw).decode("utf-8", "replace"), object_pairs_hook=read, parse_int=_skip, parse_float=_skip)
    except RecursionError:
        raise too_deep() from None
    return sum(name == _BATCH and isinstance(value, list) for name, value in outermost) > 1


def repeated_members(raw: bytes) -> list[str]:
    """The places of the first repeated members of a valid document, each once, as `identifiers` or `limits.email.max`.

    A name that may be a value is not repeated.
    """
    found: list[tuple[dict[str, Any], str]] = []

    def read(pairs: Pairs) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            found.extend((members, name) for name, count in counts.items() if count > 1)
        return members

    document = json.loads(raw, object_pairs_hook=read, parse_int=_skip, parse_float=_skip)
    places = [f"{_path(document, holder)}{_shown(name)}" for holder, name in found[:_MOST_PLACES]]
    return list(dict.fromkeys(places))


def _path(document: Any, holder: dict[str, Any]) -> str:
    """The path to an object, with a dot at its end; empty for the document, and for an object that is not in it."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        path, value = waiting.pop()
        if value is holder:
            return path
        if isinstance(value, dict):
            waiting += [(f"{path}{_shown(name)}.", item) for name, item in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{path.removesuffix('.')}[{at}].", item) for at, item in enumerate(value)]
    return ""


def _shown(name: str) -> str:
    return shown(name, "...").strip("`")


def _skip(_: str) -> None:
    return None
