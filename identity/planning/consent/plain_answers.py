"""Reads an answer to a request for consent that no framework defines: a word, a boolean, or a record with several.

Such an answer never grants. It denies unless the answer is a clear yes, since an answer that cannot be read may be a
withdrawal. Where the name of the answer may be a word of the customer's own, it denies if it holds a clear no.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from identity.planning.consent.signals.google_denials import DENIALS

_YES: Final = frozenset(
    (
        *("true", "1", "yes", "y", "on", "granted", "grant", "given", "accepted", "accept", "allowed", "allow"),
        *("approved", "agreed", "agree", "consented", "consent", "enabled", "optin", "optedin", "confirmed"),
        *("all", "acceptall", "acceptedall", "allowall", "allowedall", "grantedall", "grantall", "full"),
        *("obtained", "authorized", "authorised"),
    )
)
_NO: Final = DENIALS | {
    *("0", "n", "non", "nein", "none", "never", "null", "notallowed", "notaccepted", "notconsented", "notgiven"),
    *("noconsent", "disabled", "disable", "withdrawal", "withdrew", "optedout", "unconsented", "nonconsented"),
    *("rejectall", "rejectedall", "denyall", "deniedall", "declineall", "declinedall", "disallowall", "refuseall"),
    *(
        "necessary",
        "essential",
        "necessaryonly",
        "onlynecessary",
        "essentialonly",
        "onlyessential",
        "strictlynecessary",
    ),
    *("restricted", "unauthorized", "denyconsent", "consentdenied", "consentrevoked", "consentwithdrawn"),
}
_NOTHING: Final[tuple[object, ...]] = (None, "", [], {})
_PAIR: Final = re.compile(r"""['"]?([\w$. -]{1,64})['"]?\s*(?:[:=]|%3[Aa]|%3[Dd])\s*['"]?(\w{1,64})""", re.ASCII)
_DEPTH: Final = 5
_MOST_OF_TEXT: Final = 8192


def is_empty(value: object) -> bool:
    """Whether a value states nothing."""
    return value in _NOTHING or (isinstance(value, str) and not value.strip())


def may_deny(value: object) -> bool:
    """Whether an answer is anything but empty or a clear yes."""
    if is_empty(value):
        return False
    answers = set(_answers(value))
    return False in answers or True not in answers


def has_denial(value: object) -> bool:
    """Whether an answer is a clear no, or a record with one."""
    return not is_empty(value) and False in _answers(value)


def is_yes(value: object) -> bool:
    """Whether an answer is a clear yes, or a record with one, and has no clear no."""
    return set(_answers(value)) == {True}


def _answers(value: object, depth: int = _DEPTH) -> Iterable[bool]:
    """The clear answers in a value: True for a yes, False for a no. A value too deep to read counts as a no.

    A one within a record may be a number of anything, and a zero may be a no.
    """
    if isinstance(value, bool):
        yield value
    elif isinstance(value, (int, float)):
        if value == 0 or (value == 1 and depth == _DEPTH):
            yield value == 1
    elif isinstance(value, str):
        yield from _of_text(value)
    elif isinstance(value, (dict, list)):
        yield from _of_members(value, depth - 1) if depth else (False,)


def _of_members(value: dict[str, Any] | list[Any], depth: int) -> Iterable[bool]:
    members = value.items() if isinstance(value, dict) else (("", each) for each in value)
    for name, each in members:
        if _lists_denied(name, each):
            yield False
        else:
            yield from _answers(each, depth)


def _of_text(text: str) -> Iterable[bool]:
    word = _letters(text)
    if word in _YES or word in _NO:
        yield word in _YES
        return
    for _, answer in _PAIR.findall(text[:_MOST_OF_TEXT]):
        letters = answer.casefold()
        if letters in _YES or letters in _NO:
            yield letters in _YES


def _lists_denied(name: object, value: object) -> bool:
    """Whether a member lists what is denied (`{"disabled": ["ads"]}`)."""
    return isinstance(name, str) and _letters(name) in _NO and isinstance(value, (list, str, dict)) and bool(value)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text[:64])).casefold()
