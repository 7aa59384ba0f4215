"""Decodes Google consent mode: an object of known types, each `granted` or `denied`.

The encoded forms `gcs` and `gcd` are not read. An absent type states nothing.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from identity.planning.consent.signals.classes import Class, Statements, combine
from identity.values.errors import BadSignal

CLASSES: Final[Mapping[str, Class]] = {
    "ad_storage": "ads",
    "ad_user_data": "ads",
    "ad_personalization": "ads",
    "analytics_storage": "analytics",
    "personalization_storage": "personalisation",
    "functionality_storage": "functional",
}
TYPES: Final = frozenset({*CLASSES, "security_storage"})
_ANSWERS: Final = {"granted": True, "denied": False}


class ConsentMode(Struct, frozen=True):
    """The types in the signal, and whether each is granted."""

    granted: Mapping[str, bool]


def decode(signal: object) -> ConsentMode:
    """The consent mode in an object. Raises BadSignal if the object is empty or any part is unknown."""
    if type(signal) is not dict or not 0 < len(signal) <= len(TYPES):
        raise BadSignal
    granted = {}
    for name, answer in signal.items():
        if type(name) is not str or type(answer) is not str or name not in TYPES or answer not in _ANSWERS:
            raise BadSignal
        granted[name] = _ANSWERS[answer]
    return ConsentMode(granted)


def statements(mode: ConsentMode) -> Statements:
    """Grants a class if all its types in the signal are granted; `security_storage` belongs to no class."""
    return combine(*({CLASSES[name]: granted} for name, granted in mode.granted.items() if name in CLASSES))
