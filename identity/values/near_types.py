"""Recognises an identifier type that is probably a misspelt built-in one.

A type that a call or the rules bring is known from then on, so a slip in either would switch off the refusal of
unknown types: `userid` beside `user_id`. The rules refuse such a type (`identity.planning.corrections.rules_types`),
and the answer to a request that finds nobody of such a type names the built-in one.
"""

import re
from collections.abc import Iterable
from typing import Final

from identity.values.identifiers import BUILT_IN, EMAIL, PHONE
from identity.values.unknown_names import other_spelling

GROUP_ID: Final = "group_id"
"""The name of group ids in rules and outcomes; a group id identifies no person."""

_WELL_KNOWN: Final = (*BUILT_IN, GROUP_ID)
_PROFILE: Final = re.compile(r"prf_[0-9a-fA-F]{32}")
_ADDRESS: Final = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
_NUMBER: Final = re.compile(r"\+[0-9][0-9 ()./-]{6,24}")
_ENCODED: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_SHORT: Final = 4
_LONG: Final = 8


def near_type(type_: str) -> str | None:
    """The built-in type that a name is like and not equal to; None for any other name.

    Like are the same letters and digits, one slip in a name of 4 letters or more, and two in one of 8 or more. A slip
    is a letter too much, too few, wrong or in the place of its neighbour. A number at the end makes another name:
    `email2` is like none.
    """
    if type_ in _WELL_KNOWN:
        return None
    bare = _bare(type_)
    for each in _WELL_KNOWN:
        if bare == _bare(each):
            return each
    scored = sorted((_slips(bare, _bare(each)), each) for each in _WELL_KNOWN if bare.rstrip("0123456789") == bare)
    if not scored:
        return None
    slips, near = scored[0]
    least = min(len(bare), len(_bare(near)))
    return near if slips <= (0 if least < _SHORT else 1 if least < _LONG else 2) else None


def typed_value(value: str) -> str | None:
    """A sentence for a value that begins with a built-in type and a colon; None for any other value."""
    type_ = value.partition(":")[0].strip().lower() if ":" in value else ""
    if type_ not in _WELL_KNOWN:
        return None
    return f"It begins with a type: write the value alone, without {type_}:."


def type_hint(identifiers: Iterable[str]) -> str | None:
    """A sentence for the first of some identifiers, which nobody has, whose type is like a built-in one.

    Or whose value begins with a type once more or has the form of another type, or whose type is that of groups. The
    sentence depends on the text alone, and never on who is known.
    """
    for text in identifiers:
        name, _, value = text.partition(":")
        type_ = name.lower()
        if (repeated := typed_value(value)) is not None:
            return f"Nobody has this value of the type {type_}. {repeated}"
        if type_ == GROUP_ID:
            return "Nobody has this identifier. A group is no person: DELETE /v1/groups/{group_id} deletes a group."
        near = near_type(type_) or (None if type_ in _WELL_KNOWN else other_spelling(type_, BUILT_IN))
        if near is not None:
            return f"Nobody has this identifier of the type {type_}. Did you mean {near}:...?"
        if type_ not in (EMAIL, PHONE) and (formed := _formed_value(value)) is not None:
            return f"Nobody has this value of the type {type_}. {formed}"
    return None


def _formed_value(value: str) -> str | None:
    """A sentence for a value that has the form of another type, or that is compared as it is written."""
    if _PROFILE.fullmatch(value):
        return "It is the id of a profile: name the person by an identifier."
    if _ADDRESS.fullmatch(value):
        return f"It is an e-mail address. Did you mean {EMAIL}:...?"
    if _NUMBER.fullmatch(value):
        return f"It is like a phone number. Did you mean {PHONE}:...?"
    if _ENCODED.search(value):
        return "It is percent-encoded: write the value as calls send it."
    if value != value.lower():
        return "Ids are compared as they are written, and capitals count."
    return None


def _bare(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def _slips(one: str, other: str) -> int:
    """The least number of slips that make one word of the other (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
