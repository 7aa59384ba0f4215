"""Encodes the profiles of a lookup, each once, and bounds the bytes of the answer.

Many identifiers of a request may name one profile, and the answer repeats the profile for each of them. So a small
request could ask for an answer of any size.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast

import msgspec

from identity.values.answer_bytes import MOST_BYTES
from identity.values.errors import TooMuch

_TOO_LARGE: Final = f"The answer has more than {MOST_BYTES // 1024 // 1024} MiB; ask for fewer identifiers at once."
Found = TypeVar("Found")
Shape = TypeVar("Shape")


def encode_each(
    found: Mapping[str, Found | None], shape: Callable[[Found], Shape], id_of: Callable[[Found], Any]
) -> dict[str, Shape | None]:
    """The encoded profile of each reference, in the place of its shape. TooMuch."""
    made: dict[Any, bytes] = {}
    answers: dict[str, Shape | None] = {}
    size = 0
    for ref, each in found.items():
        if each is None:
            answers[ref] = None
            continue
        encoded = made.get(id_of(each))
        if encoded is None:
            encoded = made[id_of(each)] = msgspec.json.encode(shape(each))
        size += len(encoded)
        if size > MOST_BYTES:
            raise TooMuch(_TOO_LARGE)
        answers[ref] = cast("Shape", msgspec.Raw(encoded))
    return answers
