"""Parses the purposes of a space: their classes, how long a grant lasts, and the default without a decision.

The document is stored as a whole, versioned and sealed like the rules. Without a document, and where the
document is silent, undecided data is denied.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from msgspec import Struct

from identity.planning.consent.regions import UNREADABLE, has_form, parse_region, region_hint
from identity.planning.consent.signals.classes import Class
from identity.values.calls import DAY
from identity.values.errors import BadPurposes
from identity.values.stamps import Micros
from identity.values.unknown_names import hint, nearest, shown

CLASSES: Final = get_args(Class)
MOST_PURPOSES: Final = 200
MOST_REGIONS: Final = 500
LONGEST_TTL: Final = 36_500
_ID: Final = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
_KNOWN: Final = ("purposes", "unset", "regions", "override_opt_out")
_OF_PURPOSE: Final = ("id", "class", "ttl_days")
_ANSWERS: Final[Mapping[object, bool]] = {"deny": False, "allow": True}


class Purpose(Struct, frozen=True):
    """A purpose; a grant lasts `ttl` microseconds, for ever if `ttl` is None."""

    id: str
    class_: str
    ttl: Micros | None = None


class Purposes(Struct, frozen=True):
    """The purposes in force. `unset` and `regions` hold the default without a decision, by region and class.

    `override`: a later grant of a purpose lifts an opt-out of its class.
    """

    version: int = 0
    purposes: Mapping[str, Purpose] = {}
    unset: bool = False
    regions: Mapping[str, Mapping[str, bool]] = {}
    override: bool = False

    def default(self, class_: str, where: str | None) -> bool:
        """Whether undecided data is allowed in a region such as `US-CA`; None: no region was stated.

        For a region that was stated and cannot be read the strictest default counts.
        """
        if where is None:
            return self.unset
        if where == UNREADABLE:
            return self.unset and all(answers.get(class_, True) for answers in self.regions.values())
        for each in (where, where.partition("-")[0]):
            answers = self.regions.get(each)
            if answers is not None and class_ in answers:
                return answers[class_]
        return self.unset

    def document(self) -> dict[str, Any]:
        """The document that these purposes were compiled from."""
        words = {granted: word for word, granted in _ANSWERS.items()}
        return {
            "purposes": [
                {"id": each.id, "class": each.class_, "ttl_days": None if each.ttl is None else each.ttl // DAY}
                for each in self.purposes.values()
            ],
            "unset": words[self.unset],
            "regions": {
                where: {name: words[granted] for name, granted in answers.items()}
                for where, answers in self.regions.items()
            },
            "override_opt_out": self.override,
        }


def compile_purposes(document: object, version: int) -> Purposes:
    """The purposes in a document. Raises BadPurposes, whose message names the field and its allowed values."""
    if not isinstance(document, dict):
        raise _bad("The purposes must be a JSON object.")
    _require_known(document, _KNOWN, "")
    stated = document.get("purposes", [])
    if not isinstance(stated, list) or len(stated) > MOST_PURPOSES:
        raise _bad(f"purposes must be a list of at most {MOST_PURPOSES}.")
    purposes = [_purpose(index, each) for index, each in enumerate(stated)]
    named = {each.id: each for each in purposes}
    if len(named) < len(purposes):
        raise _bad("purposes must not repeat an id.")
    override = document.get("override_opt_out", False)
    if not isinstance(override, bool):
        raise _bad("override_opt_out must be true or false.")
    unset = _answer(document.get("unset", "deny"), "unset")
    regions = _regions(document.get("regions", {}))
    if "purposes" not in document:
        raise _bad('The field `purposes` is missing; to have no purposes at all, send "purposes": [].')
    return Purposes(version=version, purposes=named, unset=unset, regions=regions, override=override)


def require_regions(purposes: Purposes) -> None:
    """Refuse a new document with a region that does not exist; a stored one is read on. BadPurposes."""
    for where in purposes.regions:
        if parse_region(where) is None:
            raise _bad(f"regions: {where} is no region that exists. {region_hint(where)}")


def _purpose(index: int, stated: object) -> Purpose:
    where = f"purposes[{index}]"
    if not isinstance(stated, dict):
        raise _bad(f"{where} must be an object of id, class and ttl_days.")
    _require_known(stated, _OF_PURPOSE, f" in {where}")
    id_, class_, days = stated.get("id"), stated.get("class"), stated.get("ttl_days")
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        raise _bad(f"{where}.id must be text of 1 to 64 characters.")
    if not isinstance(class_, str) or class_ not in CLASSES:
        raise _bad(f"{where}.class must be one of {', '.join(CLASSES)}.{_near(class_)}")
    whole = isinstance(days, int) and not isinstance(days, bool)
    if days is not None and not (whole and 1 <= days <= LONGEST_TTL):
        raise _bad(f"{where}.ttl_days must be a whole number from 1 to {LONGEST_TTL}, or null.")
    return Purpose(id_, class_, None if days is None else days * DAY)


def _regions(stated: object) -> dict[str, dict[str, bool]]:
    if not isinstance(stated, dict) or len(stated) > MOST_REGIONS:
        raise _bad(f"regions must be an object of at most {MOST_REGIONS} regions.")
    found = {}
    for where, answers in stated.items():
        if not has_form(where):
            raise _bad(f"regions must be named like DE or US-CA. {region_hint(where)}")
        if isinstance(answers, str):
            found[where] = dict.fromkeys(CLASSES, _answer(answers, f"regions.{where}"))
        elif isinstance(answers, dict):
            _require_known(answers, CLASSES, f" in regions.{where}")
            found[where] = {name: _answer(answer, f"regions.{where}.{name}") for name, answer in answers.items()}
        else:
            of_classes = f"an object of these by class ({', '.join(CLASSES)})"
            raise _bad(f'regions.{where} must be "deny" or "allow", or {of_classes}.')
    return found


def _answer(value: object, where: str) -> bool:
    answer = _ANSWERS.get(value) if isinstance(value, str) else None
    if answer is None:
        raise _bad(f'{where} must be "deny" or "allow".')
    return answer


def _require_known(stated: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in stated:
        if name not in known:
            raise _bad(f"The field {shown(name, 'with an unusual name', known)}{where} is unknown. {hint(name, known)}")


def _near(class_: object) -> str:
    near = nearest(class_, CLASSES) if isinstance(class_, str) else None
    return "" if near is None else f" Did you mean {near}?"


def _bad(message: str) -> BadPurposes:
    return BadPurposes(message)
