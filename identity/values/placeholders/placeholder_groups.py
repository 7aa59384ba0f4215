"""Recognises the placeholder values that stand for no group, beside those that stand for nothing at all.

A program that knows no company of its user sends what its form or its template says: `default`, `My Company`,
`company_name`, `personal`. A group with such an id is one account of strangers. The words are those for a missing
choice and the names of the field. A word that a customer may choose for a group (`demo`, `other`, `admin`) is none.
"""

import re
from typing import Final
from unicodedata import normalize

from identity.values.placeholders.placeholder_values import (
    PLACEHOLDER_EMAILS,
    PLACEHOLDER_PATTERNS,
    PLACEHOLDERS,
    is_placeholder,
)

_THING: Final = "(company|organi[sz]ation|org|account|team|workspace|group|tenant|business|employer|customer|client)"
_WHICH: Final = (
    "(no|unknown|missing|default|my|your|unassigned|untitled|unnamed|personal|individual|example|sample|dummy|test|new)"
)
PLACEHOLDER_GROUPS: Final = (
    f"{_WHICH}?{_THING}(name|id|key|slug)?",
    "default|personal|individual|unassigned|ungrouped|unaffiliated|untitled|unnamed|unspecified|placeholder|blank|empty",
    "not(assigned|specified|selected|employed|affiliated)|none?selected|selfemployed|freelancer?|unemployed",
    "(private|natural)(person|individual)|privatperson|particulier|noaffiliation",
)
"""Patterns for the letters and digits of a group id alone, in small letters."""
_PATTERN: Final = re.compile("|".join(PLACEHOLDER_GROUPS))
_LONGEST: Final = 40


def is_placeholder_group(group: str) -> bool:
    """Whether a group id is a placeholder, or names no group of anybody."""
    return is_placeholder(group) or group.lower() in PLACEHOLDER_EMAILS or _names_none(group)


def _names_none(group: str) -> bool:
    if len(group) > _LONGEST:
        return False
    text = group if group.isascii() else normalize("NFKC", group)
    return _PATTERN.fullmatch("".join(filter(str.isalnum, text)).casefold()) is not None


def shown_placeholders() -> dict[str, list[str]]:
    """The placeholders as the rules of every space show them."""
    return {
        "values": sorted(PLACEHOLDERS),
        "patterns": list(PLACEHOLDER_PATTERNS),
        "emails": sorted(PLACEHOLDER_EMAILS),
        "groups": list(PLACEHOLDER_GROUPS),
    }
