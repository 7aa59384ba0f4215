"""Finds the types that an unreadable part of a Google consent mode denies, or may deny.

Such a part is a type in another spelling (`ad_storge`), a member for a whole group of types (`ads`), an object or a
list of Google's commands (`["consent", "update", {...}]`), or a text that names types beside an answer. A part grants
nothing. A denial that names no type denies every type. A part that neither names a type nor denies states nothing, so
the version of a consent manager is no denial.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from identity.planning.consent.signals.classes import Class
from identity.values.fields.names import Names

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

_LETTERS: Final = {name.replace("_", ""): name for name in sorted(TYPES)}
_SPELLINGS: Final = Names("", {name: letters for letters, name in _LETTERS.items()})
_PARAMETERS: Final = Names("", {name: name.replace("_", "") for name in sorted(PARAMETERS)})
_GRANT: Final = "granted"
DENIALS: Final = frozenset(
    (
        *("denied", "deny", "declined", "decline", "rejected", "reject", "refused", "refuse", "revoked", "revoke"),
        *("withdrawn", "withdraw", "disallowed", "disallow", "notgranted", "optout", "optedout", "no", "off", "false"),
    )
)
_FEWEST: Final = 6
"""The fewest letters of a part of a name (`storage`) that stands for the types that have it."""
_DEPTH: Final = 4


def read_answer(answer: object) -> bool | None:
    """Only `granted` grants; a denial may have capitals and blanks around it, or be `false`. None for any other."""
    if answer == _GRANT and type(answer) is str:
        return True
    if answer is False or (type(answer) is str and answer.strip().lower() == "denied"):
        return False
    return None


def denied_within(value: object, depth: int = _DEPTH, heading: str | None = None) -> set[str]:
    """The types that a value denies or may deny; `heading` is the answer that the name of the value gives."""
    found: set[str] = set()
    loose: list[object] = []
    for name, answer in _members(value):
        if answer is None or (name is not None and _is_parameter(name)):
            continue
        meant = [] if name is None else types_like(name)
        if meant:
            found.update(meant if read_answer(answer) is not True else ())
            continue
        above = name if name is not None and _gives_answer(_letters(name)) else None
        if isinstance(answer, (dict, list)):
            found |= denied_within(answer, depth - 1, above) if depth else set()
        else:
            loose += [answer] if above is None else [answer, above]
    if loose and heading is not None:
        loose.append(heading)
    return found.union(_denied_by(loose))


def types_like(name: str) -> Collection[str]:
    """The types that a name stands for: by its letters, by a slip of the finger, or by a part that is long enough."""
    letters = _letters(name).replace("isation", "ization")
    if letters in ("ad", "ads"):
        return PARTS["ads"]
    for each in (letters, f"ad{letters[3:]}" if letters.startswith("ads") else letters):
        meant = _LETTERS.get(each) or _SPELLINGS.right(each)
        if meant is not None:
            return [meant]
    return [
        type_ for known, type_ in _LETTERS.items() if known in letters or (len(letters) >= _FEWEST and letters in known)
    ]


def _members(value: object) -> Iterable[tuple[str | None, object]]:
    if isinstance(value, dict):
        return [(name if type(name) is str else None, answer) for name, answer in value.items()]
    return [(None, answer) for answer in value] if isinstance(value, list) else [(None, value)]


def _denied_by(words: Iterable[object]) -> Collection[str]:
    """The types that the words of one object or list deny together: those they name, or all."""
    named: list[str] = []
    denies = grants = False
    for word in words:
        if type(word) is str:
            letters = _letters(word)
            denies = denies or letters in DENIALS or "denied" in letters or "notgranted" in letters
            grants = grants or _GRANT in letters
            named += () if _gives_answer(letters) else types_like(word)
        denies = denies or word is False
    if named:
        return named if denies or not grants else ()
    return CLASSES if denies else ()


def _gives_answer(letters: str) -> bool:
    return letters == _GRANT or letters in DENIALS


def _is_parameter(name: str) -> bool:
    return name in PARAMETERS or _PARAMETERS.right(name) is not None


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
