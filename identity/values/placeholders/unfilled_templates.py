"""Recognises ids with a part that a program meant to fill: `{{email}}@acme.com`, `user-${id}`, `acct:%s`.

All people whose part is missing would have the same id. A template counts with its marks alone, never by a word that
an id may hold: a percent-encoded id, a hash with its scheme and a GUID in braces are no templates.
"""

import re
from typing import Final

PATTERNS_WITHIN: Final = (
    r"\{\{.*?\}\}|[$#]\{.*?\}|<%.*?%>|%%[A-Za-z_]+%%|\*\|.*?\|\*",
    r"(?<![^\W_])(\{([0-9]|[a-z_]{2,})\}|%[sd@])(?![^\W_])",
    r"%(?![0-9A-Fa-f]{2})[A-Za-z_.]{3,}%",
)
"""What an unfilled part looks like, anywhere in an id."""
_PATTERN: Final = re.compile("|".join(PATTERNS_WITHIN), re.DOTALL)
_MARKS: Final = re.compile(r"[{%*]")


def has_unfilled_part(text: str) -> bool:
    """Whether a part of a plain text is a template that nobody filled."""
    return _MARKS.search(text) is not None and _PATTERN.search(text) is not None
