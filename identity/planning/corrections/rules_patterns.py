"""Refuses a pattern of a new rules document that blocks every value of its type.

Such a pattern would keep every call of the type from finding its person, and nobody means that. Only a new document
is checked: stored rules stay in force. A pattern matches every value where it matches a few values of unlike kinds.
"""

from typing import Final

from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.rules.rules_fields import EVERY_TYPE, matchers, place
from identity.values.errors import BadRules
from identity.values.identifiers import EMAIL, PHONE

_EMAILS: Final = ("ann@example.org", "x.y+z9@mail.example.co.uk", "0_7-k@\u00fcber.museum", "q@a1.io")
_PHONES: Final = ("+4930901820", "+12025550143", "+81312345678", "+85221234567")
_OTHERS: Final = (
    "u1",
    "4711",
    "0f8fad5b-d9cb-469f-a165-70867728950e",
    "Ann.Lee_7",
    "GA1.2.1033501218.1368477899",
    "k\u00e4se~\u65e5\u672c/!",
    "f" * 64,
)
_OF_TYPE: Final = {EMAIL: _EMAILS, PHONE: _PHONES, EVERY_TYPE: (*_EMAILS, *_PHONES, *_OTHERS)}


def require_narrow_patterns(rules: Rules) -> None:
    """Raise BadRules for patterns of a type that block every value, one alone or all together."""
    for type_, listed in rules.patterns.items():
        where = place("blocked", rules.patterns, type_)
        probes = _OF_TYPE.get(type_, _OTHERS)
        for at, pattern in enumerate(listed):
            if _matches_all((pattern,), probes):
                raise BadRules(_message(f"Pattern {at} of {where} matches", "The first pattern has the number 0. "))
        if _matches_all(listed, probes):
            raise BadRules(_message(f"The patterns of {where} together match", ""))


def _matches_all(listed: tuple[str, ...], probes: tuple[str, ...]) -> bool:
    program = matchers({EVERY_TYPE: listed}).get(EVERY_TYPE)
    return program is not None and all(program.fullmatch(probe) is not None for probe in probes)


def _message(fault: str, note: str) -> str:
    return (
        f"{fault} every value, so no call of this type would find its person; name the values to block, such as"
        f" test-.* or info@.*. {note}A pattern has to match the whole value."
    )
