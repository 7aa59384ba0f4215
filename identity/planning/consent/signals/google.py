"""Google consent mode: an object of known types, each `granted` or `denied`.

The encoded `gcs` and `gcd` are not read. A type that is not there is no statement.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from identity.planning.consent.signals.classes import Class, Statements, together
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
    """The types that were told, whether each was granted."""

    granted: Mapping[str, bool]


def decode(told: object) -> ConsentMode:
    """The object `told`. BadSignal if anything in it is not known, or there is nothing in it."""
    if type(told) is not dict or not 0 < len(told) <= len(TYPES):
        raise BadSignal
    granted = {}
    for name, answer in told.items():
        if type(name) is not str or type(answer) is not str or name not in TYPES or answer not in _ANSWERS:
            raise BadSignal
        granted[name] = _ANSWERS[answer]
    return ConsentMode(granted)


def statements(mode: ConsentMode) -> Statements:
    """Granted where all that was told of a class is; `security_storage` is of no class."""
    return together(*({CLASSES[name]: granted} for name, granted in mode.granted.items() if name in CLASSES))
