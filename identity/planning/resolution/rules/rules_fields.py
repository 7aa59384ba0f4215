"""Reads the fields of a rules document, and refuses a value with the path of its place and what is allowed there.

Invariant: a message holds no pattern and no value. A name stands in it where the name is short or like a known one.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import phonenumbers
import re2

from identity.values.errors import BadRules
from identity.values.identifiers import BUILT_IN, usable_type
from identity.values.unknown_names import hint, nearest, shown

EVERY_TYPE: Final = "*"
MOST_TYPES: Final = 64
MOST_PATTERNS: Final = 500
LONGEST_PATTERN: Final = 256

# Also bounds the time of a match: the slowest match costs the length of the value times the program.
_MOST_INSTRUCTIONS: Final = 4_000
_MOST_PATTERN_MEMORY: Final = 1 << 20
_OTHER_REGIONS: Final = {"UK": "GB", "EN": "GB", "EL": "GR"}
_TYPE_NAMES: Final = "a type has small letters, digits, _ and . only"


def place(field: str, names: Iterable[str], name: str) -> str:
    """The path of an entry of a field: by its name, or by its position where the name may be a value."""
    listed = shown(name, "", BUILT_IN)
    if name == EVERY_TYPE or listed:
        return f"`{field}.{name}`"
    return f"entry {list(names).index(name) + 1} of `{field}`"


def members(value: object, where: str, allowed: Iterable[str], example: str) -> dict[str, Any]:
    """An object with no other members than these."""
    given = as_object(value, where, example)
    for name in given:
        if name not in allowed:
            member = shown(name, "with an unusual name", allowed)
            raise BadRules(f"{where} has an unknown field {member}. {hint(name, allowed)}")
    return given


def as_object(value: object, where: str, example: str) -> dict[str, Any]:
    """An object. The message shows an example."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise BadRules(f"{where} must be an object, such as {example}.")
    return value


def whole(value: object, where: str, least: int, most: int, why: str = "") -> int:
    """A whole number within bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadRules(f"{where} must be a whole number from {least:,} to {most:,}{why}.")
    return value


def flag(value: object, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise BadRules(f"{where} must be true or false, without quotes.")
    return value


def region(value: object) -> str:
    """The code of a region that phone numbers can be of."""
    if isinstance(value, str) and value in phonenumbers.SUPPORTED_REGIONS:
        return value
    code = value.strip().upper() if isinstance(value, str) else ""
    code = _OTHER_REGIONS.get(code, code)
    near = f" Did you mean {code}?" if code in phonenumbers.SUPPORTED_REGIONS else ""
    raise BadRules(f"`region` must be the two capital letters of a country, such as US.{near}")


def type_names(names: Iterable[str], field: str) -> None:
    """Refuse names that cannot be identifier types, and more custom types than a space can have."""
    names = list(names)
    for name in names:
        if not usable_type(name):
            near = nearest(name, BUILT_IN)
            help_ = "" if near is None else f" Did you mean {near}?"
            raise BadRules(f"{place(field, names, name)} is no identifier type: {_TYPE_NAMES}.{help_}")
    if sum(name not in BUILT_IN for name in names) > MOST_TYPES:
        raise BadRules(f"`{field}` names too many identifier types; at most {MOST_TYPES} custom types are allowed.")


def priority(value: object) -> tuple[str, ...]:
    """The types that name a person by themselves, the strongest first."""
    if not isinstance(value, list):
        raise BadRules('`priority` must be a list of identifier types, such as ["user_id", "email"].')
    for at, name in enumerate(value):
        if not isinstance(name, str):
            raise BadRules(f"`priority[{at}]` must be the name of an identifier type.")
        if name in value[:at]:
            raise BadRules(f"`priority[{at}]` is the same type as `priority[{value.index(name)}]`; name a type once.")
    type_names(value, "priority")
    return tuple(value)


def patterns(value: object) -> dict[str, tuple[str, ...]]:
    """The patterns of blocked values by type."""
    given = as_object(value, "`blocked`", '{"email": ["info@.*"]}')
    type_names([type_ for type_ in given if type_ != EVERY_TYPE], "blocked")
    for type_, listed in given.items():
        where = place("blocked", given, type_)
        if not isinstance(listed, list):
            raise BadRules(f'{where} must be a list of patterns, such as ["info@.*"].')
        for at, pattern in enumerate(listed):
            if not isinstance(pattern, str):
                raise BadRules(f"Pattern {at} of {where} must be text; the first one has the number 0.")
            if len(pattern) > LONGEST_PATTERN:
                raise BadRules(f"Pattern {at} of {where} is longer than {LONGEST_PATTERN} characters; shorten it.")
    if sum(map(len, given.values())) > MOST_PATTERNS:
        raise BadRules(f"`blocked` may hold at most {MOST_PATTERNS} patterns.")
    return {type_: tuple(listed) for type_, listed in given.items()}


def matchers(listed: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """One program for all patterns of a type, so that a match reads the value only once."""
    return {type_: _matcher(own, place("blocked", listed, type_)) for type_, own in listed.items() if own}


def _matcher(listed: tuple[str, ...], where: str) -> Any:
    for at, pattern in enumerate(listed):
        # Each pattern must compile alone first: joined, a stray bracket of one could close a bracket of another.
        fault = _compiled(pattern)[1]
        if fault:
            raise BadRules(
                f"Pattern {at} of {where} is no regular expression of RE2: {fault}. The first pattern has the number 0."
            )
    program, _ = _compiled("|".join(f"(?:{pattern})" for pattern in listed))
    if program is None or program.programsize > _MOST_INSTRUCTIONS:
        raise BadRules(f"The patterns of {where} are too large together or name a group twice; change them.")
    return program


def _compiled(pattern: str) -> tuple[Any, str]:
    """A program; or None with what is wrong and at which character, without a part of the pattern."""
    options = re2.Options()
    options.max_mem = _MOST_PATTERN_MEMORY
    options.never_capture = True
    options.log_errors = False
    try:
        return re2.compile(pattern, options), ""
    except UnicodeEncodeError:
        return None, "a character is one half of a surrogate pair"
    except re2.error as error:
        reason = error.args[0] if error.args else b""
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    fault, _, part = text.partition(": ")
    if fault.startswith("trailing"):
        return None, f"a backslash ends it, at character {len(pattern)}"
    if not part:
        return None, "it is too large" if "too large" in fault or "bad repetition" in fault else fault
    at = _bracket(pattern, fault) if fault[-1:] in ")]" else pattern.find(part) + 1
    return None, f"{fault}, at character {at}" if at else fault


def _bracket(pattern: str, fault: str) -> int:
    """The character, counted from 1, of the bracket that is left open or that closes nothing; 0 where none is found."""
    opened: list[int] = []
    in_class = 0
    for at, character, before in zip(range(1, len(pattern) + 1), pattern, " " + pattern, strict=False):
        if _is_escaped(pattern, at - 1):
            continue
        if in_class:
            in_class = 0 if character == "]" and before not in "[^" else in_class
        elif character == "[":
            in_class = at
        elif character == "(":
            opened.append(at)
        elif character == ")" and opened:
            opened.pop()
        elif character == ")":
            return at
    return in_class if fault.endswith("]") else (opened or [0])[-1]


def _is_escaped(pattern: str, position: int) -> bool:
    before = pattern[:position]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
