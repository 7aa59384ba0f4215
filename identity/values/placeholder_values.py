"""Recognises placeholder values, which programs send in place of a missing id.

A placeholder is a word, alone or in brackets, the text of a template that nobody filled, or a number of zeros. A
placeholder is blocked in every space and for every type, since any program may lack the id of its user and
identifiers with such a value would join strangers. A space adds patterns of its own (`resolution_rules`).
"""

import re
from typing import Final
from unicodedata import normalize

from identity.values.identifiers import EMAIL

PLACEHOLDERS: Final = frozenset(
    {
        "-1", "null", "none", "nil", "undefined", "nan", "anonymous", "guest", "distinctid",
        "distinct_id", "id", "email", "user", "userid", "user_id", "not_authenticated", "true",
        "false", "object object", "unknown", "n/a", "na", "void", "test", "invalid", "optional(nil)",
        "[object object]", "nullptr", "(not set)", "not set", "anonymousid", "anonymous_id", "9774d56d682e549c",
        "object undefined", "object null", "[object undefined]", "[object null]", "infinity", "-infinity",
        "#n/a", "#ref!", "#value!", "#name?", "#null!", "#num!", "#div/0!", "02:00:00:00:00:00", "020000000000",
        "ff:ff:ff:ff:ff:ff", "your_user_id", "your-user-id", "your user id", "youruserid", "your_id", "your_email",
        "undefined undefined", "undefined_undefined", "undefined-undefined", "undefinedundefined",
        "null null", "null_null", "null-null", "nullnull", "none none", "none_none", "none-none",
    }
)  # fmt: skip

PLACEHOLDER_EMAILS: Final = frozenset(
    {
        "test@test.com", "noemail@noemail.com", "none@none.com", "no@email.com",
        "example@example.com", "test@example.com", "a@a.com", "null@null.com",
    }
)  # fmt: skip

PLACEHOLDER_PATTERNS: Final = (
    "[-0.:]*",
    "[Ff]{8}-?[Ff]{4}-?[Ff]{4}-?[Ff]{4}-?[Ff]{12}",
    r"\{\{.*\}\}",
    r"[$#]\{.*\}",
    "<%.*%>",
    "[Xx]{8}-?[Xx]{4}-?[Xx4]{4}-?[XxYy]{4}-?[Xx]{12}",
    "[Xx]{3,}|[*]+|[?]+",
    "__[A-Za-z_]+__",
    r"\*\|.*\|\*",
    "%%.*%%",
)
"""What placeholders look like beside the words: zeros, the greatest UUID, masks, and templates."""

_SPACES = "".join(chr(c) for c in range(0x3001) if chr(c).isspace())
# The backslash covers text that is quoted twice: \"null\".
_QUOTES = "\\\"'`\u00ab\u00b4\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a\uff02\uff07"
_WRAPPING = _SPACES + _QUOTES
_BRACKETS: Final = _WRAPPING + "()<>[]{}"
_MARKS: Final = _BRACKETS + "%$"
_LONGEST = max(map(len, PLACEHOLDERS))
_PATTERN: Final = re.compile("|".join(PLACEHOLDER_PATTERNS), re.DOTALL)
_FIRST_OF_PATTERNS: Final = frozenset("-0.:Ff{$#<Xx*?_%")
# What MySQL and Postgres write for a null in text; the backslash is a quote elsewhere.
_SQL_NULL: Final = re.compile(r"[\"']?\\+N[\"']?")


def is_blocked_everywhere(type_: str, value: str) -> bool:
    """Whether a normalised identifier is a placeholder of its type, which no rules allow."""
    return is_placeholder(value) or (type_ == EMAIL and value in PLACEHOLDER_EMAILS)


def is_placeholder(text: str) -> bool:
    """Whether a plain text is a placeholder.

    Case, surrounding quotes and brackets, and the width of the letters do not matter. "" and text of only zeros, points
    and dashes (an all-zero UUID) are placeholders.
    """
    core = (text if text.isascii() else normalize("NFKC", text)).strip(_WRAPPING)
    if len(core) <= 1 and (not core or (core == "N" and _SQL_NULL.fullmatch(text.strip()))):
        return True
    first = core[0]
    if first in _FIRST_OF_PATTERNS and _PATTERN.fullmatch(core):
        return True
    if first not in _MARKS and core[-1] not in _MARKS:
        # Nearly every id: nothing to strip, and most are longer than any word.
        return len(core) <= _LONGEST and core.casefold() in PLACEHOLDERS
    bare = core.strip(_MARKS)
    if len(bare) > _LONGEST:
        return False
    return not core.strip(_BRACKETS) or bare.casefold() in PLACEHOLDERS or core.casefold() in PLACEHOLDERS


def shown_placeholders() -> dict[str, list[str]]:
    """The placeholders as the rules of every space show them."""
    return {
        "values": sorted(PLACEHOLDERS),
        "patterns": list(PLACEHOLDER_PATTERNS),
        "emails": sorted(PLACEHOLDER_EMAILS),
    }
