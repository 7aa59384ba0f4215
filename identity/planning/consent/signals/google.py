"""Decodes Google consent mode: an object of known types, each `granted` or `denied`.

An object updates the types that it names and no other. Google's own parameters state nothing. A member that is
neither a type nor a parameter is listed as unread and voids nothing beside it. A type with another answer is listed too
and counts as denied, since it may be a denial. Every other part counts by what it denies or may deny
(`google_denials`), as does a value that is no object. The encoded forms `gcs` and `gcd` are not read.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from identity.planning.consent.signals.classes import Statements, combine
from identity.planning.consent.signals.google_denials import (
    CLASSES,
    PARAMETERS,
    PARTS,
    TYPES,
    denied_within,
    read_answer,
)
from identity.values.errors import BadSignal

__all__ = ["CLASSES", "MOST_UNREAD", "PARTS", "TYPES", "ConsentMode", "decode", "statements"]
MOST_UNREAD: Final = 20


class ConsentMode(Struct, frozen=True):
    """The types that the signal names, and whether each is granted; `unread` are members that could not be read."""

    granted: Mapping[str, bool]
    unread: tuple[str, ...] = ()


def decode(signal: object) -> ConsentMode:
    """The consent mode in a value. Raises BadSignal if the value is no object, or an empty one, and denies nothing."""
    if type(signal) is not dict:
        denied = denied_within(signal)
        if not denied:
            raise BadSignal
        return ConsentMode(dict.fromkeys(sorted(denied), False), ("",))
    if not signal:
        raise BadSignal
    granted: dict[str, bool] = {}
    unread = []
    others = {}
    for name, answer in signal.items():
        if type(name) is not str or (name not in TYPES and name not in PARAMETERS):
            unread.append(name if type(name) is str else "")
            others[name] = answer
        elif name in TYPES and answer is not None:
            stated = read_answer(answer)
            if stated is None:
                unread.append(name)
            granted[name] = stated is True
    if others:
        granted |= dict.fromkeys(sorted(denied_within(others)), False)
    return ConsentMode(granted, tuple(unread[:MOST_UNREAD]))


def statements(mode: ConsentMode) -> Statements:
    """Grants a class if all its types in the signal are granted; `security_storage` belongs to no class."""
    return combine(*({CLASSES[name]: granted} for name, granted in mode.granted.items() if name in CLASSES))
