"""Decodes Google consent mode: an object of known types, each `granted` or `denied`.

An object updates the types that it names and no other. Google's own parameters state nothing. A member that is
neither a type nor a parameter is listed as unread and voids nothing beside it. A type with another answer is listed too
and counts as denied, since it may be a denial. Of a type in another spelling (`adStorage`), and of the objects of
Google's commands (`default`, `update`), every answer but a grant counts so. The encoded forms `gcs` and `gcd` are not
read.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from identity.planning.consent.signals.classes import Class, Statements, combine
from identity.values.errors import BadSignal
from identity.values.fields.names import bare

CLASSES: Final[Mapping[str, Class]] = {
    "ad_storage": "ads",
    "ad_user_data": "ads",
    "ad_personalization": "ads",
    "analytics_storage": "analytics",
    "personalization_storage": "personalisation",
    "functionality_storage": "functional",
}
PARTS: Final[Mapping[str, tuple[str, ...]]] = {"ads": ("ad_storage", "ad_user_data", "ad_personalization")}
"""The types of each class that has several: an update may name some of them."""
TYPES: Final = frozenset({*CLASSES, "security_storage"})
PARAMETERS: Final = frozenset({"wait_for_update", "region", "ads_data_redaction", "url_passthrough"})
MOST_UNREAD: Final = 20
_COMMANDS: Final = ("default", "update")
_SPELLINGS: Final = {name.replace("_", ""): name for name in sorted(TYPES)}


class ConsentMode(Struct, frozen=True):
    """The types that the signal names, and whether each is granted; `unread` are members that could not be read."""

    granted: Mapping[str, bool]
    unread: tuple[str, ...] = ()


def decode(signal: object) -> ConsentMode:
    """The consent mode in an object. Raises BadSignal if there is no object or the object is empty."""
    if type(signal) is not dict or not signal:
        raise BadSignal
    granted: dict[str, bool] = {}
    unread = []
    for name, answer in signal.items():
        if type(name) is not str or (name not in TYPES and name not in PARAMETERS):
            unread.append(name if type(name) is str else "")
            for denied in _denied_elsewhere(name, answer):
                granted[denied] = False
        elif name in TYPES and answer is not None:
            stated = _answer(answer)
            if stated is None:
                unread.append(name)
            granted[name] = stated is True and granted.get(name, True)
    return ConsentMode(granted, tuple(unread[:MOST_UNREAD]))


def statements(mode: ConsentMode) -> Statements:
    """Grants a class if all its types in the signal are granted; `security_storage` belongs to no class."""
    return combine(*({CLASSES[name]: granted} for name, granted in mode.granted.items() if name in CLASSES))


def _denied_elsewhere(name: object, answer: object) -> list[str]:
    """The types that a member denies, or may deny, under another spelling or in the object of a command."""
    members = answer if name in _COMMANDS and type(answer) is dict else {name: answer}
    found = (
        _SPELLINGS.get(bare(each)) if type(each) is str else None
        for each, stated in members.items()
        if stated is not None and _answer(stated) is not True
    )
    return [each for each in found if each is not None]


def _answer(answer: object) -> bool | None:
    """Only `granted` grants; a denial may have capitals and blanks around it, or be `false`."""
    if answer == "granted" and type(answer) is str:
        return True
    if answer is False or (type(answer) is str and answer.strip().lower() == "denied"):
        return False
    return None
