"""Recognises placeholder values, which programs send in place of a missing id.

A placeholder is blocked in every space and for every type, since any program may lack the id of its user and
identifiers with such a value would join strangers. A space adds patterns of its own (`resolution_rules`).
"""

from typing import Final

from identity.values.identifiers import EMAIL

PLACEHOLDERS: Final = frozenset(
    {
        "-1", "null", "none", "nil", "undefined", "nan", "anonymous", "guest", "distinctid",
        "distinct_id", "id", "email", "user", "userid", "user_id", "not_authenticated", "true",
        "false", "[object object]", "unknown", "n/a", "na", "void", "test", "invalid",
    }
)  # fmt: skip

PLACEHOLDER_EMAILS: Final = frozenset(
    {
        "test@test.com", "noemail@noemail.com", "none@none.com", "no@email.com",
        "example@example.com", "test@example.com", "a@a.com", "null@null.com",
    }
)  # fmt: skip

_SPACES = "".join(chr(c) for c in range(0x3001) if chr(c).isspace())
# The backslash covers text that is quoted twice: \"null\".
_QUOTES = "\\\"'`\u00ab\u00b4\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a\uff02\uff07"
_WRAPPING = _SPACES + _QUOTES
_LONGEST = max(map(len, PLACEHOLDERS))


def is_blocked_everywhere(type_: str, value: str) -> bool:
    """Whether a normalised identifier is a placeholder of its type, which no rules allow."""
    return is_placeholder(value) or (type_ == EMAIL and value in PLACEHOLDER_EMAILS)


def is_placeholder(text: str) -> bool:
    """Whether a plain text is a placeholder.

    Case and surrounding quotes do not matter. "" and text of only zeros and dashes (an all-zero UUID) are
    placeholders.
    """
    core = text.strip(_WRAPPING)
    if not core.strip("0-"):
        return True
    return len(core) <= _LONGEST and core.casefold() in PLACEHOLDERS
