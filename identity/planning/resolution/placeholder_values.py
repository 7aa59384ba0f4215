"""Values that stand for nobody in particular: what programs send when they know no one.

They are the same for every space and every type, since a program that forgot its user does so
anywhere. A space adds patterns of its own (`identity.planning.resolution.resolution_rules`).
"""

from typing import Final

NOBODY: Final = frozenset(
    {
        "-1", "null", "none", "nil", "undefined", "nan", "anonymous", "guest", "distinctid",
        "distinct_id", "id", "email", "user", "userid", "user_id", "not_authenticated", "true",
        "false", "[object object]", "unknown", "n/a", "na", "void", "test", "invalid",
    }
)  # fmt: skip

NOBODYS_EMAILS: Final = frozenset(
    {
        "test@test.com", "noemail@noemail.com", "none@none.com", "no@email.com",
        "example@example.com", "test@example.com", "a@a.com", "null@null.com",
    }
)  # fmt: skip

_SPACES = "".join(chr(c) for c in range(0x3001) if chr(c).isspace())
# The backslash is there for text that was quoted twice: \"null\".
_QUOTES = "\\\"'`\u00ab\u00b4\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a\uff02\uff07"
_WRAPPING = _SPACES + _QUOTES
_LONGEST = max(map(len, NOBODY))


def stands_for_nobody(text: str) -> bool:
    """Whether a plain text is blocked in every space.

    Quotes around it and its case do not count; "", zeros and dashes (an all-zero UUID) are.
    """
    core = text.strip(_WRAPPING)
    if not core.strip("0-"):
        return True
    return len(core) <= _LONGEST and core.casefold() in NOBODY
